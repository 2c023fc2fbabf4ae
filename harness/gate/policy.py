"""What a policy file may say: margins, floors and limits. First key `policy:`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from harness.errors import InvalidFile, UsageError, suggestion
from harness.yamlfile import Document, kind, read_document

PRIMARY = "primary"
"""Stands for a task's first metric in a floor."""
_FLOOR = re.compile(r"(?:(\S+)\s+)?([A-Za-z_][\w-]*)\s*(>=|<=)\s*([-+]?[0-9.]+(?:[eE][-+]?\d+)?)\Z")


class TaskRule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What holds for some tasks over the rest of the policy."""

    margin: float | UnsetType = UNSET
    """A loss of the primary metric that is accepted."""
    metric: str | tuple[str, ...] | UnsetType = UNSET
    """Gated in place of the task's first metric; each of several is a member of the family."""
    skip: bool | UnsetType = UNSET


class Limits(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Upper limits; null for none."""

    errors: float | None = 0.02
    """Share of the candidate's samples that failed or were left unjudged, in any task."""
    unparsed: float | None = None
    """Share of answers that could not be read, in any task; missed where that is certain."""
    unparsed_rise: float | None = 0.05
    """Rise of that share over the baseline's; missed where that is certain."""
    cost_usd: float | None = None
    """US dollars that the candidate's run cost."""
    cost_ratio: float | None = None
    """Cost per sample, candidate over baseline."""
    latency_s: float | None = None
    """Median seconds per sample, of answers that were not replayed."""
    latency_ratio: float | None = None
    """Median seconds per sample, candidate over baseline."""
    tokens_ratio: float | None = None
    """Completion tokens per sample, candidate over baseline."""


class Policy(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All keys of a policy file."""

    policy: str = "default"
    """Its name, for its readers."""
    alpha: float = 0.05
    """Chance of any false alarm over all tasks, if nothing changed."""
    margin: float = 0.02
    """A loss of a primary metric that is accepted, in the metric's own unit."""
    inconclusive: Literal["fail", "warn"] = "fail"
    """Whether a question left open ends in exit 3 or 0."""
    variants: tuple[str, ...] = ("original",)
    """Also gated: perturbed copies of the samples, by name."""
    tasks: dict[str, TaskRule] = {}
    """Task name or glob → what holds there; later lines outweigh earlier ones."""
    floors: tuple[str, ...] = ()
    """'[TASK] METRIC >= NUMBER' (or <=); METRIC may be `primary`, TASK a glob."""
    limits: Limits = Limits()

    def rule(self, task: str) -> TaskRule:
        """Return what holds for a task."""
        merged: dict[str, Any] = {}
        for pattern, rule in self.tasks.items():
            if fnmatchcase(task, pattern):
                merged |= {
                    name: value
                    for name in TaskRule.__struct_fields__
                    if (value := getattr(rule, name)) is not UNSET
                }
        return TaskRule(**merged)

    def margin_of(self, task: str) -> float:
        """Return the loss that is accepted for a task."""
        own = self.rule(task).margin
        return self.margin if own is UNSET else own

    def metrics_of(self, task: str) -> tuple[str | None, ...]:
        """Return the metrics that are gated; None stands for the task's first."""
        own = self.rule(task).metric
        if own is UNSET:
            return (None,)
        return (own,) if isinstance(own, str) else tuple(dict.fromkeys(own)) or (None,)

    def gates(self, task: str) -> bool:
        """Return whether a task is gated at all."""
        return self.rule(task).skip is not True

    def idle(self, tasks: Iterable[str]) -> list[str]:
        """Return the names and globs under `tasks` that fit none of `tasks`: misspelt, or gone."""
        known = list(tasks)
        return [
            pattern
            for pattern in self.tasks
            if not any(fnmatchcase(task, pattern) for task in known)
        ]

    def only(self, patterns: Sequence[str]) -> Policy:
        """Return this policy for tasks that fit a pattern, all others skipped."""
        if not patterns:
            return self
        chosen = {pattern: TaskRule(skip=False) for pattern in patterns}
        return msgspec.structs.replace(
            self, tasks={**self.tasks, "*": TaskRule(skip=True), **chosen}
        )


class Floor(Struct, frozen=True):
    """A bound that a metric must keep, whatever the baseline."""

    text: str
    task: str
    metric: str
    at_least: bool
    limit: float


DEFAULT = Policy()


def parse_floor(text: str) -> Floor:
    """Read one floor; raises UsageError.

    >>> parse_floor("arithmetic/* primary >= 0.8").limit
    0.8
    """
    found = _FLOOR.match(text.strip())
    if not found:
        raise UsageError(
            f"floor {text!r}: allowed: [TASK] METRIC >= NUMBER, such as 'accuracy >= 0.8' or "
            "'arithmetic/* primary >= 0.8'"
        )
    task, metric, sign, limit = found.groups()
    try:
        return Floor(text.strip(), task or "*", metric, sign == ">=", float(limit))
    except ValueError:
        raise UsageError(f"floor {text!r}: allowed: a number; got: {limit}") from None


def load_policy(path: Path) -> Policy:
    """Read a policy file; raises InvalidFile naming line and key."""
    document = read_document(path)
    first = next(iter(document.data), None)
    if first != "policy":
        raise InvalidFile(
            "the first key says what a file is",
            path=path,
            line=document.line(first or "") or 1,
            allowed="policy: NAME",
            got=f"{first}:" if first else "an empty file",
        )
    try:
        policy = msgspec.convert(document.data, Policy)
    except msgspec.ValidationError as error:
        raise _explain(str(error), document) from None
    _check(policy, document)
    return policy


def _explain(message: str, document: Document) -> InvalidFile:
    """Turn msgspec's message into one with a line and what is allowed."""
    unknown = re.search(r"unknown field `([^`]+)`", message)
    at = re.search(r"at `\$\.?([^`]*)`", message)
    place = at.group(1) if at else ""
    if unknown:
        name = unknown.group(1)
        kinds: dict[str, type[Struct]] = {"": Policy, "limits": Limits}
        fields = kinds.get(place, TaskRule).__struct_fields__
        key = f"{place}.{name}".lstrip(".") if "[...]" not in place else name
        return InvalidFile(
            f"unknown key{suggestion(name, fields)}",
            path=document.path,
            line=document.line(key) or _line_ending(document, name),
            key=key,
            allowed=", ".join(fields),
            got=name,
        )
    key = place.replace("[...]", "")
    value: Any = document.data
    for step in key.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return InvalidFile(
        message.split(" - at ", maxsplit=1)[0],
        path=document.path,
        line=document.line(key),
        key=key or None,
        allowed="fail, warn" if key == "inconclusive" else None,
        got=kind(value) if value is not None else None,
    )


def _line_ending(document: Document, name: str) -> int | None:
    return next((n for key, n in document.lines.items() if key.endswith(f".{name}")), None)


def _check(policy: Policy, document: Document) -> None:
    def wrong(key: str, allowed: str, got: object) -> InvalidFile:
        return InvalidFile(
            "out of range",
            path=document.path,
            line=document.line(key),
            key=key,
            allowed=allowed,
            got=str(got),
        )

    if not 0 < policy.alpha < 0.5:  # noqa: PLR2004 - half is a coin
        raise wrong("alpha", "more than 0, less than 0.5", policy.alpha)
    margins: list[tuple[str, float | UnsetType]] = [("margin", policy.margin)]
    margins += [(f"tasks.{name}.margin", rule.margin) for name, rule in policy.tasks.items()]
    for key, margin in margins:
        if margin is not UNSET and margin < 0:
            raise wrong(key, "0 or more", margin)
    for name in Limits.__struct_fields__:
        limit = getattr(policy.limits, name)
        if limit is not None and limit < 0:
            raise wrong(f"limits.{name}", "0 or more", limit)
    for number, floor in enumerate(policy.floors):
        try:
            parse_floor(floor)
        except UsageError as error:
            key = f"floors[{number}]"
            raise InvalidFile(
                str(error), path=document.path, line=document.line(key), key=key
            ) from None


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a policy file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Gate policy of the harness",
        **msgspec.json.schema(Policy),
    }
