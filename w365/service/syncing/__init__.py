"""What providers and the CRM say, brought here."""
