"""The only package that talks to the network: one client per service, its tokens, pace, retries and bounds.

`client` reads the answer (401, 429, 5xx), `attempts` decides on another try, `rate_limit` holds the host meanwhile.
"""
