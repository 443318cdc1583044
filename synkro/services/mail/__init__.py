"""Letters: what they say, who gets which, and how they leave."""
