"""Numbers, and who did what."""
