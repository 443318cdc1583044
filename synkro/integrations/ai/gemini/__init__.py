"""Gemini by Google."""
