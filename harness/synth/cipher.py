"""A made-up cipher, to watch a model learn from examples.

The seed draws one cipher: which sign stands for which, and what is done to the order of a word's
signs. No training set can hold it, so whatever a model gets right it has read off the examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from harness.identity import CounterRandom
from harness.synth.apart import Apart, enough
from harness.synth.arguments import Arguments
from harness.synth.cells import Row

CONSONANTS = "bdgkmnst"
VOWELS = "aeiu"
SIGNS: Mapping[str, str] = MappingProxyType({
    "latin": CONSONANTS + VOWELS,
    "han": "山水日月木火土石田天人口",
})  # fmt: skip
"""Twelve signs of each script: sixteen examples show nearly all of them."""
ORDERS: Mapping[str, Callable[[str], str]] = MappingProxyType({
    "reversed": lambda word: word[::-1],
    "first to last": lambda word: word[1:] + word[0],
    "last to first": lambda word: word[-1] + word[:-1],
    "ends exchanged": lambda word: word[-1] + word[1:-1] + word[0],
    "halves exchanged": lambda word: word[len(word) // 2 :] + word[: len(word) // 2],
})  # fmt: skip
"""What a cipher may do to the order of the signs."""
LONGEST = 6
MAX_PER_CELL = 400
ATTEMPTS = 20_000


class Cipher:
    """One cipher: a substitution without fixed signs, then a change of order."""

    def __init__(self, seed: int, script: str) -> None:
        rng = CounterRandom(seed, "cipher", script)
        signs = rng.shuffled(SIGNS[script])
        # a cycle through all signs leaves none in its place
        self.substitution = dict(zip(signs, signs[1:] + signs[:1], strict=True))
        self.order = rng.choice(list(ORDERS))

    def encode(self, word: str) -> str:
        """Return the word in the cipher."""
        return ORDERS[self.order]("".join(self.substitution[sign] for sign in word))


class Ciphers:
    """Rows `plain, code, length`, all of one cipher.

    Arguments: `script` (latin, han), `lengths` (signs of a word, list of 4…6), `per_cell` (40).
    Latin words alternate consonants and vowels. No sign occurs twice in a word, and no two words
    share more than 0.8 of their signs.
    """

    version = 1

    def __call__(self, args: Mapping[str, object], seed: int) -> Iterable[Row]:
        """Yield rows, length after length; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("script", "lengths", "per_cell"))
        script = given.name("script", list(SIGNS), "latin")
        lengths = given.integers("lengths", 4, LONGEST, (4, 5, 6))
        per_cell = given.integer("per_cell", 1, MAX_PER_CELL, 40)
        cipher, apart = Cipher(seed, script), Apart()
        for length in lengths:
            rng = CounterRandom(seed, "cipher words", script, length)
            drawn = (_word(rng, script, length) for _ in range(ATTEMPTS))
            for plain in enough(drawn, lambda word: apart.take_bag(frozenset(word)), per_cell):
                yield {"plain": plain, "code": cipher.encode(plain), "length": length}


def _word(rng: CounterRandom, script: str, length: int) -> str:
    if script == "han":
        return "".join(rng.sample(SIGNS["han"], length))
    first = rng.below(2)
    consonants = rng.sample(CONSONANTS, (length + 1 - first) // 2)
    vowels = rng.sample(VOWELS, (length + first) // 2)
    kinds = (vowels, consonants) if first else (consonants, vowels)
    return "".join(kinds[place % 2][place // 2] for place in range(length))
