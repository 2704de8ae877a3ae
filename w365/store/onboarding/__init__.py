"""Customers that are created from here."""
