"""The CRM's own table of mappings."""
