"""Runs being made, and the reports that came of them."""
