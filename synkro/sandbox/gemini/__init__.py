"""The stand-in of the Gemini API."""
