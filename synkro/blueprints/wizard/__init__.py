"""What a company sets up: its services, the schedule, its texts for the AI."""
