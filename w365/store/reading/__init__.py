"""What is looked at and searched: grid rows, facets, accounts by name, subscriptions."""
