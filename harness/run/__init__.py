"""Driving conversations against a backend: order, retry, store, budget."""
