"""What holds the program up: queue, stores, logs, clock, pace."""
