"""How a source is connected, on the Providers page."""
