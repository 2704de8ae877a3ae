"""Pax8: its token endpoint, companies and subscriptions."""
