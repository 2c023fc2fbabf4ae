"""A judge against people: confusion, agreement beyond chance, errors by kind, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from harness.identity import child_rng
from harness.judge.labels import Labelled
from harness.judge.modes import Judged
from harness.judge.spec import JudgeSpec
from harness.stats.agreement import (
    agreement_interval,
    cohen_kappa,
    confusion,
    human_ceiling,
    kendall_tau,
    krippendorff_alpha,
    rates,
    spearman,
    swap_agreement,
)
from harness.stats.intervals import Interval, wilson

ENOUGH = 196
"""Labels for an agreement near 85 % to within 5 points."""
NEGATIVES = 50
"""Labelled negatives below which a specificity says little."""
SEED = 20_260_101


class Number(Struct, frozen=True):
    """A number and how exact it is."""

    value: float | None
    low: float | None
    high: float | None
    method: str
    n: int


class Calibration(Struct, frozen=True):
    """How a judge agrees with labels."""

    judge: str
    labels: int
    judged: int
    missing: int
    coverage: float
    missing_reasons: dict[str, int]
    bounds: tuple[float, float]
    """Accuracy if every missing verdict were wrong, and right."""
    verdicts: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    """Rows are labels, columns verdicts, in the order of `verdicts`."""
    numbers: dict[str, Number]
    groups: dict[str, Number]
    """Accuracy by subset, where the labels name any."""
    warnings: tuple[str, ...]


def calibration(
    spec: JudgeSpec, labelled: Sequence[Labelled], found: Sequence[Judged]
) -> Calibration:
    """Return the agreement of verdicts with labels; missing verdicts stand apart."""
    offered = spec.offered
    rank = {name: position for position, name in enumerate(offered)}
    pairs = [(a, b) for a, b in zip(labelled, found, strict=True) if b.verdict in rank]
    truth = [rank[one.label] for one, _ in pairs]
    said = [rank[str(judged.verdict)] for _, judged in pairs]
    numbers = _numbers(spec, truth, said)
    numbers |= _ceiling(spec, labelled, found, rank)
    if spec.mode == "pairwise":
        numbers |= _swaps([judged for _, judged in pairs])
    reasons: dict[str, int] = {}
    for judged in found:
        if judged.verdict not in rank:
            reasons[str(judged.reason)] = reasons.get(str(judged.reason), 0) + 1
    right = sum(a == b for a, b in zip(truth, said, strict=True))
    total, missing = len(labelled), len(labelled) - len(pairs)
    return Calibration(
        judge=spec.name,
        labels=total,
        judged=len(pairs),
        missing=missing,
        coverage=len(pairs) / total if total else 0.0,
        missing_reasons=reasons,
        bounds=(right / total, (right + missing) / total) if total else (0.0, 1.0),
        verdicts=offered,
        confusion=tuple(map(tuple, confusion(truth, said, len(offered)).tolist())),
        numbers=numbers,
        groups=_groups(pairs),
        warnings=tuple(_warnings(spec, truth, missing, total)),
    )


def positive(spec: JudgeSpec, verdict: str) -> bool:
    """Return whether a verdict counts as right in sensitivity and specificity."""
    if spec.file.positive is not None:
        return verdict == spec.file.positive
    if spec.mode == "pairwise":
        return verdict == "A"
    if spec.mode == "checklist":
        return verdict == "yes"
    return spec.value(verdict) > 0.5  # noqa: PLR2004 - the upper half of the scale


def _number(interval: Interval, n: int) -> Number:
    return Number(interval.value, interval.low, interval.high, interval.method, n)


def _numbers(spec: JudgeSpec, truth: Sequence[int], said: Sequence[int]) -> dict[str, Number]:
    n, count = len(truth), len(spec.offered)
    if not n:
        return {}
    hits = sum(a == b for a, b in zip(truth, said, strict=True))
    out = {"accuracy": _number(wilson(hits, n), n)}

    def add(name: str, statistic: Callable[[Any, Any], float | None]) -> None:
        rng = child_rng(SEED, name)
        out[name] = _number(agreement_interval(statistic, truth, said, rng, n_resamples=999), n)

    add("kappa", lambda a, b: cohen_kappa(a, b, count))
    if spec.mode == "pairwise":
        tie = spec.offered.index("tie")
        clear = [(a, b) for a, b in zip(truth, said, strict=True) if tie not in (a, b)]
        if clear:
            agreed = sum(a == b for a, b in clear)
            out["accuracy_without_ties"] = _number(wilson(agreed, len(clear)), len(clear))
        return out
    good = [float(positive(spec, name)) for name in spec.offered]
    table = rates([good[a] for a in truth], [good[b] for b in said])
    negatives = sum(1 - int(good[a]) for a in truth)
    out["sensitivity"] = _number(table.sensitivity, n - negatives)
    out["specificity"] = _number(table.specificity, negatives)
    if spec.mode in ("rubric", "expected"):
        add("kappa_linear", lambda a, b: cohen_kappa(a, b, count, "linear"))
        add("kappa_quadratic", lambda a, b: cohen_kappa(a, b, count, "quadratic"))
        add("spearman", spearman)
        add("kendall", kendall_tau)
    return out


def _ceiling(
    spec: JudgeSpec,
    labelled: Sequence[Labelled],
    found: Sequence[Judged],
    rank: dict[str, int],
) -> dict[str, Number]:
    """Agreement among people, and alpha of people and judge, where several raters are known."""
    raters = max((len(one.raters) for one in labelled), default=0)
    if raters < 2:  # noqa: PLR2004 - people can only agree in pairs
        return {}
    nan = float("nan")
    matrix = [
        [float(rank[str(word)]) if k < len(one.raters) and (word := one.raters[k]) else nan
         for one in labelled]
        for k in range(raters)
    ]  # fmt: skip
    judge = [float(rank[str(one.verdict)]) if one.verdict in rank else nan for one in found]
    level: Any = "ordinal" if spec.mode in ("rubric", "expected") else "nominal"
    n = len(labelled)
    numbers = {
        "human_ceiling": human_ceiling(matrix),
        "alpha_people": krippendorff_alpha(matrix, level),
        "alpha_with_judge": krippendorff_alpha([*matrix, judge], level),
    }
    return {name: Number(value, None, None, "none", n) for name, value in numbers.items()}


def _swaps(found: Sequence[Judged]) -> dict[str, Number]:
    scores = [[v.score or 0.0 for v in one.verdicts] for one in found if len(one.verdicts) == 2]  # noqa: PLR2004
    swap = swap_agreement([s[0] for s in scores], [s[1] for s in scores])
    return {
        "consistency": _number(swap.consistency, len(scores)),
        "first_slot": _number(swap.first_slot, 2 * len(scores)),
    }


def _groups(pairs: Sequence[tuple[Labelled, Judged]]) -> dict[str, Number]:
    tally: dict[str, list[int]] = {}
    for one, judged in pairs:
        if one.group:
            counts = tally.setdefault(one.group, [0, 0])
            counts[0] += one.label == judged.verdict
            counts[1] += 1
    return {name: _number(wilson(a, b), b) for name, (a, b) in sorted(tally.items())}


def _warnings(spec: JudgeSpec, truth: Sequence[int], missing: int, total: int) -> list[str]:
    out = []
    if len(truth) < ENOUGH:
        out.append(
            f"{len(truth)} judged labels: fewer than {ENOUGH} leave accuracy unsure by ±5 points"
        )
    if spec.mode not in ("pairwise", "checklist"):
        negatives = sum(not positive(spec, spec.offered[a]) for a in truth)
        if negatives < NEGATIVES:
            out.append(
                f"{negatives} labelled negatives: fewer than {NEGATIVES} say little of specificity"
            )
    if total and missing / total > 0.02:  # noqa: PLR2004 - as for scores
        out.append(f"{missing} of {total} verdicts are missing: the agreement is unreliable")
    return out
