"""How services are reached."""
