"""Companies, the people in them, and what staff may do."""
