"""docs/perturbations.md says what the code does."""

from __future__ import annotations

import dataclasses
import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from harness.identity import CounterRandom
from harness.perturb import BUILTIN
from harness.records import Choice, Sample, Shot

PAGE = Path(__file__).parents[2] / "docs" / "perturbations.md"
TABLE = [
    [cell.strip() for cell in line.strip("|\n ").split(" | ")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]
ROWS = {row[0].strip("`"): row[1:] for row in TABLE}


def load(name: str) -> Any:
    """Return the class behind a name."""
    module, _, attribute = BUILTIN[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def test_every_perturbation_has_its_row() -> None:
    """The table lists the built-in perturbations, in their order, and no others."""
    assert list(ROWS) == list(BUILTIN)
    assert len(TABLE) == len(ROWS)


@pytest.mark.parametrize("name", list(BUILTIN))
def test_row_states_the_facts(name: str) -> None:
    """What a row says of changes, group, languages, preset and version is what the class says."""
    kind = load(name)
    preset = ", ".join(f"{field.name} {field.default}" for field in dataclasses.fields(kind))
    assert ROWS[name][:5] == [
        kind.changes,
        kind.group,
        ", ".join(sorted(kind.languages)) or "any",
        preset or "–",
        str(kind.version),
    ]


@pytest.mark.parametrize("name", list(BUILTIN))
def test_example_is_real(name: str) -> None:
    """The example of a row is what the perturbation gives for some seed."""
    if name in {"traditional", "simplified"}:
        pytest.importorskip("opencc")
    before, _, after = ROWS[name][6].partition(" → ")
    language = "zh" if re.search("[一-鿿]", before) else "en"
    sample = Sample("t", "1", before, language=language)
    if name == "option_order":
        sample = Sample("t", "1", before, choices=(Choice("tea"), Choice("rice")))
    if name == "shot_order":
        sample = Sample("t", "1", "", shots=(Shot("1+1", "2"), Shot("2+2", "4")))
    variants = (load(name)()(sample, CounterRandom(seed)) for seed in range(1000))
    if name == "shot_order":
        shown = (", ".join(f"{s.input}={s.target}" for s in one.shots) for one in variants)
    else:
        shown = (one.input.replace("\n", " ") for one in variants)
    assert after in shown


def test_own_perturbation_of_the_page_works() -> None:
    """The code that the page shows runs and does what it says."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    space: dict[str, Any] = {"__name__": "page"}
    exec(compile(code[1], str(PAGE), "exec", dont_inherit=True), space)
    after = space["Shouting"]()(Sample("t", "1", "Who?"), CounterRandom(0))
    assert (after.input, after.variant) == ("Who?!!!", "shouting")
