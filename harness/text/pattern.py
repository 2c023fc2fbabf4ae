"""Regular expressions from task files: refused where matching could take long.

Python's engine backtracks, and a task file comes from a stranger. The cost of a pattern is
bounded beforehand from its parse tree: choices that can trade characters with each other multiply,
choices kept apart by a character that neither can match do not. A pattern is accepted when
that bound, over the window of text it is given, stays below a fixed budget.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from harness.errors import InvalidFile

MAX_PATTERN = 500
"""Characters of the longest pattern."""
BUDGET = 40_000_000
"""Steps that one search may take at worst; about one or two seconds."""
MAX_WINDOW = 100_000
MIN_WINDOW = 1_000
"""A pattern must be affordable on at least this many characters."""
WIDE = 64
"""A repeat of more than this many counts is charged as unbounded."""
MAX_FIXED = 1_000

_parse: Callable[[str, int], Any] = _parser.parse
_repeats = (op.MAX_REPEAT, op.MIN_REPEAT)
_categories: dict[Any, Callable[[str], bool]] = {
    op.CATEGORY_DIGIT: str.isdecimal,
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
}
_negated: dict[Any, Any] = {
    op.CATEGORY_NOT_DIGIT: op.CATEGORY_DIGIT,
    op.CATEGORY_NOT_SPACE: op.CATEGORY_SPACE,
    op.CATEGORY_NOT_WORD: op.CATEGORY_WORD,
}
_probes = "".join(map(chr, range(128))) + "é中〇，。：（\u3000０Ａ\u00a0²①ßΩя"


class SafePattern(Struct, frozen=True):
    """A compiled pattern and the number of characters it may be given."""

    pattern: re.Pattern[str]
    window: int


class _Refused(Exception):
    """The pattern could take long; the message says why."""


class _Open(Struct):
    """The choices that a failure further on could still take back."""

    chars: frozenset[str] = frozenset()
    """What they can match."""
    degree: int = 0
    """Unbounded repeats among them that can trade characters."""
    factor: int = 1
    """Product of the bounded ones."""
    ambiguous: bool = False
    """Whether the same text can be split between them in several ways."""
    settled: tuple[int, int] = (0, 1)
    """Degree and factor of ambiguity left behind by choices that are closed."""
    searching: bool = False
    """Whether the search for a beginning multiplies the rest."""
    guards: tuple[frozenset[str], ...] = ()
    """Mandatory characters so far: a repeat that cannot match one of them never overlaps itself
    from two beginnings."""


class _Cost:
    """Walks a parse tree and keeps the worst cost of any point in it, as (degree, factor)."""

    def __init__(self, alphabet: str) -> None:
        self.alphabet = alphabet
        self.open = _Open()
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
        """A mandatory character: closes the open choices if none of them can match it."""
        state = self.open
        guards = (*state.guards, members)
        if members & state.chars:
            self.open = replace(state, guards=guards)
            return
        degree, factor = state.settled
        if state.ambiguous:
            degree, factor = degree + max(0, state.degree - 1), factor * state.factor
        self.open = _Open(settled=(degree, factor), searching=state.searching, guards=guards)

    def _charge(self, members: frozenset[str], *, unbounded: bool, count: int) -> None:
        state = self.open
        overlap = bool(members & state.chars)
        self.open = replace(
            state,
            chars=state.chars | members,
            degree=state.degree + unbounded if overlap else max(state.degree, int(unbounded)),
            factor=state.factor * count if overlap else max(state.factor, count),
            ambiguous=state.ambiguous or overlap,
            searching=state.searching or all(guard & members for guard in state.guards),
        )
        self._note()

    def _note(self) -> None:
        state = self.open
        degree = state.settled[0] + state.degree + state.searching
        factor = state.settled[1] * state.factor
        if factor > BUDGET:
            raise _Refused("too many optional parts that can match the same characters")
        self.worst = max(self.worst, (max(degree, 1), factor))

    def _repeat(self, argument: Any, *, last: bool) -> None:
        low, high, body = argument
        nodes = list(body)
        if (low, high) == (0, 1):
            self._branch([nodes, []])
            return
        shortest, longest = body.getwidth()
        if shortest != longest or shortest == 0 or _has(nodes, (op.BRANCH,)):
            raise _Refused("a repeat of something that itself varies")
        if low * shortest > MAX_FIXED:
            raise _Refused(f"a repeat of more than {MAX_FIXED} characters")
        if low > 0:
            self.sequence(nodes, last=False)
        if low == high or last:
            return  # where nothing follows, nothing is ever taken back
        unbounded = high is op.MAXREPEAT or high - low > WIDE
        count = 1 if unbounded else high - low + 1
        self._charge(self._everything(nodes), unbounded=unbounded, count=count)

    def _branch(self, branches: Any) -> None:
        before, ends = self.open, []
        for branch in branches:
            self.open = before
            self.sequence(list(branch), last=False)
            ends.append(self.open)
        chars = frozenset().union(before.chars, *(end.chars for end in ends))
        everything = chars.union(*(self._everything(list(branch)) for branch in branches))
        self.open = _Open(
            chars=everything,
            degree=max(end.degree for end in ends),
            factor=sum(end.factor for end in ends),
            ambiguous=True,
            settled=max(end.settled for end in ends),
            searching=any(end.searching for end in ends),
            guards=before.guards,
        )
        self._note()

    def _possessive(self, code: Any, argument: Any) -> None:
        nodes = list(argument[2]) if code is op.POSSESSIVE_REPEAT else list(argument)
        if _has(nodes, (*_repeats, op.BRANCH)):
            raise _Refused("a possessive or atomic part that itself varies")
        members = self._everything(nodes)
        before = self.open
        self._charge(members, unbounded=code is op.POSSESSIVE_REPEAT, count=1)
        # Its characters are never given back, but reading them costs time from each beginning.
        self.open = replace(before, searching=self.open.searching)

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
    return inside != negate or (bool(negate) and len(cases) > 1)


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
        tree = _parse(pattern, flags | re.MULTILINE)
        cost = _Cost("".join(dict.fromkeys(_probes + pattern)))
        cost.sequence(list(tree), last=True)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidFile(f"not a regular expression: {error}", key="pattern", allowed=allowed,
                          got=pattern) from error  # fmt: skip
    except _Refused as error:
        raise InvalidFile(_slow(str(error)), key="pattern", allowed=allowed, got=pattern) from error
    degree, factor = cost.worst
    window = int((BUDGET / factor) ** (1 / degree))
    if window < MIN_WINDOW:
        reason = "several open repeats can match the same characters"
        raise InvalidFile(_slow(reason), key="pattern", allowed=allowed, got=pattern)
    return SafePattern(compiled, min(window, MAX_WINDOW))


def _slow(reason: str) -> str:
    return (
        f"matching could take very long: {reason}; bound the repeats ({{0,9}}) "
        "or make them possessive (*+)"
    )
