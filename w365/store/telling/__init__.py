"""Who is still to be told of which run."""
