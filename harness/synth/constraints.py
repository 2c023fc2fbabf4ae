"""Prompts with constraints that a program can check, alone and combined.

Each row brings a text that meets its constraints and one that breaks all of them: dull, but they
show that the constraints can be met together and that the checks can fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any

from msgspec import Struct

from harness.identity import CounterRandom
from harness.synth import constraint_words as words
from harness.synth.apart import Apart, enough
from harness.synth.arguments import Arguments
from harness.synth.cells import Row

MOST = 4
"""Constraints of one prompt."""
ATTEMPTS = 20_000
PROSE = ("length", "sentences", "include", "avoid", "without", "no_commas", "quoted", "starts",
         "ends", "before", "language", "case")  # fmt: skip
LIST = ("item_length", "sorted", "without", "include", "avoid", "language", "case")
JSON = ("key_order", "value_length", "include", "avoid")

Constraint = dict[str, Any]


class Draft(Struct, frozen=True):
    """What is drawn for one prompt before it is put into words."""

    family: str
    topic: str
    text_language: str
    constraints: list[Constraint]
    oracle: str


class Vocabulary:
    """The words of one text: none holds the sign that is forbidden, none is drawn twice."""

    def __init__(self, rng: CounterRandom, language: str, *, without: bool) -> None:
        self.rng, self.language = rng, language
        self.sign = rng.choice(words.SIGNS[language]) if without else None
        self._wanted = iter(rng.shuffled(self.usable(words.WANTED)))
        self.fillers = rng.shuffled(self.usable(words.FILLERS))

    def usable(self, table: Mapping[str, Sequence[str]]) -> list[str]:
        """Return the words of a table that may stand in the text."""
        return [w for w in table[self.language] if self.sign is None or self.sign not in w.lower()]

    def wanted(self, count: int) -> list[str]:
        """Return words that the text must hold."""
        return [*islice(self._wanted, count)]

    def forbidden(self) -> list[str]:
        """Return words that the text must not hold."""
        return self.rng.sample(words.FORBIDDEN[self.language], self.rng.between(2, 3))

    def shared(self, kinds: Sequence[str]) -> list[Constraint]:
        """Return the constraints that texts of every form may have."""
        found: list[Constraint] = []
        if "include" in kinds:
            found.append({"kind": "include", "words": self.wanted(2)})
        if "avoid" in kinds:
            found.append({"kind": "avoid", "words": self.forbidden()})
        if self.sign is not None:
            found.append({"kind": "without", "sign": self.sign})
        if "language" in kinds:
            found.append({"kind": "language", "language": self.language})
        if "case" in kinds:
            found.append({"kind": "case", "case": self.rng.choice(("upper", "lower"))})
        return found


def _draft(rng: CounterRandom, language: str, family: str, kinds: Sequence[str]) -> Draft:
    other = {"en": "zh", "zh": "en"}[language]
    text_language = other if "language" in kinds else language
    vocabulary = Vocabulary(rng, text_language, without="without" in kinds)
    shared = vocabulary.shared(kinds)
    if family == "prose":
        constraints, text = _prose(vocabulary, kinds, shared)
        topic = rng.choice(words.TOPICS[language])
    elif family == "list":
        constraints, text = _list(vocabulary, kinds, shared)
        topic = rng.choice(words.LISTS[language])
    else:
        constraints, text = _json(vocabulary, kinds, shared)
        topic = rng.choice(words.OBJECTS[language])
    case = next((c["case"] for c in constraints if c["kind"] == "case"), None)
    text = text.upper() if case == "upper" else text.lower() if case == "lower" else text
    return Draft(family, topic, text_language, constraints, text)


def _included(shared: Sequence[Constraint]) -> list[str]:
    return [word for c in shared if c["kind"] == "include" for word in c["words"]]


# ---- prose ----------------------------------------------------------------------------------


def _prose(
    vocabulary: Vocabulary, kinds: Sequence[str], shared: list[Constraint]
) -> tuple[list[Constraint], str]:
    rng, language = vocabulary.rng, vocabulary.language
    sentences, low = rng.between(2, 5), rng.between(20, 40)
    first, second = vocabulary.wanted(2)
    start, end = (rng.choice(vocabulary.usable(t)) for t in (words.STARTS, words.ENDS))
    own: dict[str, Constraint] = {
        "length": {"low": low, "high": low + 10, "language": language},
        "sentences": {"count": sentences},
        "starts": {"words": start},
        "ends": {"words": end},
        "before": {"first": first, "second": second},
        "no_commas": {},
        "quoted": {},
    }
    head = [start] if "starts" in kinds else []
    middle = _included(shared) + ([first, second] if "before" in kinds else [])
    tail = [end] if "ends" in kinds else []
    fill = _fill(vocabulary, [*head, *middle, *tail], low + 5)
    text = _sentences([*head, *middle, *fill, *tail], sentences, language)
    made = [{"kind": kind, **own[kind]} for kind in kinds if kind in own]
    return made + shared, f'"{text}"' if "quoted" in kinds else text


def _units(text: str, language: str) -> int:
    return len(text) if language == "zh" else len(text.split())


def _fill(vocabulary: Vocabulary, given: Sequence[str], length: int) -> list[str]:
    """Return fillers that bring the words given to about `length`."""
    total = sum(_units(word, vocabulary.language) for word in given)
    fill: list[str] = []
    while total < length - 1:
        word = vocabulary.fillers[len(fill) % len(vocabulary.fillers)]
        total += _units(word, vocabulary.language)
        fill.append(word)
    return fill


def _sentences(tokens: Sequence[str], count: int, language: str) -> str:
    """Return the words as so many sentences, as equal in length as can be."""
    cuts = [round(i * len(tokens) / count) for i in range(count + 1)]
    parts = [tokens[a:b] for a, b in pairwise(cuts)]
    if language == "zh":
        return "".join("".join(part) + "。" for part in parts)
    joined = (" ".join(part) for part in parts)
    return " ".join(part[0].upper() + part[1:] + "." for part in joined)


# ---- lists and objects ----------------------------------------------------------------------


def _list(
    vocabulary: Vocabulary, kinds: Sequence[str], shared: list[Constraint]
) -> tuple[list[Constraint], str]:
    rng, language = vocabulary.rng, vocabulary.language
    style, count = rng.choice(("bullet", "numbered")), rng.between(3, 7)
    high = rng.between(2, 3) if language == "en" else rng.between(4, 6)
    own: dict[str, Constraint] = {
        "item_length": {"high": high, "style": style, "language": language},
        "sorted": {"style": style, "by": "alphabet" if language == "en" else "length"},
    }
    items = [*_included(shared), *vocabulary.fillers][:count]
    if "sorted" in kinds and language == "en":
        items.sort()
    lines = [
        f"- {item}" if style == "bullet" else f"{number}. {item}"
        for number, item in enumerate(items, 1)
    ]
    made = [{"kind": kind, **own[kind]} for kind in kinds if kind in own]
    return [{"kind": "items", "count": count, "style": style}, *made, *shared], "\n".join(lines)


def _json(
    vocabulary: Vocabulary, kinds: Sequence[str], shared: list[Constraint]
) -> tuple[list[Constraint], str]:
    rng, language = vocabulary.rng, vocabulary.language
    keys = rng.sample(words.KEYS[language], rng.between(3, 5))
    high = rng.between(2, 6) if language == "en" else rng.between(4, 10)
    own: dict[str, Constraint] = {
        "key_order": {"keys": keys},
        "value_length": {"high": high, "language": language},
    }
    values = [*_included(shared), *vocabulary.fillers]
    made = [{"kind": kind, **own[kind]} for kind in kinds if kind in own]
    text = json.dumps(dict(zip(keys, values, strict=False)), ensure_ascii=False)
    return [{"kind": "json", "keys": sorted(keys)}, *made, *shared], text


# ---- wording --------------------------------------------------------------------------------

_DECIDING = {
    "length": "language", "without": "text", "case": "case", "items": "style",
    "item_length": "language", "value_length": "language", "sorted": "by", "json": "",
    "language": "language",
}  # fmt: skip
"""What decides the wording of a constraint: an argument, or the language of the text."""


def asked(constraint: Constraint, language: str, text_language: str) -> str:
    """Return a constraint in words."""
    asks, kind = words.ASKS[language], constraint["kind"]
    key = kind
    if kind in _DECIDING:
        name = _DECIDING[kind]
        key = f"{kind}:{text_language if name == 'text' else constraint.get(name, '')}"
    listed = {
        name: asks["and"].join(asks["quote"].format(item) for item in value)
        if isinstance(value, list)
        else value
        for name, value in constraint.items()
        if name != "kind"
    }
    return asks[key].format(**listed)


def _prompt(draft: Draft, language: str) -> str:
    head = words.ASKS[language][draft.family].format(topic=draft.topic)
    lines = [asked(c, language, draft.text_language) for c in draft.constraints]
    return "\n".join([head, *(f"- {line}" for line in lines)])


def _wrong(draft: Draft) -> str:
    """Return a text that breaks every constraint: short, with a comma and all that is forbidden."""
    bad = [word for c in draft.constraints for word in c.get("words", ()) if c["kind"] == "avoid"]
    bad += [c["sign"] for c in draft.constraints if c["kind"] == "without"]
    foreign = "不对" if draft.text_language == "en" else "No"
    return " ".join(["No,", *bad, foreign])


# ---- rows -----------------------------------------------------------------------------------


class Constraints:
    """Rows `prompt, constraints, count, kind, family, oracle, wrong`.

    Arguments: `language` of the prompts (en, zh), `counts` (how many constraints, list of 1…4),
    `per_cell` (rows for each of them, 36). `constraints` lists mappings of `kind` and arguments,
    `kind` is the constraint's where there is one and else `combined`; `family` is prose, list or
    json. No two prompts share more than 0.8 of their words.
    """

    version = 1

    def __call__(self, args: Mapping[str, object], seed: int) -> Iterable[Row]:
        """Yield rows, cell after cell; raises `InvalidFile` where an argument is wrong."""
        given = Arguments(args, ("language", "counts", "per_cell"))
        language = given.name("language", ("en", "zh"), "en")
        counts = given.integers("counts", 1, MOST, (1, 2, 3, 4))
        per_cell = given.integer("per_cell", 1, 200, 36)
        apart = Apart(language)
        for count in counts:
            rng = CounterRandom(seed, "constraints", language, count)
            drafts = _drafts(rng, language, count)
            rows = (_row(draft, language) for draft in islice(drafts, ATTEMPTS))
            yield from enough(rows, lambda row: apart.take(row["prompt"]), per_cell)


def _drafts(rng: CounterRandom, language: str, count: int) -> Iterator[Draft]:
    """Yield drafts for ever; single constraints take turns."""
    alone: list[tuple[str, tuple[str, ...]]] = [
        ("prose", (kind,)) for kind in PROSE if kind != "case" or language == "en"
    ]
    alone += [("list", ()), ("json", ())]
    turn = 0
    while True:
        if count == 1:
            family, kinds = alone[turn % len(alone)]
        else:
            family = ("prose", "list", "prose", "json", "prose", "list")[turn % 6]
            kinds = _kinds(rng, language, family, count)
        turn += 1
        yield _draft(rng, language, family, kinds)


def _kinds(rng: CounterRandom, language: str, family: str, count: int) -> tuple[str, ...]:
    """Draw which constraints stand together; a list and an object bring one of their own."""
    pool = {"prose": PROSE, "list": LIST, "json": JSON}[family]
    number = count if family == "prose" else count - 1
    while True:
        kinds = tuple(rng.sample(pool, number))
        english = language == ("zh" if "language" in kinds else "en")
        if "case" not in kinds or english:
            return kinds


def _row(draft: Draft, language: str) -> Row:
    kinds = [c["kind"] for c in draft.constraints]
    return {
        "prompt": _prompt(draft, language),
        "constraints": draft.constraints,
        "count": len(kinds),
        "kind": kinds[0] if len(kinds) == 1 else "combined",
        "family": draft.family,
        "oracle": draft.oracle,
        "wrong": _wrong(draft),
    }
