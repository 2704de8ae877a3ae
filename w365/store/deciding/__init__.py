"""What people and matches decided: mappings, plans, undo, conflicts."""
