"""For how long things are kept, on the Configuration page."""
