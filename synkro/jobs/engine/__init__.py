"""How work is carried: job names, workers, the clock and the tick."""
