"""The command line: one file a verb. Parse, call, print."""

from harness.cli.main import main

__all__ = ["main"]
