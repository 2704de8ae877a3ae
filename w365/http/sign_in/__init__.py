"""Tokens of Microsoft Entra ID and of services of their own."""
