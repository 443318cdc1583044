"""A report in the forms that people get."""
