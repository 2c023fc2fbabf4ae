"""Sums whose numbers are written in one of eight ways, and asked for in another.

The same pairs of operands come in every format, so formats compare as pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.identity import CounterRandom
from harness.synth.arguments import Arguments
from harness.synth.cells import Row, balanced, by_fields, number_of
from harness.text.number_formats import FORMATS

MAX_DIGITS = 12


class NumberFormats:
    """Rows `a, b, operator, answer, x, y, written, wrong, given, asked, how, digits, pair`.

    Arguments: `given` (formats of the operands `x` and `y`), `asked` (formats of the answer, whose
    right text is `written`), `language` (of `how`, the words that ask for it), `operation` (add,
    subtract), `digits`, `per_cell` (100). The cells are given x asked x digits; `pair` names the
    operands, which every cell of these digits shares.
    """

    version = 1

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        known = ("given", "asked", "language", "operation", "digits", "per_cell")
        said = Arguments(args, known)
        every = tuple(FORMATS)
        language = said.name("language", ("en", "zh"), "en")
        operation = said.name("operation", ("add", "subtract"), "add")
        given, asked = (
            said.names("given", every, ["digits"]),
            said.names("asked", every, ["digits"]),
        )
        for digits in said.integers("digits", 1, MAX_DIGITS, (4,)):
            rng = CounterRandom(seed, "number_formats", operation, digits)
            draw = _drawer(operation, digits)
            pairs = list(balanced(rng, draw, said.per_cell(), key=by_fields("a", "b")))
            for source in given:
                for wanted in asked:
                    yield from (_written(pair, source, wanted, language) for pair in pairs)


def _drawer(operation: str, digits: int) -> Any:
    def draw(rng: CounterRandom) -> Row:
        a, b = number_of(rng, digits), number_of(rng, digits)
        if operation == "subtract":
            a, b = max(a, b), min(a, b)
        answer = a + b if operation == "add" else a - b
        symbol = "+" if operation == "add" else "-"
        return {"a": a, "b": b, "operator": symbol, "answer": str(answer), "digits": digits}

    return draw


def _written(pair: Row, given: str, asked: str, language: str) -> Row:
    source, wanted = FORMATS[given], FORMATS[asked]
    value = int(pair["answer"])
    return {
        **pair,
        "x": source.write(pair["a"]),
        "y": source.write(pair["b"]),
        "written": wanted.write(value),
        "wrong": wanted.write(value + 1),
        "given": given,
        "asked": asked,
        "how": wanted.english if language == "en" else wanted.chinese,
        "pair": f"{pair['a']} {pair['operator']} {pair['b']}",
    }
