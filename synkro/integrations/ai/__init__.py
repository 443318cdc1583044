"""The AI that a client has chosen, whoever the provider is."""
