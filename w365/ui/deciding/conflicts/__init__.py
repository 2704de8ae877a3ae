"""What points to more than one place."""
