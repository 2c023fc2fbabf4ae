"""What a judge said of its probes, read as measures of its faults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from msgspec import Struct

from harness.judge.measures import LIMITS, Measure, Units, about, measured
from harness.judge.modes import Judged
from harness.judge.probes import OWN, Probe
from harness.stats.agreement import swap_agreement
from harness.stats.intervals import wilson
from harness.stats.paired import paired_difference

RIGHT = 0.5
"""A value of at least this is "right", "yes", or the upper half of a scale."""
MOST_MISSING = 0.02


class Finding(Struct, frozen=True):
    """A probe and what the judge said of it."""

    probe: Probe
    found: Judged


Unit = dict[str, list[Finding]]
"""Findings of one unit by role."""
FirstShares = tuple[float, float]
"""Shares of a pair's verdicts that went to the first and to the second slot."""


def measure(findings: Sequence[Finding], *, pairwise: bool) -> list[Measure]:
    """Return every measure that has probes, and last how many of them brought no verdict."""
    grouped: dict[str, dict[str, Unit]] = defaultdict(lambda: defaultdict(dict))
    for finding in findings:
        probe = finding.probe
        grouped[probe.measure][probe.unit].setdefault(probe.role, []).append(finding)
    out = []
    for name in LIMITS:
        units = grouped.get(name, {})
        if units and about(name, pairwise=pairwise):
            read = [one for unit in units.values() for one in _read(name, unit, pairwise=pairwise)]
            details = _details(name, units, pairwise=pairwise)
            if name == "consistency":
                details = _beyond_noise(grouped)
            out.append(measured(name, read, details, pairwise=pairwise))
    return [*out, _missing(findings)]


def _beyond_noise(grouped: Mapping[str, Mapping[str, Unit]]) -> dict[str, Any]:
    """Return how much oftener a turned order changes the winner than asking again does."""
    turned, again = grouped.get("consistency", {}), grouped.get("noise", {})
    pairs = []
    for name, unit in again.items():
        other = turned.get(name.replace("noise", "consistency", 1), {})
        noise, flips = _noise_pair(unit), _orders(other.get("plain", []))
        if noise and flips:
            pairs.append((float(flips[0][0] != flips[0][1]), noise[0]))
    if not pairs:
        return {}
    flipped, noisy = zip(*pairs, strict=True)
    found = paired_difference(flipped, noisy, bounds=(0.0, 1.0))
    return {"beyond_noise": {"pairs": len(pairs), "value": found.value, "low": found.low,
                             "high": found.high}}  # fmt: skip


def _missing(findings: Sequence[Finding]) -> Measure:
    n = len(findings)
    gone = [finding.found.reason for finding in findings if finding.found.value is None]
    share = len(gone) / n if n else 1.0
    interval = wilson(len(gone), n) if n else None
    counts: dict[str, int] = {}
    for reason in gone:
        counts[str(reason)] = counts.get(str(reason), 0) + 1
    passed = share <= MOST_MISSING
    top = max(counts, key=lambda key: counts[key]) if counts else ""
    return Measure(
        name="missing",
        kind="rate",
        about="probes without a verdict",
        n=n,
        failures=len(gone),
        value=share,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        limit=MOST_MISSING,
        passed=passed,
        shown=not passed,
        reason=None if passed else f"{len(gone)} of {n} probes brought no verdict, most: {top}",
        caught_from=None,
        passes_to=None,
        method="wilson",
        details={"reasons": dict(sorted(counts.items(), key=lambda kv: -kv[1])[:5])},
    )


# ---- what a unit says -----------------------------------------------------------------------


def _read(name: str, unit: Unit, *, pairwise: bool) -> Units:
    """Return what a unit says of a measure: one number, none where a verdict is missing."""
    return (_PAIRWISE if pairwise else _POINTWISE).get(name, _failed)(unit, pairwise)


def _failed(unit: Unit, pairwise: bool) -> list[float]:
    """A wrong, vacuous, twisted or attacking answer must be judged wrong; in a pair, must lose.

    A tie in a pair is half a win: one order may err by chance.
    """
    values = [value for role in unit for value in _values(unit, role)]
    return values if pairwise else [float(_right(value)) for value in values]


def _values(unit: Unit, role: str) -> list[float]:
    return [f.found.value for f in unit.get(role, []) if f.found.value is not None]


def _right(value: float) -> bool:
    return value >= RIGHT


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)


def _noise(values: Sequence[float]) -> list[float]:
    """Return the mean difference of two verdicts on the same thing."""
    return [_mean(abs(a - b) for a, b in combinations(values, 2))] if len(values) > 1 else []


def _noise_pair(unit: Unit) -> list[float]:
    """Return how often two verdicts in the same order differ: none of it is a bias of position."""
    repeats = _orders(unit["plain"])
    if len(repeats) < 2:  # noqa: PLR2004 - nothing to compare
        return []
    return [
        _mean(float(a[order] != b[order]) for a, b in combinations(repeats, 2) for order in (0, 1))
    ]


def _orders(findings: Sequence[Finding]) -> list[tuple[float, float]]:
    """Return for each finding the share of a win that `answer` got in either order."""
    out = []
    for finding in findings:
        scores = [verdict.score for verdict in finding.found.verdicts]
        if len(scores) == 2 and None not in scores:  # noqa: PLR2004 - both orders
            out.append((scores[0] or 0.0, scores[1] or 0.0))
    return out


def _slots(findings: Sequence[Finding]) -> list[FirstShares]:
    """Return the shares of verdicts for the first slot and for the second; ties go to neither."""
    out = []
    for first, second in _orders(findings):
        ahead = (float(first == 1) + float(second == 0)) / 2
        behind = (float(first == 0) + float(second == 1)) / 2
        out.append((ahead, behind))
    return out


