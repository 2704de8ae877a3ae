"""What downloads hold."""
