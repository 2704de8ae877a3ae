"""Samples of automatic mappings, and what people think of them."""
