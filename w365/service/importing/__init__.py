"""What stands in a file comes in."""
