"""The sample audit."""
