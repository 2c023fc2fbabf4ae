"""A judge against people: confusion, agreement beyond chance, errors by kind, with intervals.

Labels on one question are not independent of each other: shares have Wilson intervals over
clusters of one question, other statistics BCa bootstrap intervals that draw whole questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from harness.identity import child_rng
from harness.judge.labels import Labelled
from harness.judge.modes import Judged
from harness.judge.scale import HALF, Scale, positive, scale_of, value_of
from harness.judge.spec import JudgeSpec
from harness.stats.agreement import (
    cohen_kappa,
    confusion,
    kendall_tau,
    krippendorff_alpha,
    leave_one_out,
    pearson,
    spearman,
)
from harness.stats.bootstrap import bca
from harness.stats.intervals import Interval, mean_interval
from harness.stats.paired import paired_difference

ENOUGH = 196
"""Labels for an agreement near 85 % to within 5 points."""
NEGATIVES = 50
"""Labelled negatives below which a specificity says little."""
RESAMPLES = 999
SEED = 20_260_101
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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
    scale: str
    """grades, levels, pairs or score."""
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


class _Read(Struct, frozen=True):
    """Labels and verdicts side by side, those that have both."""

    scale: Scale
    truth: Ints
    """Number of the label's verdict."""
    said: Ints
    wanted: Floats
    """Score that the label stands for."""
    given: Floats
    """Score that the judge gave."""
    clusters: Ints
    """Number of the question."""
    good: tuple[bool, ...]
    """By verdict: whether it counts as right."""


def calibration(
    spec: JudgeSpec, labelled: Sequence[Labelled], found: Sequence[Judged]
) -> Calibration:
    """Return the agreement of verdicts with labels; missing verdicts stand apart."""
    scale = scale_of(spec)
    rows = [(a, b) for a, b in zip(labelled, found, strict=True) if _verdict(scale, b) is not None]
    read = _side_by_side(spec, scale, rows)
    numbers = _numbers(read) | _ceiling(scale, labelled, found)
    if scale.kind == "pairs":
        numbers |= _swaps([judged for _, judged in rows], read.clusters)
    reasons: dict[str, int] = {}
    for judged in found:
        if _verdict(scale, judged) is None:
            reasons[str(judged.reason)] = reasons.get(str(judged.reason), 0) + 1
    right = int((read.truth == read.said).sum())
    total, missing = len(labelled), len(labelled) - len(rows)
    return Calibration(
        judge=spec.name,
        scale=scale.kind,
        labels=total,
        judged=len(rows),
        missing=missing,
        coverage=len(rows) / total if total else 0.0,
        missing_reasons=dict(sorted(reasons.items(), key=lambda kv: -kv[1])[:5]),
        bounds=(right / total, (right + missing) / total) if total else (0.0, 1.0),
        verdicts=scale.verdicts,
        confusion=tuple(map(tuple, confusion(read.truth, read.said, len(scale.verdicts)).tolist())),
        numbers=numbers,
        groups=_groups(rows, read),
        warnings=tuple(_warnings(read, missing, total)),
    )


def _verdict(scale: Scale, judged: Judged) -> str | None:
    """Return what a judge said on the scale; a score is "yes" above a half."""
    if scale.kind == "score":
        if judged.value is None:
            return None
        return scale.verdicts[int(judged.value > HALF)]
    return judged.verdict if judged.verdict in scale.verdicts else None


def _side_by_side(spec: JudgeSpec, scale: Scale, rows: Sequence[tuple[Labelled, Judged]]) -> _Read:
    rank = {name: position for position, name in enumerate(scale.verdicts)}
    wanted = [value_of(spec, one.label) for one, _ in rows]
    labels = [one.label for one, _ in rows]
    if scale.kind == "score":
        labels = [scale.verdicts[int(value > HALF)] for value in wanted]
    questions: dict[str, int] = {}
    places = [questions.setdefault(one.item.question, len(questions)) for one, _ in rows]
    return _Read(
        scale=scale,
        truth=np.array([rank[label] for label in labels], dtype=np.int64),
        said=np.array([rank[str(_verdict(scale, judged))] for _, judged in rows], dtype=np.int64),
        wanted=np.array(wanted, dtype=np.float64),
        given=np.array([judged.value for _, judged in rows], dtype=np.float64),
        clusters=np.array(places, dtype=np.int64),
        good=tuple(positive(spec, name) for name in scale.verdicts),
    )


