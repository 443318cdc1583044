"""The client's own database."""
