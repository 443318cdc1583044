"""What Synkro thinks: pure functions over plain records. No network, no database, no web framework."""
