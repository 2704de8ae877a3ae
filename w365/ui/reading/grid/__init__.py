"""The grid of provider accounts."""
