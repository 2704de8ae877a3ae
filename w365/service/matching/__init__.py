"""Match runs and suggestions."""
