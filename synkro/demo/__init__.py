"""make demo: the whole product on practice data, from nothing to a report."""
