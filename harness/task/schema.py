"""JSON Schema of a task file, for editors."""

from __future__ import annotations

from typing import Any

import msgspec

from harness.task.spec import TaskFile


def task_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a task file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Task of the harness",
        **msgspec.json.schema(TaskFile),
    }
