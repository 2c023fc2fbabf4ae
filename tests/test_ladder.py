"""The ladder of imports: stages import the core, never each other (ARCHITECTURE.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "harness"

CORE = {
    "", "errors", "records", "identity", "protocols", "text", "sandbox", "template", "yamlfile",
    "plugins", "stats", "known_models", "billing",
}  # fmt: skip
STAGES = {
    "config", "task", "synth", "perturb", "interact", "backend", "run", "store", "score",
    "summary", "report", "board", "gate", "judge", "provenance",
}  # fmt: skip
COMPOSITION = {
    "pipeline", "batching", "batch_jobs", "prepare",
    "preview", "pricing", "opening", "rescore", "judging", "hearing", "auditing", "calibrating",
    "judged", "correcting", "differences", "arena", "frontiers", "gating", "baseline", "compare",
    "flakiness", "planning",
}  # fmt: skip
TOP = {"cli", "pytest_plugin"}
CORE_ORDER = {
    "": set(),
    "errors": set(),
    "records": {"errors"},
    "identity": {"records"},
    "protocols": {"records", "identity"},
    "text": {"errors", "records", "protocols"},
    "sandbox": {"errors"},
    "template": {"errors", "sandbox"},
    "yamlfile": {"errors"},
    "plugins": {"errors", "protocols"},
    "known_models": {"errors", "records", "yamlfile"},
    "billing": {"records"},
    "stats": set(),
}


def area(module: str) -> str:
    """Return the part of the ladder that `harness.x.y` stands on: x."""
    return module.split(".")[1] if "." in module else ""


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and module of every import of ours in a file, late ones too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.lineno, node.module or ""
            if node.module == "harness":
                yield from ((node.lineno, f"harness.{alias.name}") for alias in node.names)


def allowed(source: str) -> set[str]:
    """Return the areas that a module of `source` may import."""
    if source in CORE:
        return CORE_ORDER[source] | {source, ""}
    if source in STAGES:
        return CORE | {source}
    if source in COMPOSITION:
        return CORE | STAGES | COMPOSITION
    return CORE | STAGES | COMPOSITION | TOP


def steps_up(root: Path) -> list[str]:
    """Return a line for every import under `root` that goes up or sideways."""
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        source = "" if parts == ("__init__",) else parts[0]
        for line, module in imports(path):
            if module.split(".")[0] != "harness":
                continue
            target = area(module)
            known = CORE | STAGES | COMPOSITION | TOP
            if target in known and target not in allowed(source):
                found.append(f"{'/'.join(parts)}.py:{line}: {source} imports {target}")
    return found


def test_every_module_has_a_place_on_the_ladder():
    """No file of the package stands outside the areas that ARCHITECTURE.md names."""
    found = {
        path.stem if path.suffix == ".py" else path.name
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert found - {"__init__", "__main__"} <= CORE | STAGES | COMPOSITION | TOP


def test_nothing_imports_up_or_sideways():
    """Core imports core below it, stages import the core, and only the pipeline joins stages."""
    assert steps_up(PACKAGE) == []


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("score/bad.py", "from harness.store.table import SCHEMA"),
        ("records.py", "import harness.identity"),
        ("task/bad.py", "def late():\n    from harness.pipeline import run"),
    ],
)
def test_a_step_up_is_found(tmp_path, place, line):
    """The check can fail: a late import of another stage is reported with file and line."""
    bad = tmp_path / place
    bad.parent.mkdir(exist_ok=True)
    bad.write_text(line)
    assert len(steps_up(tmp_path)) == 1
