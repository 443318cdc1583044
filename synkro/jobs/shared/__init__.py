"""What every group of jobs needs; it knows none of them."""
