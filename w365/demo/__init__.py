"""Local servers that speak the token endpoint, Partner Center and Dataverse over HTTPS, for trying things out."""
