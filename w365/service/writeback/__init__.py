"""Mappings carried to the CRM's own table."""
