"""What several test modules borrow: a test module never imports from another."""
