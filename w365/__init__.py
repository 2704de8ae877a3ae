"""W365 Provider Accounts: which customer at a provider is which account in the CRM."""

__version__ = "1.0.0"
