"""Runs side by side: paired differences with intervals, for reading rather than for a verdict.

The first run is the reference; tests are two-sided, and corrected by Holm over all tasks and
runs of one comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from harness.errors import UsageError
from harness.gate.align import Aligned, Pairs, align
from harness.gate.decision import FLIPS, flips
from harness.gate.markdown import code
from harness.gate.policy import Policy, TaskRule
from harness.gate.records import Flip, Place
from harness.gate.say import interval, plain, signed
from harness.gate.verdicts import Planning, interval_of, is_01, one_sided
from harness.gating import load_scores, texts
from harness.identity import content_key
from harness.records import Cell
from harness.stats.clusters import Clusters
from harness.stats.multiplicity import holm
from harness.stats.paired import discordance, mcnemar
from harness.stats.power import Error
from harness.store.manifest import RUN, read_json
from harness.store.reading import read_rows


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

    @property
    def differs(self) -> bool:
        """Whether the difference is beyond chance, corrected for all tests shown."""
        return self.p_value <= 1 - self.confidence


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


class _Found(NamedTuple):
    run: str
    pairs: Pairs
    p_value: float
    test: str


def compare(
    runs: Sequence[Path],
    *,
    metric: str | None = None,
    confidence: float = 0.95,
    allow_changed: bool = False,
) -> Comparison:
    """Compare finished runs with the first; raises Incomparable where they asked differently."""
    if len(runs) < 2:  # noqa: PLR2004 - a comparison is of two
        raise UsageError("compare needs two runs or more")
    reference = load_scores(runs[0])
    variants = tuple(dict.fromkeys(["original", *map(str, reference.columns.variant)]))
    own = {"*": TaskRule(metric=metric)} if metric else {}
    policy = Policy(alpha=(1 - confidence) / 2, variants=variants, tasks=own)
    found: list[_Found] = []
    notes: list[str] = []
    others, flipped = [], {}
    for path in runs[1:]:
        other = load_scores(path)
        aligned = align(other, reference, policy, allow_changed=allow_changed)
        others.append((other.name, other.model))
        notes += _notes(other.name, aligned)
        found += [_Found(other.name, item, *_two_sided(item)) for item in aligned.pairs]
        flipped[other.name] = _flips(path, runs[0], aligned)
    adjusted = holm([item.p_value for item in found])
    rows = [_row(item, float(p), confidence) for item, p in zip(found, adjusted, strict=True)]
    return Comparison(
        reference.name, reference.model, tuple(others), tuple(rows), flipped, tuple(notes)
    )


def _notes(run: str, aligned: Aligned) -> Iterator[str]:
    yield from (f"{run}: {note}" for note in aligned.notes)
    yield from (f"{run}: {place.label}: {reason}" for place, reason in aligned.missing)


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


def _row(found: _Found, p_value: float, confidence: float) -> Row:
    pairs = found.pairs
    change = pairs.differences
    sign = 1.0 if pairs.higher_is_better else -1.0
    bounds = interval_of(pairs, confidence)
    return Row(
        place=pairs.place,
        metric=pairs.metric,
        run=found.run,
        n=len(change),
        reference=sign * float(pairs.baseline.mean()) + 0.0,
        other=sign * float(pairs.candidate.mean()) + 0.0,
        difference=float(change.mean()),
        low=bounds.low,
        high=bounds.high,
        confidence=confidence,
        p_value=p_value,
        test=found.test,
        detectable=Planning.of(pairs, (1 - confidence) / 2).detectable,
        gained=int((change > 0).sum()),
        lost=int((change < 0).sum()),
        unpaired=pairs.unpaired,
    )


def as_markdown(found: Comparison) -> str:
    """Return the comparison as a Markdown table with its flipped samples."""
    lines = [
        f"### {code(found.reference_model)} ({code(found.reference)}) against "
        + ", ".join(f"{code(model)} ({code(run)})" for run, model in found.others),
        "",
        "| | task | metric | run | reference | run's | Δ points | interval | p (Holm) | n |",
        "|---|---|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in found.rows:
        mark = "≈" if not row.differs else "▲" if row.difference > 0 else "▼"
        lines.append(
            f"| {mark} | {code(row.place.label)} | {code(row.metric)} | {code(row.run)} "
            f"| {plain(row.reference)} | {plain(row.other)} | {signed(row.difference)} "
            f"| {interval(row.low, row.high)} | {row.p_value:.2g} | {row.n:,} |"
        )
    for run, flipped in found.flips.items():
        lines += ["", f"Flipped in {code(run)}:", ""]
        lines += [
            f"- {'▼' if flip.lost else '▲'} {code(flip.place.label)} {code(flip.input)}: "
            f"{code(flip.was)} → {code(flip.got)}, expected {code(' / '.join(flip.target))}"
            for flip in flipped[:10]
        ]
    lines += ["", *(f"- {code(note, 300)}" for note in found.notes[:20])]
    return "\n".join(lines).rstrip() + "\n"


# ---- how many samples -----------------------------------------------------------------------

ASSUMED_CORRELATION = 0.5
"""Between two models' 0/1 scores of one item, where no second run tells it: the median over pairs
of models on a public board was .47 to .51."""


class Need(Struct, frozen=True):
    """How many samples of a task show an effect."""

    place: Place
    metric: str
    n: int
    """Samples of the pilot run."""
    value: float
    spread: float
    """Mean squared difference of one pair, with the design effect of clusters."""
    measured: bool
    """Whether a second run told the spread; else it is assumed."""
    needed: int
    detectable: float


def needs(
    pilot: Path, effect: float, *, against: Path | None = None, error: Error | None = None
) -> list[Need]:
    """Return, for each task of a pilot run, the samples that show a difference of `effect`.

    n = F·(m - δ²)/δ² (`stats.power`), m the mean squared difference of a pair: measured against a
    second run, else 2·Var(s)·(1 - ρ) with ρ = 0.5. Both are multiplied by the design effect.
    """
    if effect <= 0:
        raise UsageError(f"--effect: allowed: more than 0; got: {effect}")
    error = error or Error()
    scores = load_scores(pilot)
    partner = scores if against is None else load_scores(against)
    aligned = align(scores, partner, Policy(), allow_changed=True)
    out = []
    for item in aligned.pairs:
        planning = Planning.of(item, error.alpha)._replace(factor=error.factor)
        if against is None:
            spread = 2 * (1 - ASSUMED_CORRELATION) * _clustered_variance(item)
            planning = planning._replace(second_moment=spread)
        plan = planning._replace(n=0)
        out.append(
            Need(
                place=item.place,
                metric=item.metric,
                n=len(item.candidate),
                value=abs(float(item.candidate.mean())),
                spread=planning.second_moment,
                measured=against is not None,
                needed=plan.needed(0.0, effect) or 0,
                detectable=planning.detectable,
            )
        )
    return out


def _clustered_variance(pairs: Pairs) -> float:
    groups = Clusters.of(pairs.cluster, len(pairs.candidate))
    if groups.count < 2:  # noqa: PLR2004 - a variance needs two
        return 0.0
    return groups.mean_variance(pairs.candidate) * len(pairs.candidate)


# ---- flakiness ------------------------------------------------------------------------------


class Flaky(Struct, frozen=True):
    """A sample that one model got right at times."""

    place: Place
    sample_id: str
    model: str
    results: tuple[bool, ...]
    """Oldest first; replayed answers are left out, since they say nothing new."""
    input: str = ""

    @property
    def rate(self) -> float:
        """Share of passes."""
        return sum(self.results) / len(self.results)


class Flakiness(Struct, frozen=True):
    """How steady the samples of some runs are."""

    samples: int
    """Samples with at least two new answers."""
    flaky: tuple[Flaky, ...]
    """Those with different results, the least certain first."""
    runs: int
    replayed: int
    """Answers left out as replayed."""


def flakiness(runs: Sequence[Path], *, threshold: float = 1.0) -> Flakiness:
    """Return which samples pass at times, over all epochs and runs of one model on one question.

    A sample passes where its primary metric is at least `threshold`. Runs of a task whose hashes
    differ are other questions, and are kept apart.
    """
    seen: dict[tuple[str, str, Place, str], list[bool]] = {}
    inputs: dict[str, str] = {}
    replayed = used = 0
    for path in runs:
        if not (path / RUN).exists():
            continue
        used += 1
        record = read_json(path / RUN)
        model = str((record.get("model") or {}).get("name"))
        primary = _primary(load_scores(path).cells)
        asked = {name: _question(hashes) for name, hashes in (record.get("tasks") or {}).items()}
        for row in read_rows(path, [*_FLAKY_COLUMNS]):
            place = Place(row["task"], row["arm"], row["variant"])
            score = dict(row["scores"] or ()).get(primary.get(place, ""))
            if score is None or row["status"] in ("error", "unjudged"):
                continue
            if row["cached"]:
                replayed += 1
                continue
            key = (model, asked.get(place.task, ""), place, row["sample_id"])
            seen.setdefault(key, []).append(score >= threshold)
            inputs[row["sample_id"]] = row["input"] or ""
    repeated = {key: results for key, results in seen.items() if len(results) > 1}
    flaky = [
        Flaky(place, sample_id, model, tuple(results), inputs[sample_id])
        for (model, _, place, sample_id), results in repeated.items()
        if 0 < sum(results) < len(results)
    ]
    flaky.sort(key=lambda item: (abs(item.rate - 0.5), item.place, item.sample_id))
    return Flakiness(len(repeated), tuple(flaky), used, replayed)


_FLAKY_COLUMNS = (
    "task", "arm", "variant", "sample_id", "status", "scores", "cached", "input",
)  # fmt: skip


def _primary(cells: Sequence[Cell]) -> dict[Place, str]:
    """Return the first metric of each place that says what is better."""
    found: dict[Place, str] = {}
    for cell in cells:
        if cell.slice is None and cell.higher_is_better:
            found.setdefault(Place(cell.task, cell.arm, cell.variant), cell.metric)
    return found


def _question(hashes: Mapping[str, object]) -> str:
    return content_key({name: hashes.get(name) for name in ("version", "data", "arms")})
