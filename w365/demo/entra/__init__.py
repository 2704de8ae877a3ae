"""Entra as clients meet it: the token endpoint, consent in a browser, its refusals, and Graph."""
