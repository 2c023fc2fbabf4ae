"""Log-likelihoods from a completion that echoes its prompt, or tells of it; knows no HTTP.

The boundary between context and continuation is lm-evaluation-harness' rule: spaces at the end of
the context go to the continuation (there `_encode_pair`), and a token belongs to the continuation
where it starts at or after the end of the context. Tokens that start at or after the end of the
text were generated and are left out.
"""

from __future__ import annotations

from msgspec import Struct

from harness.backend.openai.wire import (
    PromptToken,
    TextBody,
    TextChoice,
    TextLogprobs,
    common,
    decode_text,
    malformed,
    usable_logprob,
)
from harness.records import Failure, Reply, Request, Response


class Scored(Struct, frozen=True):
    """What is to be scored: the tokens of `text` that start at `start` or later."""

    text: str
    start: int
    whole: bool
    """Whether the first token may go unscored, since nothing stands before it."""


def to_score(request: Request, prefix: str) -> Scored | Failure:
    """Return what a loglikelihood or rolling request asks to have scored.

    `prefix` stands in for an empty context.
    """
    if request.messages:
        return Failure("unsupported", "log-likelihoods are of text, not of messages")
    if request.kind == "rolling":
        text = request.prompt + request.continuation
        if not text:
            return Failure("unsupported", "there is no text to score")
        return Scored(prefix + text, len(prefix), whole=not prefix)
    if not request.continuation:
        return Failure("unsupported", "there is no continuation to score")
    context, continuation = split_boundary(request.prompt, request.continuation)
    context = context or prefix
    return Scored(context + continuation, len(context), whole=False)


def split_boundary(context: str, continuation: str) -> tuple[str, str]:
    """Move white space at the end of the context to the continuation.

    >>> split_boundary("2 + 2 = ", "4")
    ('2 + 2 =', ' 4')
    """
    kept = context.rstrip()
    return kept, context[len(kept) :] + continuation


def read_echo(raw: bytes, request: Request, scored: Scored, latency_s: float) -> Reply:
    """Return the log-likelihood that an echoing completion's body holds.

    Raises one of `wire.UNREADABLE`.
    """
    body = decode_text(raw)
    if not body.choices:
        return malformed("the body holds no choices")
    return _reply(body, body.choices[0], request, scored, latency_s)


def read_prompt_logprobs(raw: bytes, request: Request, scored: Scored, latency_s: float) -> Reply:
    """Return the log-likelihood that vLLM's `prompt_logprobs` hold; raises as `read_echo` does."""
    body = decode_text(raw)
    if not body.choices:
        return malformed("the body holds no choices")
    found = prompt_tokens(body.choices[0], scored.text)
    if isinstance(found, Failure):
        return found
    return _reply(body, TextChoice(scored.text, logprobs=found), request, scored, latency_s)


def _reply(
    body: TextBody, choice: TextChoice, request: Request, scored: Scored, latency_s: float
) -> Reply:
    total = sum_tokens(choice, scored)
    if isinstance(total, Failure):
        return total
    return Response(
        loglikelihood=total.loglikelihood,
        greedy=total.greedy,
        tokens=len(total.logprobs),
        token_logprobs=tuple(total.logprobs) if request.logprobs else None,
        **common(body, latency_s),
    )


def prompt_tokens(choice: TextChoice, text: str) -> TextLogprobs | Failure:
    """Return vLLM's `prompt_logprobs` as an echo would give them.

    A place holds the prompt's own token, which comes first or is named by `prompt_token_ids`, and
    the likeliest one. The first place holds nothing; its token is what the others leave of `text`.
    """
    places = choice.prompt_logprobs
    if not places:
        return malformed("the server returned no prompt_logprobs: try -M scoring=echo", **_LASTING)
    ids = choice.prompt_token_ids
    own = [
        _own_token(place, ids[i] if ids is not None and len(ids) == len(places) else None)
        for i, place in enumerate(places)
    ]
    rest = "".join((token.decoded_token or "") if token else "" for token in own[1:])
    first = len(text) - len(rest)
    if first < 0 or text[first:] != rest:
        return malformed("the tokens of prompt_logprobs do not make up the text", **_LASTING)
    return TextLogprobs(
        token_logprobs=[token.logprob if token else None for token in own],
        tokens=[text[:first], *((token.decoded_token or "") if token else "" for token in own[1:])],
        top_logprobs=[
            {name: token.logprob for name, token in place.items()} if place else None
            for place in places
        ],
    )


