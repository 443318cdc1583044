"""What a company sets up: its services and their keys, texts for the AI, the schedule; and how far it is with that."""
