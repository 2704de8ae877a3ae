"""Overview, statistics, data quality and activity."""
