"""Requests to token ids by lm-evaluation-harness's rules; knows no network.

A pair is split as its `_encode_pair` does: white space at the end of the context goes to the
continuation, whose tokens are those of the whole text beyond as many as the context has alone.
`windows` is its `get_rolling_token_windows` with `make_disjoint_window` (lm_eval/utils.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from jinja2 import TemplateError

from harness.records import Failure, Message, Request

WINDOW = 4096
"""Texts that the tokenizer gets at a time."""


class Job(NamedTuple):
    """A request in tokens."""

    place: int
    """Place among the requests it came with."""
    prompt: tuple[int, ...]
    """Never empty."""
    targets: tuple[int, ...] = ()
    """What is to be scored after the prompt; empty for generate."""


class Encoder:
    """Turns requests into jobs for one tokenizer and one length of context."""

    def __init__(self, tokenizer: Any, context: int, *, chat: bool) -> None:
        self.tokenizer, self.context, self.chat = tokenizer, context, chat
        start = tokenizer.bos_token_id
        start = tokenizer.eos_token_id if start is None else start
        self.prefix: int | None = start
        """Stands in for an empty context: BOS, else EOS."""
        self._start = "" if start is None else str(tokenizer.decode([start]))

    def jobs(self, requests: Sequence[Request]) -> tuple[list[Job], dict[int, Failure]]:
        """Return the jobs of all requests, and by place the requests that cannot be answered.

        A rolling request of many windows gives a job for each.
        """
        failed = {i: Failure("unsupported", why) for i, r in enumerate(requests) if (why := bad(r))}
        jobs: list[Job] = []
        kinds: dict[str, list[int]] = {"generate": [], "loglikelihood": [], "rolling": []}
        for i, request in enumerate(requests):
            if i not in failed:
                kinds[request.kind].append(i)
        for i, made in self._scored(requests, kinds["loglikelihood"]):
            _sort(i, made, jobs, failed)
        for i, made in self._rolling(requests, kinds["rolling"]):
            _sort(i, made, jobs, failed)
        for i in kinds["generate"]:
            _sort(i, self._prompt(i, requests[i]), jobs, failed)
        return jobs, failed

    def encode(self, texts: Sequence[str], *, special: bool | None = None) -> list[list[int]]:
        """Return the ids of each text. `special` None: special tokens as the tokenizer has it.

        A text that begins with the BOS token in writing gets no second one.
        """
        rows: list[list[int]] = []
        for start in range(0, len(texts), WINDOW):
            rows += self._encode([_plain(text) for text in texts[start : start + WINDOW]], special)
        return rows

    def _encode(self, texts: list[str], special: bool | None) -> list[list[int]]:
        if not texts:
            return []
        start = self._start
        if special is None and start and any(text.startswith(start) for text in texts):
            return [self._call([t], special=not t.startswith(start))[0] for t in texts]
        return self._call(texts, special=special is not False)

    def _call(self, texts: list[str], *, special: bool) -> list[list[int]]:
        ids: list[list[int]] = self.tokenizer(
            texts,
            add_special_tokens=special,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )["input_ids"]
        return ids

    def _scored(
        self, requests: Sequence[Request], at: list[int]
    ) -> Iterator[tuple[int, list[Job] | Failure]]:
        split = [split_boundary(requests[i].prompt, requests[i].continuation) for i in at]
        contexts = sorted({context for context, _ in split if context})
        alone = dict(zip(contexts, self.encode(contexts), strict=True))
        wholes = self.encode([context + continuation for context, continuation in split if context])
        texts = [continuation for context, continuation in split if not context]
        bare = iter(self.encode(texts, special=False))
        whole = iter(wholes)
        for i, (context, _) in zip(at, split, strict=True):
            if context:
                ids, cut = next(whole), len(alone[context])
                made = self._fitting(i, [*alone[context]], ids[cut:])
            else:
                ids = next(bare)
                made = self._after_nothing(i, ids)
            yield i, made

    def _after_nothing(self, index: int, ids: list[int]) -> list[Job] | Failure:
        if self.prefix is None:
            return Failure("unsupported", "the tokenizer has no token to start an empty context")
        if len(ids) > 1 and ids[0] == self.prefix:
            return self._fitting(index, ids[:1], ids[1:])
        return self._fitting(index, [self.prefix], ids)

    def _fitting(self, index: int, prompt: list[int], targets: list[int]) -> list[Job] | Failure:
        if not targets:
            return Failure("unsupported", "the continuation has no token of its own")
        if not prompt:
            return self._after_nothing(index, targets)
        if len(prompt) + len(targets) - 1 > self.context:
            return self._too_long(len(prompt) + len(targets) - 1)
        return [Job(index, tuple(prompt), tuple(targets))]

    def _too_long(self, need: int) -> Failure:
        said = f"{need:,} tokens are needed, the model's context is {self.context:,}"
        return Failure("too_long", said)

    def _rolling(
        self, requests: Sequence[Request], at: list[int]
    ) -> Iterator[tuple[int, list[Job] | Failure]]:
        rows = self.encode([requests[i].prompt + requests[i].continuation for i in at])
        for i, ids in zip(at, rows, strict=True):
            if self.prefix is None:
                yield i, Failure("unsupported", "the tokenizer has no token to start a text")
                continue
            if ids and ids[0] == self.prefix and self.tokenizer.bos_token_id == self.prefix:
                ids = ids[1:]  # noqa: PLW2901 - the tokenizer's own BOS is the prefix already
            if not ids:
                yield i, Failure("unsupported", "there is no text to score")
                continue
            pieces = windows(ids, self.prefix, self.context)
            yield i, [Job(i, tuple(before), tuple(after)) for before, after in pieces]

    def _prompt(self, index: int, request: Request) -> list[Job] | Failure:
        if request.messages:
            text = self.render(request.messages)
            if isinstance(text, Failure):
                return text
            ids = self.encode([text], special=False)[0]
        else:
            ids = self.encode([request.prompt])[0]
        if not ids and self.prefix is not None:
            ids = [self.prefix]
        if not ids:
            return Failure("unsupported", "the prompt has no token")
        if len(ids) + 1 > self.context:
            return self._too_long(len(ids) + 1)
        return [Job(index, tuple(ids))]

    def render(self, messages: Sequence[Message]) -> str | Failure:
        """Return a chat as the model's template writes it, open for the assistant's words."""
        if not self.chat:
            return Failure("unsupported", "this model takes text, not a chat")
        turns = [{"role": m.role, "content": m.content} for m in messages]
        own = messages[-1].role == "assistant"
        try:
            text: str = self.tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=not own, continue_final_message=own
            )
        except (TemplateError, ValueError, TypeError, KeyError) as error:
            said = " ".join(str(error).split())[:200]
            return Failure("unsupported", f"the chat template refuses this chat: {said}")
        return text


def _sort(
    index: int, made: list[Job] | Failure, jobs: list[Job], failed: dict[int, Failure]
) -> None:
    if isinstance(made, Failure):
        failed[index] = made
    else:
        jobs += made


def bad(request: Request) -> str | None:
    """Return why no transformers model can answer a request, or None."""
    if request.tools:
        return "the hf backend offers no tools"
    if request.schema is not None:
        return "the hf backend enforces no schema"
    if request.generation.extra:
        names = ", ".join(sorted(request.generation.extra))
        return f"the hf backend does not know the settings {names}"
    if request.kind != "generate" and request.messages:
        return "log-likelihoods are of text, not of messages"
    if request.kind == "loglikelihood" and not request.continuation:
        return "there is no continuation to score"
    return None


def split_boundary(context: str, continuation: str) -> tuple[str, str]:
    """Move white space at the end of the context to the continuation.

    >>> split_boundary("2 + 2 = ", "4")
    ('2 + 2 =', ' 4')
    """
    kept = context.rstrip()
    return kept, context[len(kept) :] + continuation


def windows(
    ids: Sequence[int], prefix: int, longest: int
) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """Yield (context, targets) so that each token is predicted once, in passes of `longest`.

    The first window starts from `prefix`, the others from the token before; the last has as much
    context as fits.

    >>> [tuple(map(list, w)) for w in windows([1, 2, 3, 4, 5], 0, 3)]
    [([0], [1, 2, 3]), ([2, 3], [4, 5])]
    """
    yield [prefix], ids[:longest]
    for start in range(longest, len(ids), longest):
        end = min(start + longest, len(ids))
        yield ids[end - longest - 1 : start], ids[start:end]


def _plain(text: str) -> str:
    """Return `text` without halves of surrogate pairs, which no tokenizer takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
