"""Small models that travel with the harness: no key, no GPU, no network."""
