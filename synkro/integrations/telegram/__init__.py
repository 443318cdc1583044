"""The group that gets the reports."""
