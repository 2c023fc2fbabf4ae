"""Seeded makers of samples. Each draws from counters, so no upgrade of a library moves an item."""
