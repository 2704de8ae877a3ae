"""Whom scheduled runs are told."""
