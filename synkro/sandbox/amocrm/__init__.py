"""The stand-in of amoCRM."""
