"""How providers and the CRM are reached: addresses, secrets, sign-ins."""
