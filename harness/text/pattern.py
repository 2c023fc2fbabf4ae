"""Regular expressions from task files: refused where matching could take long.

Python's engine backtracks, and a task file comes from a stranger. The cost of a pattern is
bounded beforehand from its parse tree: choices that can trade characters with each other multiply,
choices kept apart by a character that neither can match do not. A pattern is accepted when
that bound, over the window of text it is given, stays below a fixed budget.
"""

from __future__ import annotations

import re
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from msgspec import Struct

from harness.errors import InvalidFile

MAX_PATTERN = 500
"""Characters of the longest pattern."""
BUDGET = 20_000_000
"""Steps that one search may take at worst; about a second."""
MAX_WINDOW = 100_000
MIN_WINDOW = 2_000
"""A pattern must be affordable on at least this many characters."""
WIDE = 64
"""A repeat of more than this many counts is charged as unbounded."""
MAX_FIXED = 1_000

_repeats = (op.MAX_REPEAT, op.MIN_REPEAT)
_categories = {
    op.CATEGORY_DIGIT: str.isdecimal,
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
}
_negated = {
    op.CATEGORY_NOT_DIGIT: op.CATEGORY_DIGIT,
    op.CATEGORY_NOT_SPACE: op.CATEGORY_SPACE,
    op.CATEGORY_NOT_WORD: op.CATEGORY_WORD,
}
_probes = "".join(map(chr, range(128))) + "é中〇，。：（\u3000０Ａ\u00a0²①ßΩя"


class SafePattern(Struct, frozen=True):
    """A compiled pattern and the number of characters it may be given."""

    pattern: re.Pattern[str]
    window: int


class _Refused(Exception):  # noqa: N818 - a verdict, turned into InvalidFile at the door
    """The pattern could take long; the message says why."""


class _Cost:
    """Walks a parse tree and keeps the worst product of choices that are still open.

    `degree` counts open unbounded repeats, `factor` multiplies bounded choices, `chars` is what
    the open choices can match. The search for a beginning is itself a choice over every position.
    """

    def __init__(self, alphabet: str) -> None:
        self.alphabet = alphabet
        self.chars: frozenset[str] = frozenset(alphabet)
        self.searching = True
        self.degree, self.factor = 1, 1
        self.worst = (1, 1)

    def sequence(self, nodes: list[Any], *, last: bool) -> None:
        for i, (code, argument) in enumerate(nodes):
            self._node(code, argument, last=last and i == len(nodes) - 1)

    def _node(self, code: Any, argument: Any, *, last: bool) -> None:
        if code in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN):
            self._fixed(self._members(code, argument))
        elif code is op.SUBPATTERN:
            self.sequence(list(argument[3]), last=last)
        elif code is op.BRANCH:
            self._branch(argument[1])
        elif code in _repeats:
            self._repeat(argument, last=last)
        elif code in (op.POSSESSIVE_REPEAT, op.ATOMIC_GROUP):
            self._possessive(code, argument)
        elif code in (op.ASSERT, op.ASSERT_NOT):
            self._assertion(argument[1])
        elif code is not op.AT:
            raise _Refused("back-references and conditions are not allowed")

    def _members(self, code: Any, argument: Any) -> frozenset[str]:
        return frozenset(char for char in self.alphabet if _matches(code, argument, char))

    def _fixed(self, members: frozenset[str]) -> None:
        """A mandatory character: ends every open choice that cannot match it."""
        if not members & self.chars:
            self.degree, self.factor, self.chars, self.searching = 0, 1, frozenset(), False
        elif self.searching:
            # Runs that begin after this character do not overlap those after its next occurrence.
            self.chars = members
            self.searching = False

    def _charge(self, members: frozenset[str], *, unbounded: bool, count: int) -> None:
        if members & self.chars or self.searching:
            self.degree, self.factor = self.degree + unbounded, self.factor * count
        else:
            self.degree, self.factor = int(unbounded), count
        self.chars |= members
        self.worst = max(self.worst, (self.degree, self.factor))
        if self.factor > BUDGET:
            raise _Refused("too many optional parts that can match the same characters")

    def _repeat(self, argument: Any, *, last: bool) -> None:
        low, high, body = argument
        nodes = list(body)
        if (low, high) == (0, 1):
            inner = self._everything(nodes)
            self._charge(inner, unbounded=False, count=2)
            self.sequence(nodes, last=False)
            return
        shortest, longest = body.getwidth()
        if shortest != longest or shortest == 0 or _has(nodes, (op.BRANCH,)):
            raise _Refused("a repeat of something that itself varies")
        if low * shortest > MAX_FIXED:
            raise _Refused(f"a repeat of more than {MAX_FIXED} characters")
        members = self._everything(nodes)
        if low == high:
            for _ in range(1 if len(nodes) == 1 else min(low, 3)):
                self.sequence(nodes, last=False)
        elif last:
            return  # nothing after it can fail, so it is never taken back
        else:
            unbounded = high is op.MAXREPEAT or high - low > WIDE
            self._charge(members, unbounded=unbounded, count=1 if unbounded else high - low + 1)

    def _branch(self, branches: Any) -> None:
        start = (self.degree, self.factor, self.chars, self.searching)
        ends = []
        for branch in branches:
            self.degree, self.factor, self.chars, self.searching = start
            self.sequence(list(branch), last=False)
            ends.append((self.degree, self.factor, self.chars))
        self.degree = max(end[0] for end in ends)
        self.factor = min(sum(end[1] for end in ends), BUDGET + 1)
        everything = frozenset().union(*(self._everything(list(branch)) for branch in branches))
        self.chars = everything.union(start[2], *(end[2] for end in ends))
        self.searching = start[3]
        self.worst = max(self.worst, (self.degree, self.factor))
        if self.factor > BUDGET:
            raise _Refused("too many alternatives that can match the same characters")

    def _possessive(self, code: Any, argument: Any) -> None:
        nodes = list(argument[2]) if code is op.POSSESSIVE_REPEAT else list(argument)
        if _has(nodes, (*_repeats, op.BRANCH)):
            raise _Refused("a possessive or atomic part that itself varies")
        if code is op.ATOMIC_GROUP or argument[0] > 0:
            return  # takes its characters once; whatever stays open stays open
        self.chars |= self._everything(nodes)

    def _assertion(self, nodes: Any) -> None:
        if _has(list(nodes), _repeats) or nodes.getwidth()[1] > WIDE:
            raise _Refused("a look-ahead or look-behind that holds a repeat")

    def _everything(self, nodes: list[Any]) -> frozenset[str]:
        """Return all characters that some single-character node inside can match."""
        found: frozenset[str] = frozenset()
        for code, argument in _walk(nodes):
            if code in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN):
                found |= self._members(code, argument)
        return found


