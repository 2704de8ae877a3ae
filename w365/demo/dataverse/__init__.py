"""Dataverse: three tables that are read, written, described and tracked through its Web API."""
