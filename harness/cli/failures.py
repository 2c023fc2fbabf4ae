"""Why requests failed, and what to do: one line a kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from harness.cli.printable import printable

WIDEST = 300
"""Characters of a message that are shown."""

ADVICE = {
    "connection": "is a server running there, and does --base-url name it?",
    "timeout": "--timeout gives more seconds, --connections asks fewer at once",
    "rate_limit": "--connections or -M rpm=… ask less at once; the same command goes on later",
    "server": "the server's own log says more; the same command goes on later",
    "malformed": "what answers there speaks another language: check --base-url",
    "too_long": "fewer --shots, shorter answers (-G max_tokens=…), or a model of longer context",
    "content_filter": "the provider's filter refused; the samples are counted as errors",
    "unsupported": "the model cannot do what the task asks: harness ls models",
}
"""By kind of failure; a refusal's own message says what to change."""


def failure_lines(samples: Path) -> Iterator[str]:
    """Yield the commonest message of each kind of failure in a run's table, with advice."""
    from pyarrow.parquet import read_table

    errors = read_table(samples, columns=["error"])["error"].drop_null().to_pylist()
    by_kind: dict[str, Counter[str]] = {}
    for error in errors:
        kind, _, message = error.partition(": ")
        by_kind.setdefault(kind, Counter())[message] += 1
    for kind, messages in sorted(by_kind.items(), key=lambda item: -item[1].total()):
        message, _ = messages.most_common(1)[0]
        advice = f" ({ADVICE[kind]})" if kind in ADVICE else ""
        yield f"  {kind}: {printable(message, WIDEST)}{advice}"
