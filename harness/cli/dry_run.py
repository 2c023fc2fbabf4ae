"""What `harness run --dry-run` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.preview import Figures, Preview, Range


def lines(found: Preview) -> Iterator[str]:
    """Yield a preview as text: tasks, the total, what it costs, and the rules behind it."""
    for one in found.tasks:
        yield f"{one.task}: {one.samples:,} samples, {_said(one.model)} (out: {one.answers})"
        if one.judges is not None:
            yield f"  judged: up to {_said(one.judges)}"
    if len(found.tasks) > 1:
        yield f"total: {found.samples:,} samples, {_said(found.model)}"
        if found.judges is not None:
            yield f"  judged: up to {_said(found.judges)}"
    cost = found.cost_usd
    yield (
        "cost: unknown (no price)"
        if cost is None
        else (f"cost: ${cost.low:,.4f} … ${cost.expected:,.4f} expected … ${cost.high:,.4f}")
    )
    yield "low … expected … high:"
    yield from (f"  {rule}" for rule in found.rules)


def _said(figures: Figures) -> str:
    cost = "" if figures.cost_usd is None else f", ${figures.cost_usd.expected:,.4f}"
    return (
        f"{figures.requests:,} requests, {figures.stored:,} of them stored; tokens in "
        f"{_range(figures.prompt_tokens)}, out {_range(figures.completion_tokens)}{cost}"
    )


def _range(tokens: Range) -> str:
    return f"{tokens.low:,.0f} … {tokens.expected:,.0f} … {tokens.high:,.0f}"
