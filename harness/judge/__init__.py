"""Scoring by a model, for answers that no program can check.

A judge is a generator of requests, as an interaction is: pure, with no client and no I/O. Its
errors are measured (`audit`, `calibrate`) and corrected (`correct`) before its scores are
believed. Knows nothing of other stages: `judging.py` hands it backends, rows and samples.
"""
