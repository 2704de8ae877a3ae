"""Partner Center: its customers, domains, subscriptions, resellers and audit records, and the creation of customers."""
