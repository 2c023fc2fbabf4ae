"""Tokens of a text with their probabilities: what a backend may offer so that it can be served.

An echoing completion lists every token of the prompt. `harness serve` gets that list from a
backend that has `score_tokens`; for one that has not, whose tokens are bytes, from a rolling
log-likelihood, which does not say which tokens were the likeliest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from harness.records import Failure


class TokenScore(Struct, frozen=True):
    """One token of a text."""

    text: str
    """As a server names it; a byte that is no character by itself is `bytes:\\xe4`."""
    offset: int
    """Where it starts in the text, in characters."""
    logprob: float | None
    """Natural logarithm, given all before it; None for a first token with nothing before it."""
    best_text: str | None = None
    """Name of the likeliest token at this place; None: not known."""
    best_logprob: float | None = None


@runtime_checkable
class ScoresTokens(Protocol):
    """A backend that says more of a text than `answer` does."""

    async def score_tokens(self, texts: Sequence[str]) -> list[list[TokenScore] | Failure]:
        """Return the tokens of each text, in order.

        Summed from the left, the `logprob` of a continuation's tokens are exactly the
        `loglikelihood` that `answer` gives for it. A BOS token is not listed; the token after it
        has its log-probability. A text that does not fit into the context is a `Failure` of
        kind too_long, and is not cut.
        """
        ...


def byte_name(value: int) -> str:
    r"""Return the name of one byte as a token, in the spelling of OpenAI's completions.

    >>> byte_name(65), byte_name(0xE4)
    ('A', 'bytes:\\xe4')
    """
    return chr(value) if value < 128 else f"bytes:\\x{value:02x}"  # noqa: PLR2004 - ASCII


def byte_tokens(text: str) -> list[tuple[str, int]]:
    r"""Return name and offset of each UTF-8 byte of `text`.

    All bytes of a character have the offset of that character.

    >>> byte_tokens("a=é")[1:]
    [('=', 1), ('bytes:\\xc3', 2), ('bytes:\\xa9', 2)]
    """
    return [
        (byte_name(byte), offset)
        for offset, character in enumerate(text)
        for byte in character.encode("utf-8", "replace")
    ]
