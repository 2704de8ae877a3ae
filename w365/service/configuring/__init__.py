"""What an admin sets, and what a change of it would do."""
