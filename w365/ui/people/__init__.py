"""Who gets in with which role, and the audit log."""
