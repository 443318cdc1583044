"""Runs and reports: when they are due, where each step stands, what it hands on, and the way to the readers."""