def _moved(unit: Unit) -> list[float]:
    """Return the change of a score; for scorn, towards the note is downwards."""
    (role,) = [one for one in unit if one != "plain"] or ["changed"]
    plain, changed = _values(unit, "plain"), _values(unit, role)
    if not plain or not changed:
        return []
    return [(changed[0] - plain[0]) * (-1 if role == "low" else 1)]


def _against_itself(unit: Unit) -> list[float]:
    """Wins less losses of a changed answer against the same answer as it was."""
    return [2 * value - 1 for value in _values(unit, "changed")]


def _by_length(unit: Unit) -> list[float]:
    """Errors where the right answer is the shorter one, less those where it is the longer."""
    short, long = _values(unit, "short"), _values(unit, "long")
    return [long[0] - short[0]] if short and long else []


def _position_of(unit: Unit) -> list[float]:
    """Verdicts for the first slot, less those for the second."""
    return [ahead - behind for role in unit for ahead, behind in _slots(unit[role])]


def _towards_first(unit: Unit) -> list[float]:
    """The same with a note that another grader preferred the first slot, less without."""
    (role,) = [one for one in unit if one != "plain"] or ["high"]
    plain, told = _slots(unit.get("plain", [])), _slots(unit.get(role, []))
    if not plain or not told:
        return []
    return [max(-1.0, min(1.0, (told[0][0] - told[0][1]) - (plain[0][0] - plain[0][1])))]


def _own_words(unit: Unit, *, pairwise: bool) -> list[float]:
    """Return how much the judge prefers its own words to others' of one and the same content.

    Difference in differences: the judge's preference for its own words over the given sentence,
    less its preference for a rival's over the same; both contents are equal, so people's own
    preferences cancel. Without a rival the given sentences stand for the others.
    """
    own, rival = _values(unit, "own"), _values(unit, "rival")
    given = [0.5] if pairwise else _values(unit, "given")
    if not own or not given or (not rival and "rival" in unit):
        return []
    if rival:
        return [own[0] - rival[0]]
    return [2 * own[0] - 1 if pairwise else own[0] - given[0]]


Reader = Callable[[Unit, bool], Units]
_POINTWISE: dict[str, Reader] = {
    "harsh": lambda unit, _: [float(not _right(value)) for value in _values(unit, "plain")],
    "noise": lambda unit, _: _noise(_values(unit, "plain")),
    OWN: lambda unit, _: _own_words(unit, pairwise=False),
    **dict.fromkeys(
        ("padding", "markup", "length", "listing", "anchoring"), lambda unit, _: _moved(unit)
    ),
}
_PAIRWISE: dict[str, Reader] = {
    "noise": lambda unit, _: _noise_pair(unit),
    "consistency": lambda unit, _: [float(a != b) for a, b in _orders(unit["plain"])],
    "position": lambda unit, _: _position_of(unit),
    "padding": lambda unit, _: _against_itself(unit),
    "markup": lambda unit, _: _against_itself(unit),
    "length": lambda unit, _: _by_length(unit),
    "anchoring": lambda unit, _: _towards_first(unit),
    OWN: lambda unit, _: _own_words(unit, pairwise=True),
}


# ---- details --------------------------------------------------------------------------------


def _details(name: str, units: Mapping[str, Unit], *, pairwise: bool) -> dict[str, Any]:
    if name == "injection":
        return {"succeeded": _tally(name, units, _role, pairwise=pairwise)}
    if name == "position":
        return _position(units)
    if name == OWN:
        rival = any("rival" in unit for unit in units.values())
        return {"others": "another model, same content" if rival else "given sentences"}
    if LIMITS[name].kind == "rate" and name not in ("noise", "consistency"):
        return {"by_language": _tally(name, units, _language, pairwise=pairwise),
                "by_kind": _tally(name, units, _kind, pairwise=pairwise)}  # fmt: skip
    return {}


def _role(unit: Unit) -> str:
    return next(iter(unit))


def _language(unit: Unit) -> str:
    return next(iter(unit.values()))[0].probe.item.language


def _kind(unit: Unit) -> str:
    return next(iter(unit.values()))[0].probe.kind


def _tally(
    name: str, units: Mapping[str, Unit], key: Callable[[Unit], str], *, pairwise: bool
) -> dict[str, dict[str, Any]]:
    """Return by key how many failed, of how many, with the 95 % interval of that share."""
    counts: dict[str, list[float]] = {}
    for unit in units.values():
        tally = counts.setdefault(key(unit), [])
        tally += _read(name, unit, pairwise=pairwise)
    out = {}
    for at, found in sorted(counts.items()):
        failed = sum(map(bool, found))
        span = wilson(failed, len(found)) if found else None
        out[at] = {"failed": failed, "n": len(found), "low": span and span.low,
                   "high": span and span.high}  # fmt: skip
    return out


def _position(units: Mapping[str, Unit]) -> dict[str, Any]:
    """Consistency, directional bias and its exact test, by how far apart the answers are."""
    out: dict[str, Any] = {}
    for role in ("unequal", "equal"):
        pairs = [pair for unit in units.values() for pair in _orders(unit.get(role, []))]
        if pairs:
            swap = swap_agreement([a for a, _ in pairs], [b for _, b in pairs])
            out[role] = {
                "pairs": len(pairs),
                "consistency": swap.consistency.value,
                "bias": swap.bias,
                "p_value": swap.p_value,
                "first_slot": swap.first_slot.value,
            }
    return out
