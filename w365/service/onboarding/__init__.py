"""New customers at a provider, mapped from the start."""
