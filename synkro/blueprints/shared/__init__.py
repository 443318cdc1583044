"""What every group of pages needs; it knows none of them."""
