"""The stand-in of a server with OpenAI's interface."""
