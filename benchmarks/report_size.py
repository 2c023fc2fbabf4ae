"""What a report weighs and how fast it is: writing, bytes on disk, first paint, search.

`python -m benchmarks.report_size [repeats]` makes run directories (`made_run.py`), renders them
with `harness report`, opens the pages from disk in chromium, and writes results/report_size.md.
Text is what people and models said; what it takes by itself is measured by `xz -9e` over all of
it, and everything else on disk is what the report adds. Without a browser that part is left out.
"""

from __future__ import annotations

import lzma
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.made_run import make_run
from benchmarks.process import Cost, measure, medians

SIZES = {"one file": (1, 10_000), "folder": (1, 100_000), "folder of ten models": (10, 10_000)}
"""Runs, and samples of each."""
LIMITS = (20.0, 500.0, 300.0, 1.0, 2.0)
"""Seconds to write, MB of memory, bytes a sample beyond text, seconds to paint, to search."""
QUERIES = ("no such words", "carry", "Step 3: ")
"""Found nowhere, in every third sample's explanation, in the long answers."""
TEXTS = ("input", "output", "answer", "reasoning", "error")
SEARCH = """async (query) => {
  const samples = document.querySelector("#samples"), field = document.querySelector("#search");
  const began = performance.now();
  await new Promise((done) => {
    let started = false;
    new MutationObserver((_, self) => {
      if ("searching" in samples.dataset) started = true;
      else if (started) { self.disconnect(); done(); }
    }).observe(samples, { attributes: true });
    field.value = query;
    field.dispatchEvent(new Event("input"));
  });
  return performance.now() - began;
}"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


class Seen(NamedTuple):
    """Milliseconds in a browser."""

    paint: float
    run: float
    """From the board to the list of all samples."""
    search: tuple[float, ...]


class Measured(NamedTuple):
    """One report."""

    samples: int
    cost: Cost
    disk: int
    text: int
    raw: int
    seen: Seen | None


def main(repeats: int = 3) -> None:
    """Measure, print and write."""
    found: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as name:
        for label, (models, samples) in SIZES.items():
            folder = Path(name) / label.replace(" ", "-")
            runs = [
                make_run(folder / f"2026010{place}T000000Z-made", samples, model=f"made/{place}")
                for place in range(models)
            ]
            found[label] = one(runs, folder / "pages", models * samples, repeats)
            shutil.rmtree(folder)
    text = "\n".join(table(found, repeats))
    print(text)
    target = Path(__file__).parent / "results" / "report_size.md"
    target.write_text(f"# Size and speed of a report\n\n{text}\n", encoding="utf-8")


def one(runs: list[Path], out: Path, samples: int, repeats: int) -> Measured:
    """Write a report `repeats` times, weigh it, and open it."""
    command = [sys.executable, "-m", "harness", "report", *map(str, runs), "-o", str(out)]
    costs = [measure(command, out.parent) for _ in range(repeats)]
    disk = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    raw, text = _text(runs)
    return Measured(samples, medians(costs), disk, text, raw, opened(out / "index.html", repeats))


def _text(runs: list[Path]) -> tuple[int, int]:
    """Return the bytes of all texts of some runs, as they are and at their smallest."""
    squeezer = lzma.LZMACompressor(preset=9 | lzma.PRESET_EXTREME)
    raw = packed = 0
    for run in runs:
        for piece in _pieces(run):
            raw += len(piece)
            packed += len(squeezer.compress(piece))
    return raw, packed + len(squeezer.flush())


def _pieces(run: Path) -> Iterator[bytes]:
    """Yield the texts of a run; an answer that stands in the output as it is counts once."""
    from harness.store.reading import read_rows

    for row in read_rows(run, (*TEXTS, "target")):
        said = [row[name] for name in TEXTS if row[name]]
        if row["answer"] and row["answer"] in (row["output"] or ""):
            said.remove(row["answer"])
        yield "\n".join([*said, *(row["target"] or ()), ""]).encode()


def opened(index: Path, repeats: int) -> Seen | None:
    """Open a report in fresh profiles and return medians; None where there is no browser."""
    program = os.environ.get("HARNESS_CHROMIUM") or shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if program is None:
        return None
    with sync_playwright() as play:
        options = ["--no-sandbox", "--disable-gpu"]
        browser = play.chromium.launch(executable_path=program, args=options)
        seen = [_look(browser, index) for _ in range(repeats)]
        browser.close()
    return Seen(
        median(one.paint for one in seen),
        median(one.run for one in seen),
        tuple(map(median, zip(*(one.search for one in seen), strict=True))),
    )


def _look(browser: Any, index: Path) -> Seen:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(index.as_uri())
    page.locator("html[data-settled]").wait_for(state="attached")
    paint = page.evaluate(PAINT)
    began = page.evaluate("(location.hash = '#view=run', performance.now())")
    page.locator('html[data-settled="#view=run"]').wait_for(state="attached")
    opened_at = page.evaluate("performance.now()")
    search = tuple(page.evaluate(SEARCH, query) for query in QUERIES)
    page.close()
    return Seen(paint, opened_at - began, search)


def table(found: Mapping[str, Measured], repeats: int) -> list[str]:
    """Return the figures as Markdown."""
    seconds, memory, added, paint, search = LIMITS
    lines = [
        (
            f"Medians of {repeats}; whole processes of `harness report`, pages opened from disk. "
            "Made samples: 4 of 10 sums, 4 short questions, 2 worked word problems. "
            "*Beyond text* is what lies on disk less what `xz -9e` makes of all texts together."
        ),
        "",
        "| | limit | " + " | ".join(found) + " |",
        "|---|---|" + "---|" * len(found),
    ]
    rows: list[tuple[str, str, Any]] = [
        ("samples", "", lambda one: f"{one.samples:,}"),
        ("write, CPU s", "", lambda one: f"{one.cost.cpu_s:.1f}"),
        ("write, wall s", f"{seconds:.0f}", lambda one: f"{one.cost.wall_s:.1f}"),
        ("peak memory, MB", f"{memory:.0f}", lambda one: f"{one.cost.peak_mib * 1.048576:.0f}"),
        ("on disk, MB", "", lambda one: f"{one.disk / 1e6:.1f}"),
        ("text of a sample, bytes", "", lambda one: f"{one.raw / one.samples:.0f}"),
        ("the same at its smallest", "", lambda one: f"{one.text / one.samples:.0f}"),
        (
            "beyond text, bytes a sample",
            f"{added:.0f}",
            lambda one: f"{(one.disk - one.text) / one.samples:.0f}",
        ),
        ("first paint, s", f"{paint:.0f}", lambda one: _s(one, lambda seen: seen.paint)),
        ("list of all samples, s", "", lambda one: _s(one, lambda seen: seen.run)),
    ]
    rows += [
        (
            f'search "{query.strip()}", s',
            f"{search:.0f}",
            lambda one, place=place: _s(one, lambda seen: seen.search[place]),
        )
        for place, query in enumerate(QUERIES)
    ]
    lines += [
        f"| {name} | {limit} | " + " | ".join(show(one) for one in found.values()) + " |"
        for name, limit, show in rows
    ]
    return lines


def _s(one: Measured, pick: Any) -> str:
    return "" if one.seen is None else f"{pick(one.seen) / 1000:.2f}"


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]))
