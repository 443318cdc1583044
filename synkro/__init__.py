"""Synkro: a cabinet for sales departments."""
