"""Connectors to providers, all behind one small protocol."""

from w365.portals.protocol import Portal

__all__ = ["Portal"]
