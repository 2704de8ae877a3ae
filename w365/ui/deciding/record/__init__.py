"""The record: one customer beside its candidates."""