# ---- numbers --------------------------------------------------------------------------------


def _number(interval: Interval, n: int) -> Number:
    return Number(interval.value, interval.low, interval.high, interval.method, n)


def _share(hits: Any, clusters: Ints) -> Number:
    """Return a share with its interval; `hits` are 0 and 1."""
    values = np.asarray(hits, dtype=np.float64)
    if not len(values):
        return Number(None, None, None, "none", 0)
    return _number(mean_interval(values, clusters, binary=True), len(values))


def _bootstrapped(
    name: str, statistic: Callable[..., float | None], columns: Sequence[Any], clusters: Ints
) -> Number:
    def of(*parts: Any) -> float:
        found = statistic(*parts)
        return float("nan") if found is None else found

    rng = child_rng(SEED, name)
    return _number(bca(of, columns, rng, clusters=clusters, n_resamples=RESAMPLES), len(clusters))


def _numbers(read: _Read) -> dict[str, Number]:
    n, count = len(read.truth), len(read.scale.verdicts)
    if not n:
        return {}
    pair = (read.truth, read.said)
    out = {"accuracy": _share(read.truth == read.said, read.clusters)}

    def add(name: str, statistic: Callable[..., float | None], *columns: Any) -> None:
        out[name] = _bootstrapped(name, statistic, columns or pair, read.clusters)

    if read.scale.kind == "pairs":
        out |= _without_ties(read)
    else:
        out |= _by_kind(read)
    add("kappa", lambda a, b: cohen_kappa(a, b, count))
    if read.scale.kind == "levels":
        add("kappa_linear", lambda a, b: cohen_kappa(a, b, count, "linear"))
        add("kappa_quadratic", lambda a, b: cohen_kappa(a, b, count, "quadratic"))
    level = {"levels": "ordinal", "score": "interval"}.get(read.scale.kind, "nominal")
    scores = (read.wanted, read.given)
    rated = scores if read.scale.kind == "score" else pair
    add("alpha", lambda a, b: krippendorff_alpha(np.stack([a, b]), level), *rated)  # type: ignore[arg-type]
    if read.scale.kind in ("levels", "score"):
        add("pearson", pearson, *scores)
        add("spearman", spearman, *scores)
        add("kendall", kendall_tau, *scores)
        gap = paired_difference(read.given, read.wanted, clusters=read.clusters, bounds=(0.0, 1.0))
        out["mean_error"] = _number(gap, n)
    return out


def _by_kind(read: _Read) -> dict[str, Number]:
    """What is right found right, what is wrong found wrong, and both together.

    Labels of right and wrong alone, as most public sets have them, know no third grade.
    """
    good = np.array(read.good, dtype=bool)
    right, said = good[read.truth], good[read.said]
    return {
        "accuracy_right_wrong": _share(right == said, read.clusters),
        "sensitivity": _share(said[right], read.clusters[right]),
        "specificity": _share(~said[~right], read.clusters[~right]),
    }


def _without_ties(read: _Read) -> dict[str, Number]:
    """Agreement where neither side called a tie; chance is a half there, a third with ties."""
    tie = read.scale.verdicts.index("tie")
    clear = (read.truth != tie) & (read.said != tie)
    return {"accuracy_without_ties": _share((read.truth == read.said)[clear],
                                            read.clusters[clear])}  # fmt: skip


