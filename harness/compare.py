"""Runs side by side: paired differences with intervals, for people rather than for CI.

The first run is the reference; tests are two-sided, and corrected by Holm over all tasks and
runs of one comparison. Each row has a verdict, so that every output says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from harness.errors import UsageError
from harness.gate.align import Aligned, Pairs, align, keys_of, rows_of
from harness.gate.decision import FLIPS, flips
from harness.gate.markdown import code
from harness.gate.policy import DEFAULT, Policy, TaskRule
from harness.gate.records import MARKS, WORDS, Decision, Flip, Place, RunScores
from harness.gate.say import interval, plain, signed
from harness.gate.verdicts import Planning, interval_of, is_01, one_sided
from harness.gating import load_scores, texts
from harness.judge.metric import BESIDE, NAME
from harness.judge.missing import Missing, missing
from harness.records import ScoreColumns
from harness.stats.clusters import Clusters
from harness.stats.multiplicity import holm
from harness.stats.paired import discordance, mcnemar
from harness.store.manifest import RUN, read_json

MARGIN = DEFAULT.margin
"""As a gate without a policy."""


class Row(Struct, frozen=True):
    """One task under two runs. `difference` is other - reference, turned so that more is better."""

    place: Place
    metric: str
    run: str
    n: int
    reference: float
    other: float
    difference: float
    low: float | None
    high: float | None
    confidence: float
    p_value: float
    """Two-sided, adjusted by Holm."""
    test: str
    detectable: float
    """The smallest difference that so many pairs show with 80 % power, uncorrected."""
    gained: int
    lost: int
    unpaired: int
    verdict: Decision
    """`decide` says how."""
    needed: int | None = None
    """Pairs that would settle an inconclusive row, if the difference seen is the true one."""


class Comparison(Struct, frozen=True):
    """Runs against the first of them."""

    reference: str
    reference_model: str
    others: tuple[tuple[str, str], ...]
    """Names and models of the other runs."""
    rows: tuple[Row, ...]
    flips: dict[str, tuple[Flip, ...]] = {}
    """Run → its flipped samples."""
    notes: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    """Where a judge gave no verdict on samples of either run; the notes say it in words."""
    margin: float = MARGIN
    confidence: float = 0.95


class Asked(NamedTuple):
    """What a comparison is asked."""

    metric: str | None = None
    """In place of each task's first."""
    confidence: float = 0.95
    margin: float = MARGIN
    """A loss smaller than this is not worse, in the metric's own unit."""
    allow_changed: bool = False


def decide(p_value: float, difference: float, low: float | None, asked: Asked) -> Decision:
    """Return what a row shows.

    Improved or regressed: beyond chance, corrected for all tests. Not worse: the whole interval is
    above minus the margin, even where a loss is certain. Inconclusive: none of these.
    """
    beyond = p_value <= 1 - asked.confidence
    if beyond and difference > 0:
        return "improved"
    if low is not None and low > -asked.margin:
        return "not_worse"
    return "regressed" if beyond and difference < 0 else "inconclusive"


class _Found(NamedTuple):
    run: str
    pairs: Pairs
    p_value: float
    test: str


def compare(runs: Sequence[Path], asked: Asked | None = None) -> Comparison:
    """Compare finished runs with the first; raises Incomparable where they asked differently."""
    asked = asked or Asked()
    if len(runs) < 2:  # noqa: PLR2004 - a comparison is of two
        raise UsageError("compare needs two runs or more")
    if not asked.margin >= 0:
        raise UsageError(f"--margin: allowed: 0 or more; got: {asked.margin}")
    reference = load_scores(runs[0])
    variants = tuple(dict.fromkeys(["original", *map(str, reference.columns.variant)]))
    own = {"*": TaskRule(metric=asked.metric)} if asked.metric else {}
    policy = Policy(alpha=(1 - asked.confidence) / 2, variants=variants, tasks=own)
    found: list[_Found] = []
    notes: list[str] = []
    others, flipped = [], {}
    lost: list[Missing] = []
    for path in runs[1:]:
        other = load_scores(path)
        aligned = align(other, reference, policy, allow_changed=asked.allow_changed)
        others.append((other.name, other.model))
        notes += _notes(other.name, aligned)
        lost += _missing(other, reference, aligned)
        notes += _other_judge(path, runs[0], aligned)
        found += [_Found(other.name, item, *_two_sided(item)) for item in aligned.pairs]
        flipped[other.name] = _flips(path, runs[0], aligned)
    adjusted = holm([item.p_value for item in found])
    rows = [_row(item, float(p), asked) for item, p in zip(found, adjusted, strict=True)]
    notes += map(str, lost)
    return Comparison(
        reference.name,
        reference.model,
        tuple(others),
        tuple(rows),
        flipped,
        tuple(notes),
        tuple(lost),
        asked.margin,
        asked.confidence,
    )


def _notes(run: str, aligned: Aligned) -> Iterator[str]:
    yield from (f"{run}: {note}" for note in aligned.notes)
    yield from (f"{run}: {place.label}: {reason}" for place, reason in aligned.missing)


def _missing(other: RunScores, reference: RunScores, aligned: Aligned) -> Iterator[Missing]:
    """Yield what a judge left out of either run, with a test of whether it is unequal."""
    for item in aligned.pairs:
        place = (item.place.task, item.place.arm, item.place.variant)
        sides = (_statuses(run.columns, item) for run in (other, reference))
        found = missing(place, other.name, *sides)
        if found is not None:
            yield found


