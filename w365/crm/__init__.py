"""Connectors to the CRM behind one protocol."""

from w365.crm.protocol import Crm

__all__ = ["Crm"]
