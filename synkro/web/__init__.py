"""What every answer passes: who may come, how often, what a browser is told."""
