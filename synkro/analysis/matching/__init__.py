"""Which chat belongs to which deal."""
