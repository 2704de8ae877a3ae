"""Every change of a mapping, of one row or many, and its undo."""
