"""The only package that talks to the network: one client per service, its tokens, pace, retries and bounds."""
