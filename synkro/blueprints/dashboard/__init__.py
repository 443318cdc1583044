"""The page a person starts with, and pages without sign-in."""