_LASTING = {"retryable": False}


def _own_token(place: dict[str, PromptToken] | None, number: int | None) -> PromptToken | None:
    if not place:
        return None
    return place.get(str(number)) or next(iter(place.values()))


class Total(Struct, frozen=True):
    """A continuation's tokens, summed up."""

    loglikelihood: float
    greedy: bool | None
    logprobs: list[float]


def sum_tokens(choice: TextChoice, scored: Scored) -> Total | Failure:
    """Sum the log-probabilities of the tokens that are to be scored, in order."""
    found = choice.logprobs
    values = found.token_logprobs if found is not None else None
    if found is None or not values:
        return malformed(
            "the server returned no log-probabilities of the prompt: it may not support echo",
            retryable=False,
        )
    if choice.text is not None and len(choice.text) < len(scored.text):
        return malformed("the server did not echo the prompt", retryable=False)
    offsets = token_offsets(found, scored.text)
    if offsets is None or len(offsets) != len(values):
        return malformed("tokens and their offsets differ in number", retryable=False)
    end = len(scored.text)
    inside = [i for i, at in enumerate(offsets) if scored.start <= at < end]
    if inside and inside[0] == 0 and values[0] is None:
        if not scored.whole and _text_at(found, 0) and offsets[0] >= 0:
            return Failure(
                "unsupported",
                "the server gives no probability to a first token with nothing before it; "
                "name the text that starts a context, such as its BOS token, with -M prefix=…",
            )
        inside = inside[1:]
    if not inside:
        return malformed("no token starts inside the continuation", retryable=False)
    return _total(values, found, inside)


def _total(values: list[float | None], found: TextLogprobs, inside: list[int]) -> Total | Failure:
    logprobs: list[float] = []
    for i in inside:
        value = values[i]
        if value is None or not usable_logprob(value):
            return malformed(
                f"log-probability of token {i} is {value}: missing, or no logarithm of a "
                "probability",
                retryable=False,
            )
        logprobs.append(value)
    # summed from the left: the same floats in the same order give the same sum elsewhere
    return Total(sum(logprobs), is_greedy(found, inside), logprobs)


def is_greedy(found: TextLogprobs, inside: list[int]) -> bool | None:
    """Return whether each token was the likeliest, or None where the server does not say.

    Values are compared, not names: two tokens may have one name.
    """
    values, tops = found.token_logprobs, found.top_logprobs
    if values is None or tops is None or len(tops) != len(values):
        return None
    for i in inside:
        top, value = tops[i], values[i]
        if not top or value is None:
            return None
        if value < max(top.values()):
            return False
    return True


def token_offsets(found: TextLogprobs, text: str) -> list[int] | None:
    """Return where each token starts in `text`, in characters.

    Without offsets from the server they are summed from the tokens' lengths. A BOS token that the
    server shows but that is not in the text (vLLM) shifts all that follow; it is put at -1.
    """
    offsets, tokens = found.text_offset, found.tokens
    if offsets is None:
        if tokens is None:
            return None
        offsets = [0]
        for token in tokens:
            offsets.append(offsets[-1] + len(token))
        offsets.pop()
    first = _text_at(found, 0)
    values = found.token_logprobs
    shown = bool(values) and values is not None and values[0] is None
    if shown and first and len(offsets) > 1 and not text.startswith(first):
        shift = offsets[1]
        return [-1, *(at - shift for at in offsets[1:])]
    return offsets


def _text_at(found: TextLogprobs, index: int) -> str:
    return found.tokens[index] if found.tokens else ""
