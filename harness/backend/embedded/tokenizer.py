"""Text to tokens and back: one token for each UTF-8 byte, and six specials.

Knows the chat template of the embedded models, which training and inference share; knows nothing
of weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.records import Message

BOS, EOT, USER, ASSISTANT, SYSTEM, PAD = range(256, 262)
"""Begin of sequence, end of turn (also end of text), the three roles, padding."""

VOCABULARY = 264
"""Rows of the embedding: bytes and specials, rounded up to a multiple of eight."""

ROLES = {"user": USER, "assistant": ASSISTANT, "system": SYSTEM}


def encode(text: str) -> list[int]:
    """Return the bytes of `text` as tokens.

    A lone surrogate, which UTF-8 cannot hold, becomes '?'.
    """
    return list(text.encode("utf-8", errors="replace"))


def decode(tokens: Iterable[int]) -> str:
    """Return the text of `tokens`; specials are dropped, invalid UTF-8 becomes U+FFFD.

    >>> decode(encode("2 + 2 = 四"))
    '2 + 2 = 四'
    """
    return bytes(token for token in tokens if token < BOS).decode("utf-8", errors="replace")


def turn(role: str, content: str) -> list[int]:
    """Return one finished turn: role, text, end of turn. Raises KeyError for an unknown role."""
    return [ROLES[role], *encode(content), EOT]


def render_chat(messages: Sequence[Message]) -> list[int]:
    """Return the prompt of a chat, open for the assistant's next words.

    A last turn of the assistant is left open, so that the model goes on with it. Raises KeyError
    for a role that the models do not know (tool).
    """
    tokens = [BOS]
    for message in messages:
        tokens += turn(message.role, message.content)
    if messages and messages[-1].role == "assistant":
        return tokens[:-1]
    return [*tokens, ASSISTANT]


def render_text(text: str) -> list[int]:
    """Return the tokens of plain text that is to be continued."""
    return [BOS, *encode(text)]
