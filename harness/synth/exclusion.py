"""Passages that name things to list and things to leave out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.identity import CounterRandom
from harness.synth.apart import Apart, enough
from harness.synth.arguments import Arguments
from harness.synth.cells import Row
from harness.synth.exclusion_words import DOMAINS, NAMES, Domain

WANTED = (2, 6)
"""Fewest and most things to list."""
ATTEMPTS = 5_000


class Exclusion:
    """Rows `passage, ask, items, excluded, domain, count, denied`.

    Arguments: `language` (en, zh), `per_cell` (24 for each domain). `items` are to be listed;
    `excluded` are of another kind, or of the wanted kind and said not to hold (`denied` of them,
    0 or 1). No two passages share more than 0.8 of their words.
    """

    version = 1

    def __call__(self, args: Mapping[str, object], seed: int) -> Iterable[Row]:
        """Yield rows, domain after domain; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("language", "per_cell"))
        language = given.name("language", list(DOMAINS), "en")
        per_cell = given.integer("per_cell", 1, 60, 24)
        for domain in DOMAINS[language]:
            yield from _cell(domain, language, per_cell, seed)


def _cell(domain: Domain, language: str, count: int, seed: int) -> list[Row]:
    rng, apart = CounterRandom(seed, "exclusion", language, domain.name), Apart(language)
    rows = (_row(rng, domain, language) for _ in range(ATTEMPTS))
    return enough(rows, lambda row: apart.take(row["passage"]), count)


def _row(rng: CounterRandom, domain: Domain, language: str) -> Row:
    count, denied = rng.between(*WANTED), rng.below(2)
    *items, denial = rng.sample(domain.wanted, count + 1)
    left_out = rng.sample(domain.excluded, rng.between(1, 3))
    told = _parts(rng, items, domain.telling, "a", language)
    told += _parts(rng, left_out, domain.other, "b", language)
    if denied:
        told.append(rng.choice(domain.denied).replace("{d}", denial))
    lines = [rng.choice(domain.opening), *rng.shuffled(told), rng.choice(domain.closing)]
    name = rng.choice(NAMES[language])
    space = "" if language == "zh" else " "
    return {
        "passage": space.join(line for line in lines if line).replace("{name}", name),
        "ask": domain.ask.replace("{name}", name),
        "items": items,
        "excluded": left_out + ([denial] if denied else []),
        "domain": domain.name,
        "count": count,
        "denied": denied,
    }


def _parts(
    rng: CounterRandom, items: list[str], sentences: tuple[str, ...], slot: str, language: str
) -> list[str]:
    """Spread the items over different sentences, one to three each."""
    shuffled = rng.shuffled(sentences)
    parts: list[str] = []
    rest = list(items)
    while rest:
        size = min(len(rest), rng.between(1, 3))
        group, rest = rest[:size], rest[size:]
        parts.append(shuffled[len(parts)].replace(f"{{{slot}}}", _enumerated(group, language)))
        if len(parts) == len(shuffled) - 1 and rest:  # the last sentence takes what is left
            parts.append(shuffled[-1].replace(f"{{{slot}}}", _enumerated(rest, language)))
            return parts
    return parts


def _enumerated(items: list[str], language: str) -> str:
    """Return items as a sentence lists them.

    >>> _enumerated(["a", "b", "c"], "en"), _enumerated(["甲", "乙"], "zh")
    ('a, b and c', '甲和乙')
    """
    comma, last = ("、", "和") if language == "zh" else (", ", " and ")
    return last.join([comma.join(items[:-1]), items[-1]] if len(items) > 1 else items)
