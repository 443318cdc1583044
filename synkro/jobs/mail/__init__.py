"""Letters leave."""
