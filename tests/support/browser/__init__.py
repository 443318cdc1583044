"""A browser, and the people who use it."""
