"""Texts of strangers made harmless and anonymous."""
