"""One action on many rows, and undo."""
