"""The command line: `w365`."""
