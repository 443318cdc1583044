"""Measurements of the product on this machine, each beside something known, in one run."""
