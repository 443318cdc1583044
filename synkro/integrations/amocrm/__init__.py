"""amoCRM (Kommo), read only."""
