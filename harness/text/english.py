"""English number words to exact values: twenty-one, three hundred and five, two and a half."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

_ones = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
_ones += " fifteen sixteen seventeen eighteen nineteen"
ONES = {word: value for value, word in enumerate(_ones.split())}
_tens = "twenty thirty forty fifty sixty seventy eighty ninety"
TENS = {word: 10 * value for value, word in enumerate(_tens.split(), start=2)} | {"fourty": 40}
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_parts = "third fourth fifth sixth seventh eighth ninth tenth"
PARTS = {word: value for value, word in enumerate(_parts.split(), start=3)}
PARTS |= {word + "s": value for word, value in PARTS.items()}
PARTS |= {"half": 2, "halves": 2, "quarter": 4, "quarters": 4}
SIGNS = frozenset(("minus", "negative"))

_number_words = sorted({*ONES, *TENS, *SCALES, "hundred", "dozen"}, key=len, reverse=True)
_any_word = "|".join([*_number_words, *sorted(PARTS, key=len, reverse=True), "point"])
_run = re.compile(
    rf"\b(?:(?:minus|negative)[ ])?(?:an?[ ](?=(?:hundred|thousand|million|billion|dozen|half|"
    rf"quarter|third)\b))?(?:{_any_word})\b(?:(?:[ ]and[ ]an?[ ]|[ ]and[ ]|,[ ]|[ -])"
    rf"(?:{_any_word})\b){{0,40}}+(?!-?[a-z]{{0,12}}(?:st|nd|rd|th)\b)",
    re.IGNORECASE | re.ASCII,
)
_word = re.compile(r"[a-z]+", re.IGNORECASE | re.ASCII)

Found = tuple[int, int, Fraction]


class _Sum:
    """Adds up words while they still make one number."""

    def __init__(self) -> None:
        self.total = 0
        self.current = 0
        self.scale = 10**15
        self.room = 1000  # the next plain word must be below this
        self.seen = False

    def take(self, word: str) -> bool:
        """Add a word; False where it cannot belong to the same number."""
        value = ONES.get(word, TENS.get(word))
        if value is not None:
            if value >= self.room or (value == 0 and self.seen):
                return False
            self.current += value
            self.room = 10 if word in TENS else 0
        elif word == "hundred":
            if not 0 < self.current < 100:  # noqa: PLR2004 - twelve hundred, not hundred hundred
                return False
            self.current, self.room = self.current * 100, 100
        elif word in SCALES:
            if SCALES[word] >= self.scale or not 0 < self.current < 1000:  # noqa: PLR2004
                return False
            self.scale = SCALES[word]
            self.total += self.current * self.scale
            self.current, self.room = 0, 1000
        else:
            return False
        self.seen = True
        return True


def find(text: str) -> Iterator[Found]:
    """Yield (start, end, value) of every number in words, in order. Runs in linear time."""
    for run in _run.finditer(text):
        words = [
            (word.group().lower(), word.start(), word.end())
            for word in _word.finditer(text, run.start(), run.end())
        ]
        position = 0
        while position < len(words):
            used, found = _first(words[position : position + 48])
            if found is not None:
                yield found
            position += used


def _first(words: list[tuple[str, int, int]]) -> tuple[int, Found | None]:
    """Read the number at the head of `words`; return how many words it took."""
    at, sign = 0, 1
    if words[0][0] in SIGNS:
        at, sign = 1, -1
    total = _Sum()
    if at < len(words) and words[at][0] in ("a", "an"):
        total.current, total.seen = 1, False
        at += 1
    first = at
    while at < len(words):
        word = words[at][0]
        follows_and = word == "and" and at > first and at + 1 < len(words)
        if follows_and and _joins(words, at, total):
            at += 1
            continue
        if not total.take(word):
            break
        at += 1
    value: Fraction | None = Fraction(total.total + total.current) if total.seen else None
    at, value = _fractional(words, at, value)
    if value is None:
        return max(at, 1), None
    return at, (words[0][1], words[at - 1][2], sign * value)


def _joins(words: list[tuple[str, int, int]], at: int, total: _Sum) -> bool:
    """Return whether "and" joins what follows to the same number: after hundred or a scale."""
    follower = words[at + 1][0]
    small = ONES.get(follower, TENS.get(follower, 100))
    before = words[at - 1][0]
    return total.seen and small < 100 and (before == "hundred" or before in SCALES)  # noqa: PLR2004


def _fractional(
    words: list[tuple[str, int, int]], at: int, value: Fraction | None
) -> tuple[int, Fraction | None]:
    """Read what may follow the whole part: a fraction, decimals after "point", "dozen"."""
    rest = [word for word, _, _ in words[at : at + 4]]
    if rest[:1] == ["dozen"]:
        return at + 1, (Fraction(1) if value is None else value) * 12
    if rest and rest[0] in PARTS:
        return at + 1, (Fraction(1) if value is None else value) / PARTS[rest[0]]
    if value is None:
        return at, None
    if rest[:1] == ["point"]:
        digits = ""
        for word, _, _ in words[at + 1 :]:
            if ONES.get(word, 10) > 9:  # noqa: PLR2004 - decimals are said digit by digit
                break
            digits += str(ONES[word])
        if digits:
            end = at + 1 + len(digits)
            return end, value + Fraction(int(digits), 10 ** len(digits))
    if len(rest) > 2 and rest[0] == "and" and rest[2] in PARTS:  # noqa: PLR2004
        numerator = 1 if rest[1] in ("a", "an") else ONES.get(rest[1])
        if numerator:
            return at + 3, value + Fraction(numerator, PARTS[rest[2]])
    return at, value


def spell(value: int) -> str:
    """Write an integer below 10^15 in words.

    >>> spell(305), spell(-21)
    ('three hundred and five', 'minus twenty-one')
    """
    if abs(value) >= 10**15:
        raise ValueError(f"only integers below 10^15 are spelled, got {value}")
    if value < 0:
        return "minus " + spell(-value)
    for scale, name in sorted(((size, name) for name, size in SCALES.items()), reverse=True):
        if value >= scale:
            head, tail = divmod(value, scale)
            joint = " and " if 0 < tail < 100 else " "  # noqa: PLR2004
            return f"{spell(head)} {name}" + (joint + spell(tail) if tail else "")
    if value >= 100:  # noqa: PLR2004
        head, tail = divmod(value, 100)
        return f"{spell(head)} hundred" + (f" and {spell(tail)}" if tail else "")
    names = {size: name for name, size in [*ONES.items(), *TENS.items()] if name != "fourty"}
    if value in names:
        return names[value]
    return f"{names[value // 10 * 10]}-{names[value % 10]}"
