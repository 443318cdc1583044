"""The demonstration company."""
