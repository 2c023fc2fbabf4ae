"""Arithmetic documents: the core tasks' chat format, and a few others.

Every pair of operands comes from `Problems.draw`, the one place where held-out items are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from harness.identity import CounterRandom
from harness.synth.arithmetic import whole_numbers
from training.document import LEARN, SKIM, Document, Part
from training.holdout import item_key


class Problem(NamedTuple):
    """One item: operands, sign, answer."""

    a: int
    operator: str
    b: int
    answer: int


MIXED = ((2, 1), (1, 2), (3, 2), (2, 3))
WIDTHS: dict[str, tuple[tuple[int, int], ...]] = {
    "+": ((1, 1),) * 3 + ((2, 2),) * 9 + ((3, 3),) * 6 + ((4, 4),) * 2 + MIXED,
    "-": ((1, 1),) * 3 + ((2, 2),) * 8 + ((3, 3),) * 5 + ((4, 4), (2, 1), (2, 1), (3, 2)),
    "*": ((1, 1),) * 6 + ((2, 1), (1, 2)) * 3 + ((2, 2),) * 4,
    "/": ((1, 1),) * 5 + ((1, 2), (2, 1)) * 2 + ((2, 2),) * 3,
}
"""Digits of the two numbers drawn, each line a bag to draw from."""
OPERATORS = "++++++++++-----****///"
NAMES = {
    "+": ("plus", "加"),
    "-": ("minus", "减"),
    "*": ("times", "乘以"),
    "/": ("divided by", "除以"),
}


class Problems:
    """Draws items that are not held out. `excluded` is empty only to show that the filter acts."""

    def __init__(self, rng: CounterRandom, excluded: frozenset[str]) -> None:
        self.rng, self.excluded = rng, excluded

    def draw(self, operator: str | None = None) -> Problem:
        """Return an item that may be trained on."""
        while True:
            problem = self._any(operator or self.rng.choice(OPERATORS))
            if problem and item_key(*problem[:3]) not in self.excluded:
                return problem

    def _any(self, operator: str) -> Problem | None:
        wide, narrow = self.rng.choice(WIDTHS[operator])
        first, second = self._number(wide), self._number(narrow)
        if operator == "+":
            return Problem(first, operator, second, first + second)
        if operator == "*":
            return Problem(first, operator, second, first * second)
        if operator == "/":
            return Problem(first * second, operator, second, first) if second else None
        return Problem(first, operator, second, first - second) if first >= second else None

    def _number(self, digits: int) -> int:
        numbers = whole_numbers(digits)
        return self.rng.between(numbers[0], numbers[-1])


def core_question(p: Problem) -> str:
    """Return the question exactly as the core tasks put it."""
    return f"What is {p.a} {p.operator} {p.b}?"


VARIANTS: tuple[Callable[[Problem], str], ...] = (
    lambda p: f"{p.a} {p.operator} {p.b} = ?",
    lambda p: f"{p.a}{p.operator}{p.b}=",
    lambda p: f"Compute {p.a} {p.operator} {p.b}.",
    lambda p: f"How much is {p.a} {p.operator} {p.b}?",
    lambda p: f"What's {p.a} {p.operator} {p.b}?",
    lambda p: f"What is {p.a}{p.operator}{p.b}?",
    lambda p: f"What is {p.a} {NAMES[p.operator][0]} {p.b}?",
    lambda p: f"{p.a} {p.operator} {p.b} 等于多少？",
    lambda p: f"{p.a} {NAMES[p.operator][1]} {p.b} 是多少？",
    lambda p: f"Question: What is {p.a} {p.operator} {p.b}?\nAnswer:",
)
SYSTEMS = (
    "You are a helpful assistant.",
    "Answer with a number only.",
    "You are good at arithmetic.",
    "Be brief.",
)


def spoil(text: str, rng: CounterRandom) -> str:
    """Return `text` with one small slip: case, a space, or a letter; digits stay as they are."""
    kind = rng.below(4)
    if kind == 0:
        return text.lower() if rng.below(2) else text.upper()
    spots = [i for i, char in enumerate(text) if char.isascii() and char.isalpha()]
    if kind == 1 or not spots:
        spaces = [i for i, char in enumerate(text) if char == " "]
        at = rng.choice(spaces) if spaces else 0
        return text[:at] + " " + text[at:]
    at = rng.choice(spots)
    if kind == 2:  # noqa: PLR2004 - the kinds are numbered
        return text[:at] + text[at + 1 :]
    return text[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + text[at + 1 :]


def _ask(question: str, answer: str) -> tuple[Part, Part]:
    return Part("user", question, SKIM), Part("assistant", answer, LEARN)


def chat(problems: Problems) -> Document:
    """Return the core format: one question, one number."""
    p = problems.draw()
    return _ask(core_question(p), str(p.answer))


def few_shot(problems: Problems) -> Document:
    """Return a chat of two to five questions of one operation, as few-shot examples come."""
    rng = problems.rng
    operator = rng.choice(OPERATORS)
    drawn = [problems.draw(operator) for _ in range(rng.between(2, 5))]
    return tuple(part for p in drawn for part in _ask(core_question(p), str(p.answer)))


def varied(problems: Problems) -> Document:
    """Return a question put otherwise, with slips, or after a system turn."""
    rng = problems.rng
    p = problems.draw()
    question = core_question(p) if rng.below(2) else rng.choice(VARIANTS)(p)
    if rng.below(3) == 0:
        question = spoil(question, rng)
    system = (Part("system", rng.choice(SYSTEMS), SKIM),) if rng.below(3) == 0 else ()
    return (*system, *_ask(question, str(p.answer)))


def lines(problems: Problems) -> Document:
    """Return plain lines such as 12+34=46, up to some hundred bytes."""
    rng = problems.rng
    count = rng.between(20, 60) if rng.below(60) == 0 else rng.between(1, 6)
    space = rng.choice(("", " "))
    parts: list[Part] = []
    for _ in range(count):
        p = problems.draw()
        question = f"{p.a}{space}{p.operator}{space}{p.b}{space}={space}"
        parts += [Part("text", question, SKIM), Part("text", f"{p.answer}\n", LEARN)]
    return tuple(parts)


def question_answer(problems: Problems) -> Document:
    """Return plain 'Q: … A: …' blocks, as few-shot prompts for base models come."""
    rng = problems.rng
    ask, reply = rng.choice((("Q: ", "\nA: "), ("Question: ", "\nAnswer: "), ("", " ")))
    parts: list[Part] = []
    for _ in range(rng.between(1, 5)):
        p = problems.draw()
        parts += [
            Part("text", f"{ask}{core_question(p)}{reply}", SKIM),
            Part("text", f"{p.answer}\n\n", LEARN),
        ]
    return tuple(parts)


def options(problems: Problems) -> Document:
    """Return a question with lettered options, answered by the letter."""
    rng = problems.rng
    p = problems.draw("+" if rng.below(2) else "-")
    wrong = {p.answer + step for step in (-10, -2, -1, 1, 2, 10) if p.answer + step >= 0}
    offered = rng.shuffled([p.answer, *rng.sample(sorted(wrong), rng.choice((1, 3)))])
    body = "\n".join(f"{letter}. {number}" for letter, number in zip("ABCD", offered, strict=False))
    return _ask(f"{core_question(p)}\n{body}", "ABCD"[offered.index(p.answer)])


KINDS: Sequence[tuple[int, Callable[[Problems], Document]]] = (
    (34, chat),
    (14, few_shot),
    (14, varied),
    (26, lines),
    (9, question_answer),
    (3, options),
)
"""Share of the arithmetic documents in per cent, and their maker."""