def _walk(nodes: Any) -> list[tuple[Any, Any]]:
    """Return every node of a parse tree."""
    found: list[tuple[Any, Any]] = []
    for code, argument in nodes:
        found.append((code, argument))
        if code is op.SUBPATTERN:
            found += _walk(argument[3])
        elif code is op.BRANCH:
            for branch in argument[1]:
                found += _walk(branch)
        elif code in (*_repeats, op.POSSESSIVE_REPEAT):
            found += _walk(argument[2])
        elif code in (op.ASSERT, op.ASSERT_NOT):
            found += _walk(argument[1])
        elif code is op.ATOMIC_GROUP:
            found += _walk(argument)
    return found


def _has(nodes: list[Any], codes: tuple[Any, ...]) -> bool:
    return any(code in codes for code, _ in _walk(nodes))


def _matches(code: Any, argument: Any, char: str) -> bool:
    """Return whether a single-character node matches `char`, case aside."""
    cases = {ord(char), *(ord(c) for c in (char.lower(), char.upper()) if len(c) == 1)}
    if code is op.ANY:
        return True
    if code is op.LITERAL:
        return argument in cases
    if code is op.NOT_LITERAL:
        return cases != {argument}
    negate = argument[0][0] is op.NEGATE
    inside = any(_in_set(kind, value, cases, char) for kind, value in argument[negate:])
    return inside != negate or (negate and len(cases) > 1)


def _in_set(kind: Any, value: Any, cases: set[int], char: str) -> bool:
    if kind is op.LITERAL:
        return value in cases
    if kind is op.RANGE:
        return any(value[0] <= case <= value[1] for case in cases)
    if value in _negated:
        return not _categories[_negated[value]](char)
    return bool(_categories[value](char))


def compile_safe(pattern: str, *, ignore_case: bool = False) -> SafePattern:
    """Compile a pattern of a task file, with the number of characters it may be given.

    Raises:
        InvalidFile: the pattern is too long, is no regular expression, or could take long.
    """
    allowed = f"a regular expression of at most {MAX_PATTERN} characters that runs in short time"
    if len(pattern) > MAX_PATTERN:
        raise InvalidFile("the pattern is too long", key="pattern", allowed=allowed,
                          got=f"{len(pattern)} characters")  # fmt: skip
    flags = re.IGNORECASE if ignore_case else 0
    try:
        compiled = re.compile(pattern, flags | re.MULTILINE)
        tree = _parser.parse(pattern, flags | re.MULTILINE)
        cost = _Cost("".join(dict.fromkeys(_probes + pattern)))
        cost.sequence(list(tree), last=True)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidFile(f"not a regular expression: {error}", key="pattern", allowed=allowed,
                          got=pattern) from error  # fmt: skip
    except _Refused as error:
        raise InvalidFile(_slow(str(error)), key="pattern", allowed=allowed, got=pattern) from error
    degree, factor = cost.worst
    window = int((BUDGET / factor) ** (1 / (degree + 0 or 1)))
    if window < MIN_WINDOW:
        reason = "several open repeats can match the same characters"
        raise InvalidFile(_slow(reason), key="pattern", allowed=allowed, got=pattern)
    return SafePattern(compiled, min(window, MAX_WINDOW))


def _slow(reason: str) -> str:
    return (
        f"matching could take very long: {reason}; bound the repeats ({{0,9}}) "
        "or make them possessive (*+)"
    )
