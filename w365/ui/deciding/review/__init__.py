"""The queue of open rows, one after another."""
