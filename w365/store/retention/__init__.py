"""What is removed after its time, and who and what is erased on request."""
