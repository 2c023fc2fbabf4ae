"""The worked example of docs/backends.md is a backend that runs."""

from __future__ import annotations

import asyncio
import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

from harness import plugins
from harness.opening import open_backend
from harness.protocols import Backend
from harness.records import Execution, Message, ModelSpec, Request, Response

PAGE = Path(__file__).parents[2] / "docs" / "backends.md"


def block(kind: str) -> str:
    """Return the page's first block of a language."""
    found = re.search(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_the_example_answers_as_a_plug_in(tmp_path, monkeypatch):
    """Named by an entry point, it is found, opened, and says the question backwards."""
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "reversed.py").write_text(block("python"))
    monkeypatch.syspath_prepend(tmp_path)
    name, target = re.search(r'(\w+) = "(.*?)"', block("toml")).groups()
    entry = EntryPoint(name, target, "harness.backend")
    monkeypatch.setattr(plugins, "entry_points", lambda **_: (entry,))
    backend = open_backend(ModelSpec("reversed", "any"), Execution(), {})
    assert isinstance(backend, Backend)
    asked = [Request(messages=(Message("user", "abc"),)), Request(kind="rolling")]
    answered, refused = asyncio.run(backend.answer(asked))
    assert isinstance(answered, Response)
    assert answered.text == "cba"
    assert refused.kind == "unsupported"
    sys.modules.pop("my_package.reversed")


def test_every_backend_of_the_harness_stands_in_the_table():
    """A provider that ships is documented."""
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in plugins.BUILTIN["backend"] if f"| `{name}` |" not in text] == []