def _ceiling(
    scale: Scale, labelled: Sequence[Labelled], found: Sequence[Judged]
) -> dict[str, Number]:
    """Agreement among people, and the judge in a person's place, where several raters are known.

    `human_ceiling`: a rater against the most frequent label of the others. `judge_as_rater`: the
    judge against the same others, each rater left out in turn; the two are comparable.
    """
    count = max((len(one.raters) for one in labelled), default=0)
    if count < 2 or scale.kind == "score":  # noqa: PLR2004 - people can only agree in pairs
        return {}
    rank = {name: float(position) for position, name in enumerate(scale.verdicts)}
    nan = float("nan")
    people = np.array([
        [rank.get(str(one.raters[k]), nan) if k < len(one.raters) else nan for one in labelled]
        for k in range(count)
    ])  # fmt: skip
    judge = np.array([rank.get(str(_verdict(scale, one)), nan) for one in found])
    level: Any = "ordinal" if scale.kind == "levels" else "nominal"
    every = np.arange(len(labelled))
    clusters = np.array(_places([one.item.question for one in labelled]), dtype=np.int64)
    kin, kin_n = leave_one_out(people)
    said, said_n = leave_one_out(people, judge)

    def add(name: str, statistic: Callable[..., float | None]) -> Number:
        return _bootstrapped(name, statistic, (every,), clusters)

    both = np.vstack([people, judge])
    return {
        "human_ceiling": add("human_ceiling", lambda i: _ratio(kin[i], kin_n[i])),
        "judge_as_rater": add("judge_as_rater", lambda i: _ratio(said[i], said_n[i])),
        "alpha_people": add("alpha_people", lambda i: krippendorff_alpha(people[:, i], level)),
        "alpha_with_judge": add(
            "alpha_with_judge", lambda i: krippendorff_alpha(both[:, i], level)
        ),
    }


def _ratio(sums: Floats, counts: Floats) -> float | None:
    total = float(counts.sum())
    return float(sums.sum()) / total if total else None


def _places(names: Sequence[str]) -> list[int]:
    seen: dict[str, int] = {}
    return [seen.setdefault(name, len(seen)) for name in names]


def _swaps(found: Sequence[Judged], clusters: Ints) -> dict[str, Number]:
    """Consistency over both orders, and how often and how far the first slot is favoured."""
    kept = [k for k, one in enumerate(found) if len(one.verdicts) == 2]  # noqa: PLR2004
    scores = np.array([[v.score for v in found[k].verdicts] for k in kept], dtype=np.float64)
    if not len(scores):
        return {}
    first, second, places = scores[:, 0], scores[:, 1], clusters[kept]
    ahead = np.concatenate([first == 1, second == 0]).astype(np.float64)
    behind = np.concatenate([first == 0, second == 1]).astype(np.float64)
    pairs = np.concatenate([places, places])  # both orders of a pair belong together
    bias = paired_difference(ahead, behind, clusters=pairs, bounds=(0.0, 1.0))
    return {
        "consistency": _share(first == second, places),
        "first_slot": _share(ahead, pairs),
        "position_bias": _number(bias, len(scores)),
    }


def _groups(rows: Sequence[tuple[Labelled, Judged]], read: _Read) -> dict[str, Number]:
    names = np.array([one.group for one, _ in rows])
    hits = read.truth == read.said
    return {
        str(name): _share(hits[names == name], read.clusters[names == name])
        for name in sorted(set(names.tolist()) - {""})
    }


def _warnings(read: _Read, missing: int, total: int) -> list[str]:
    out = []
    n = len(read.truth)
    if n < ENOUGH:
        out.append(f"{n} judged labels: fewer than {ENOUGH} leave accuracy unsure by ±5 points")
    if read.scale.kind != "pairs":
        good = np.array(read.good, dtype=bool)
        negatives = int((~good[read.truth]).sum())
        if negatives < NEGATIVES:
            out.append(
                f"{negatives} labelled negatives: fewer than {NEGATIVES} say little of specificity"
            )
    if total and missing / total > 0.02:  # noqa: PLR2004 - as for scores
        out.append(f"{missing} of {total} verdicts are missing: the agreement is unreliable")
    return out
