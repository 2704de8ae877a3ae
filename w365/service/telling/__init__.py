"""Telling people how runs went."""
