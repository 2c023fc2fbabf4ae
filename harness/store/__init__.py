"""Where results lie: the response store, the table of samples, the run directory."""
