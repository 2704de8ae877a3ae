"""What an admin set, and the daily syncs."""
