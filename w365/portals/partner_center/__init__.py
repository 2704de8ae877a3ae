"""Partner Center behind the Portal protocol: its customers, what changed, those of resellers, and new ones."""
