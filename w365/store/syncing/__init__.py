"""What providers and the CRM say, and when they are asked."""
