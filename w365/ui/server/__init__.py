"""What stands around the app in its server: headers, cookies, and what its replicas share."""
