"""Making a report: the pipeline, its steps and what they work with."""
