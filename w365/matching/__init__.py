"""What domains and names say about which account a provider account is. Pure: no input or output, no SQL."""
