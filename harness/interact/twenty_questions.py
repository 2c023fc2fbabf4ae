"""A game: the model asks yes/no questions until it names the thing thought of.

The answerer is a program (`answerer`); the thing, its names and its attributes are fields of the
row. A guess counts as a question. The model wins by naming the thing within `limit` questions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from harness.errors import InvalidFile
from harness.interact.answerer import Thing, question_of, reply
from harness.protocols import Ask, Conversation
from harness.records import Response, Sample, Transcript

SAYS: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "en": MappingProxyType({"yes": "Yes.", "no": "No.", "unknown": "I don't know."}),
    "zh": MappingProxyType({"yes": "是。", "no": "不是。", "unknown": "不知道。"}),
})  # fmt: skip


def twenty_questions(sample: Sample, ask: Ask, *, limit: int = 20) -> Conversation:
    """Let the model ask until it names the thing or has asked `limit` questions.

    Facts: `won`; `questions`, how many it asked; `guesses`, how many of them named a thing;
    `understood`, how many the answerer could read. Raises `InvalidFile` where the row has no
    `names`, `others` and `values`.
    """
    thing, says = thing_of(sample.fields), SAYS["zh" if sample.language.startswith("zh") else "en"]
    said: list[Response | str] = []
    guesses = understood = 0
    won = False
    while not won and len(said) < 2 * limit:
        response = cast("Response", (yield ask(sample, said)))
        found = reply(question_of(response.text), thing, sample.language)
        guesses += found.guess
        understood += found.guess or bool(found.understood)
        won = found.guess and found.answer == "yes"
        said += [response, says[found.answer]]
    responses = tuple(item for item in said if isinstance(item, Response))
    facts = {
        "won": won,
        "questions": len(responses),
        "guesses": guesses,
        "understood": understood,
    }
    return Transcript(responses, facts=facts)


def thing_of(fields: Mapping[str, Any]) -> Thing:
    """Return the thing that a row describes; raises `InvalidFile` where a field is missing."""
    missing = [name for name in ("names", "others", "values") if name not in fields]
    if missing:
        raise InvalidFile(
            f"twenty_questions needs rows with {', '.join(missing)}",
            key="interaction",
            allowed="names, others, values",
            got=", ".join(map(str, fields)),
        )
    names = tuple(str(name).lower() for name in fields["names"])
    others = frozenset(str(name).lower() for name in fields["others"]) - set(names)
    return Thing(names, others, fields["values"])
