"""Where a person decides."""
