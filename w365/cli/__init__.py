"""The command line: `python -m w365`."""
