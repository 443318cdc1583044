"""What several rooms of the services need; it knows none of them."""
