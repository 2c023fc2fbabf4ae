"""Which arithmetic items no training text may hold.

The items of the core tasks arithmetic/* at their own data seed, in both operand orders, for cells
of two digits and more. (There are too few one-digit items to keep any back.)
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from harness.identity import content_key
from harness.synth.arithmetic import Arithmetic

HELD_OUT_TAG = "core"
TASKS = Path(__file__).parent.parent / "tasks" / "arithmetic"
HELD_OUT_FROM = 2
"""Digits from which a cell is held out."""


def item_key(a: int, operator: str, b: int) -> str:
    """Return the content hash of an item."""
    return content_key([a, operator, b])


def held_out_tasks(tasks: Path = TASKS) -> list[dict[str, Any]]:
    """Return the definitions of the tasks whose items are held out."""
    found = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(tasks.glob("*.yaml"))
    ]
    return [task for task in found if HELD_OUT_TAG in task.get("tags", ())]


def held_out(tasks: Path = TASKS) -> frozenset[str]:
    """Return the keys of all held-out items, made from the task definitions."""
    keys: set[str] = set()
    for task in held_out_tasks(tasks):
        data = task["data"]
        for row in Arithmetic()(data["args"], data["seed"]):
            if row["digits"] >= HELD_OUT_FROM:
                keys.update(both_orders(row["a"], row["operator"], row["b"]))
    return frozenset(keys)


def both_orders(a: int, operator: str, b: int) -> Iterable[str]:
    """Return the keys of an item as it stands and with its operands swapped."""
    return item_key(a, operator, b), item_key(b, operator, a)
