"""The pages that show rows."""
