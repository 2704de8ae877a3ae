"""How mappings stand in the CRM's table."""
