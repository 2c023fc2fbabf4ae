"""An evaluation harness for large language models whose numbers can be trusted."""

__version__ = "0.1.0"
