"""What the tests of tasks/public share: load a task with rows of a file, ask it, score a reply."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.backend.scripted import open_scripted
from harness.interact.ask import Asker, sample_tag
from harness.prepare import Prepared, prepare
from harness.records import (
    ModelSpec,
    Outcome,
    Request,
    Response,
    RunSpec,
    Sample,
    Score,
    Transcript,
)
from harness.task.catalogue import Catalogue, Selected
from harness.task.spec import TaskSpec

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ROOT / "tasks" / "public"
PAGE = (ROOT / "docs" / "public_data.md").read_text(encoding="utf-8")
TASKS = {item.name: (item, spec) for item, spec in Catalogue([ROOT / "tasks"]).load_all()
         if item.name.startswith("public/")}  # fmt: skip
NAMES = sorted(name.removeprefix("public/") for name in TASKS)
CHOOSE = [name for name in NAMES if name.endswith("-choose")]
OWN_ROWS = [name for name in NAMES if name != "gsm8k-5shot"]
"""Tasks that a file alone is enough for."""


def spec_of(name: str) -> TaskSpec:
    """One task file, loaded."""
    return TASKS[f"public/{name}"][1]


def written(folder: Path, rows: Any, name: str = "rows.jsonl") -> Path:
    """Write rows as JSONL."""
    path = folder / name
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def prepared(name: str, file: Path, **more: Any) -> Prepared:
    """One task with the rows of a file, as `-D file=` gives them."""
    run = RunSpec(
        tasks=(f"public/{name}",), model=ModelSpec("scripted", "oracle"),
        data={"file": str(file)}, **more,
    )  # fmt: skip
    item: Selected = TASKS[f"public/{name}"][0]
    ready, _ = prepare([item], run, open_scripted("oracle", {}, {}.__getitem__))
    return ready[0]


def samples_of(task: Prepared) -> list[Sample]:
    """The samples in the order of the rows."""
    return [task.arms[0].renderer.sample(row) for row in range(len(task.rows.rows))]


def first_requests(task: Prepared, sample: Sample, *, chat: bool = False) -> tuple[Request, ...]:
    """What is asked first."""
    with contextlib.closing(task.arms[0].interaction(sample, Asker(chat=chat))) as conversation:
        asked = next(conversation)
    return (asked,) if isinstance(asked, Request) else asked


def scores_of(task: Prepared, model: str) -> list[Score]:
    """Ask a scripted model every sample and score what it says."""
    samples = samples_of(task)
    plan = {sample_tag(sample): sample for sample in samples}
    backend = open_scripted(model, {}, plan.__getitem__)
    return [score_one(task, sample, backend) for sample in samples]


def score_one(task: Prepared, sample: Sample, backend: Any) -> Score:
    """Carry one conversation to its end."""
    conversation = task.arms[0].interaction(sample, Asker(chat=True, tagged=True))
    asked = next(conversation)
    while True:
        requests = [asked] if isinstance(asked, Request) else list(asked)
        replies = asyncio.run(backend.answer(requests))
        try:
            asked = conversation.send(replies[0] if isinstance(asked, Request) else tuple(replies))
        except StopIteration as end:
            return task.arms[0].scorer(Outcome(sample, (), transcript=end.value))


def said(task: Prepared, sample: Sample, text: str) -> Score:
    """Score a text as the reply."""
    return task.arms[0].scorer(Outcome(sample, (), Transcript((Response(text=text),))))


def primary(task: Prepared, scores: list[Score]) -> list[float]:
    """The first metric's values."""
    return [score.values[task.metrics[0].name] for score in scores]


def snippet(number: int) -> str:
    """The program that the page gives under a number."""
    found = re.search(rf"\*\*{number}\. .*?```python\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def converted(number: int, text: str, *arguments: str) -> list[dict[str, Any]]:
    """Run a program of the page."""
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", snippet(number), *arguments],
        input=text, capture_output=True, text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]
