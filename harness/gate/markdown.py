"""The gate as Markdown, for a step summary or a comment that is kept up to date.

What models and data sets wrote is shown as code, every mark of it escaped: it cannot mention
people, link anywhere or break out of its cell.
"""

from __future__ import annotations

import re
import unicodedata

from harness.gate.records import MARKS, Flip, GateReport, TaskVerdict
from harness.gate.say import check_sentence, detail, headline, interval, plain, signed, spent

MARKER = "<!-- harness gate -->"
"""Hidden first line by which a later run finds its own comment."""
FLIPS_SHOWN = 10
TEXT_SHOWN = 80
"""Characters of a prompt or an answer."""
MAX_BYTES = 60_000
"""Comments end at 65,536 characters."""
_PLAIN = re.compile(r"[\w .,;]", re.ASCII)


def code(text: str, width: int = TEXT_SHOWN) -> str:
    """Return text from a stranger as inline code that means nothing but itself.

    >>> code("<b> @you | `x`")
    '<code>&#60;b&#62; &#64;you &#124; &#96;x&#96;</code>'
    """
    line = " ".join(text.split())
    line = line if len(line) <= width else line[: width - 1] + "…"
    return f"<code>{''.join(_escaped(char) for char in line)}</code>" if line else ""


def _escaped(char: str) -> str:
    if unicodedata.category(char)[0] == "C":
        return "\N{REPLACEMENT CHARACTER}"
    # "_" is a word character to re, and emphasis to Markdown
    if (char.isascii() and not _PLAIN.match(char)) or char == "_":
        return f"&#{ord(char)};"
    return char


def broken_markdown(reason: str, link: str | None = None) -> str:
    """Return what stands in a comment where no gate could be made: never the last one's verdict."""
    line = code(reason, 2000) + (f" · [report]({link})" if link else "")
    return f"{MARKER}\n### ✗ Gate without a verdict\n\n{line}\n"


def markdown(report: GateReport, link: str | None = None) -> str:
    """Return the gate as Markdown: one line, a table, the flipped samples, the cost."""
    parts = [
        MARKER,
        f"### {MARKS.get(_mark(report), '?')} {headline(report)}",
        "",
        f"{code(report.candidate_model)} against {code(report.baseline_model)}"
        f" · {spent(report)}" + (f" · [report]({link})" if link else ""),
        "",
        *_tasks(report),
        *_checks(report),
        *_flips(report.flips),
        *_notes(report),
    ]
    text = "\n".join(parts).rstrip() + "\n"
    return text if len(text.encode()) <= MAX_BYTES else _cut(text)


def _mark(report: GateReport) -> str:
    return {
        "passed": "met",
        "regressed": "missed",
        "failed": "missed",
        "inconclusive": "inconclusive",
    }[report.verdict]


def _cut(text: str) -> str:
    """Keep whole lines, as many as a comment holds."""
    kept, size = [], 0
    for line in text.splitlines():
        size += len(line.encode()) + 1
        if size > MAX_BYTES - 100:
            break
        kept.append(line)
    return "\n".join([*kept, "", "Cut here: the rest is in the report."]) + "\n"


def _tasks(report: GateReport) -> list[str]:
    if not report.tasks:
        return []
    shown = {task.confidence for task in report.tasks if task.n}
    percent = f"{100 * max(shown):.0f} % " if shown else ""
    rows = [_row(task) for task in report.tasks]
    return [
        f"| | task | metric | baseline | candidate | Δ points | {percent}interval | n | |",
        "|---|---|---|---:|---:|---:|---:|---:|---|",
        *rows,
        "",
    ]


def _row(task: TaskVerdict) -> str:
    flips = f"+{task.gained} -{task.lost}; " if task.n else ""
    cells = (
        MARKS[task.verdict],
        f"{code(task.place.label)} {task.verdict.replace('_', ' ')}",
        code(task.metric),
        plain(task.baseline),
        plain(task.candidate),
        signed(task.difference),
        interval(task.low, task.high),
        f"{task.n:,}",
        flips + detail(task).replace("|", "&#124;"),
    )
    return "| " + " | ".join(cells) + " |"


def _checks(report: GateReport) -> list[str]:
    lines = [
        f"- {MARKS[check.verdict]} {code(check_sentence(check), 300)}" for check in report.checks
    ]
    return [*lines, ""] if lines else []


def _flips(flips: tuple[Flip, ...]) -> list[str]:
    if not flips:
        return []
    lost, gained = ([f for f in flips if f.lost is side] for side in (True, False))
    half = FLIPS_SHOWN // 2
    chosen = [*lost[: FLIPS_SHOWN - min(half, len(gained))], *gained[:half]][:FLIPS_SHOWN]
    lines = [
        f"| {'▼' if flip.lost else '▲'} | {code(flip.place.label)} | {code(flip.sample_id)} "
        f"| {code(flip.input)} | {code(' / '.join(flip.target))} | {code(flip.was)} "
        f"| {code(flip.got)} |"
        for flip in chosen
    ]
    return [
        f"<details><summary>Flipped samples ({len(chosen)} shown)</summary>",
        "",
        "| | task | sample | asked | expected | was | is |",
        "|---|---|---|---|---|---|---|",
        *lines,
        "",
        "</details>",
        "",
    ]


def _notes(report: GateReport) -> list[str]:
    return [f"- {code(note, 300)}" for note in report.notes[:20]]
