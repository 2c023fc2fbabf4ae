"""Nested expressions: depth is the difficulty, for the numbers stay small.

A table of results helps with one operation on small numbers, but the number of expressions grows
without bound with depth: only the recursive procedure gets deep ones right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from harness.identity import CounterRandom
from harness.synth.arguments import Arguments
from harness.synth.cells import Row, balanced, by_fields

MAX_DEPTH = 12
USUAL = tuple(range(1, 9))
MAX_VALUE = 99
"""No intermediate result is larger in absolute value."""
LARGEST_LEAF = 9
ATTEMPTS = 200


class Node(Struct, frozen=True):
    """An expression: a leaf, or an operation on two of them."""

    value: int
    text: str
    depth: int
    operations: int

    @property
    def inner(self) -> str:
        """The text as a part of a larger expression: in brackets where it is an operation."""
        return f"({self.text})" if self.depth else self.text


def join(left: Node, symbol: str, right: Node) -> Node | None:
    """Return the operation on two expressions; None where its value is too large."""
    value = {
        "+": left.value + right.value,
        "-": left.value - right.value,
        "*": left.value * right.value,
    }[symbol]
    if abs(value) > MAX_VALUE:
        return None
    return Node(
        value,
        f"{left.inner} {symbol} {right.inner}",
        1 + max(left.depth, right.depth),
        1 + left.operations + right.operations,
    )


def grow(rng: CounterRandom, depth: int) -> Node:
    """Draw an expression whose longest chain of nested operations is `depth`.

    At each level one side carries on the nesting and the other is a number or one operation.
    Raises ValueError where none is found, which small numbers make impossible in practice.
    """
    if depth == 0:
        value = rng.between(1, LARGEST_LEAF)
        return Node(value, str(value), 0, 0)
    deep = grow(rng, depth - 1)
    for _ in range(ATTEMPTS):
        side = grow(rng, rng.below(2) if depth > 1 else 0)
        symbol = rng.choice("+-*")
        pair = (deep, side) if rng.below(2) else (side, deep)
        node = join(pair[0], symbol, pair[1])
        # 0 times what stands on the other side would make all of its nesting vanish
        if node is not None and not (symbol == "*" and 0 in (deep.value, side.value)):
            return node
    raise ValueError(f"no expression of depth {depth} with values up to {MAX_VALUE}")


class Expressions:
    """Rows `expression, answer, depth, operations`.

    Arguments: `depths` (1…12), `per_cell` (100). Operations are + - *, leaves 1…9, every
    intermediate result lies in -99…99, and every operation but the outermost is in brackets.
    """

    version = 1

    def __call__(self, args: Mapping[str, Any], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("depths", "per_cell"))
        depths, per_cell = given.integers("depths", 1, MAX_DEPTH, USUAL), given.per_cell()
        for depth in depths:
            rng = CounterRandom(seed, "expressions", depth)
            yield from balanced(rng, _drawer(depth), per_cell, key=by_fields("expression"))


def _drawer(depth: int) -> Callable[[CounterRandom], Row]:
    def draw(rng: CounterRandom) -> Row:
        node = grow(rng, depth)
        return {
            "expression": node.text,
            "answer": str(node.value),
            "depth": depth,
            "operations": node.operations,
        }

    return draw
