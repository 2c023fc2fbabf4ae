"""`python -m benchmarks` runs every benchmark and rewrites benchmarks/results/."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HELPERS = {"__init__", "__main__", "process", "bare_loop", "made_run"}

for path in sorted(Path(__file__).parent.glob("*.py")):
    if path.stem not in HELPERS:
        print(f"== {path.stem}", file=sys.stderr)
        importlib.import_module(f"benchmarks.{path.stem}").main()
