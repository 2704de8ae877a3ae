"""Evidence, proposals and everything derived from them, as statements for both databases."""
