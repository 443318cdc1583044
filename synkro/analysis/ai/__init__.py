"""What the AI is asked, and what its answer may say."""
