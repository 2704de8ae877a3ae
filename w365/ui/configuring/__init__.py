"""The Configuration page and its sections."""
