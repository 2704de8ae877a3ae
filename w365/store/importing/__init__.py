"""What the lines of a file are held against."""
