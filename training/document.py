"""What a corpus is made of: short documents whose parts carry a weight in the loss."""

from __future__ import annotations

from typing import Literal, NamedTuple

from harness.backend.embedded.tokenizer import BOS, EOT, ROLES, encode

Role = Literal["text", "user", "assistant", "system"]

LEARN = 1.0
"""Weight of what a model should say."""
SKIM = 0.02
"""Weight of what it should merely have seen: questions with random operands."""

LIGHT = 0.3
"""Weight of plain sentences: long, and soon known by heart."""


class Part(NamedTuple):
    """A stretch of one document."""

    role: Role
    """text: plain; otherwise a whole turn of a chat."""
    text: str
    weight: float = LEARN


Document = tuple[Part, ...]


def tokens(document: Document) -> tuple[list[int], list[float]]:
    """Return a document's tokens and the weight of predicting each (the first has none)."""
    ids, weights = [BOS], [0.0]
    for part in document:
        body = encode(part.text)
        if part.role == "text":
            ids += body
            weights += [part.weight] * len(body)
        else:
            ids += [ROLES[part.role], *body, EOT]
            weights += [SKIM] + [part.weight] * (len(body) + 1)
    if document[-1].role == "text":
        ids.append(EOT)
        weights.append(document[-1].weight)
    return ids, weights


def plain(document: Document) -> str:
    """Return all text of a document: plain parts joined as they are, turns each on its line."""
    return "".join(part.text if part.role == "text" else part.text + "\n" for part in document)
