"""What an analyst looks at."""