def _statuses(columns: ScoreColumns, item: Pairs) -> dict[object, str]:
    """Return the status of each sample; under a judge's metric, that of its own verdict."""
    rows = rows_of(columns, item.place)
    status = columns.status[rows]
    if item.metric in (NAME, *BESIDE):
        blank = np.isnan(columns.values[item.metric][rows])
        status = np.where(blank & (status == "ok"), "unjudged", status)
    return dict(zip(keys_of(columns, rows), map(str, status), strict=True))


def _other_judge(other: Path, reference: Path, aligned: Aligned) -> Iterator[str]:
    """Yield a note where a metric was judged beside the others by another judge in each run."""
    for metric in dict.fromkeys(item.metric for item in aligned.pairs if item.metric in BESIDE):
        hashes = {
            judge["hash"]
            for path in (other, reference)
            for judge in (read_json(path / RUN).get("judges") or {}).values()
            if judge.get("metric") == metric
        }
        if len(hashes) > 1:
            yield f"{other.name}: {metric}: the two runs had different judges; do not compare it"


def _flips(other: Path, reference: Path, aligned: Aligned) -> tuple[Flip, ...]:
    found = flips(aligned.pairs, FLIPS)
    wanted = {(flip.place, flip.sample_id, flip.epoch) for flip in found}
    now, before = texts(other, wanted), texts(reference, wanted)
    out = []
    for flip in found:
        key = (flip.place, flip.sample_id, flip.epoch)
        mine, theirs = now.get(key), before.get(key)
        seen = mine or theirs
        out.append(
            replace(
                flip,
                input=seen.input if seen else "",
                target=seen.target if seen else (),
                got=mine.got if mine else "",
                was=theirs.got if theirs else "",
            )
        )
    return tuple(out)


def _two_sided(pairs: Pairs) -> tuple[float, str]:
    """Return p of "no difference" and the test's name."""
    groups = Clusters.of(pairs.cluster, len(pairs.candidate))
    if is_01(pairs) and not groups.repeated:
        counts = discordance(np.abs(pairs.candidate), np.abs(pairs.baseline))
        return mcnemar(counts), "mcnemar"
    tests = one_sided(pairs)
    return min(1.0, 2 * min(tests.regressed, tests.improved)), tests.name


def _row(found: _Found, p_value: float, asked: Asked) -> Row:
    pairs = found.pairs
    change = pairs.differences
    sign, value = (1.0 if pairs.higher_is_better else -1.0), float(change.mean())
    bounds = interval_of(pairs, asked.confidence)
    verdict = decide(p_value, value, bounds.low, asked)
    planning = Planning.of(pairs, (1 - asked.confidence) / 2)
    return Row(
        place=pairs.place,
        metric=pairs.metric,
        run=found.run,
        n=len(change),
        reference=sign * float(pairs.baseline.mean()) + 0.0,
        other=sign * float(pairs.candidate.mean()) + 0.0,
        difference=value,
        low=bounds.low,
        high=bounds.high,
        confidence=asked.confidence,
        p_value=p_value,
        test=found.test,
        detectable=planning.detectable,
        gained=int((change > 0).sum()),
        lost=int((change < 0).sum()),
        unpaired=pairs.unpaired,
        verdict=verdict,
        needed=planning.needed(value, asked.margin) if verdict == "inconclusive" else None,
    )


def sees(row: Row) -> str:
    """Say what a row's pairs can show, and how many would settle it."""
    said = f"sees {100 * row.detectable:.1f} or more"
    if row.verdict == "inconclusive":
        said += "; no n would decide" if row.needed is None else f"; needs n ≈ {row.needed:,}"
    return said + (f"; {row.unpaired} unpaired" if row.unpaired else "")


def _heads(confidence: float) -> str:
    heads = ("", "task", "metric", "run", "reference", "run's", "Δ points")
    more = (f"{100 * confidence:g} % interval", "p (Holm)", "flipped", "n", "")
    return f"| {' | '.join((*heads, *more))} |"


def _markdown_row(row: Row) -> str:
    return (
        f"| {MARKS[row.verdict]} {WORDS[row.verdict]} | {code(row.place.label)} "
        f"| {code(row.metric)} | {code(row.run)} | {plain(row.reference)} | {plain(row.other)} "
        f"| {signed(row.difference)} | {interval(row.low, row.high)} | {row.p_value:.2g} "
        f"| +{row.gained} -{row.lost} | {row.n:,} | {sees(row)} |"
    )


def as_markdown(found: Comparison) -> str:
    """Return the comparison as a Markdown table with its flipped samples."""
    lines = [
        f"### {code(found.reference_model)} ({code(found.reference)}) against "
        + ", ".join(f"{code(model)} ({code(run)})" for run, model in found.others),
        "",
        _heads(found.confidence),
        "|---|---|---|---|---:|---:|---:|---:|---:|---:|---:|---|",
        *map(_markdown_row, found.rows),
        "",
        f"Not worse: a loss of {100 * found.margin:g} points or more is excluded.",
    ]
    for run, flipped in found.flips.items():
        lines += ["", f"Flipped in {code(run)}:", ""]
        lines += [
            f"- {'▼' if flip.lost else '▲'} {code(flip.place.label)} {code(flip.input)}: "
            f"{code(flip.was)} → {code(flip.got)}, expected {code(' / '.join(flip.target))}"
            for flip in flipped[:10]
        ]
    lines += ["", *(f"- {code(note, 300)}" for note in found.notes[:20])]
    return "\n".join(lines).rstrip() + "\n"
