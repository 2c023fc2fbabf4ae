"""Text drawn token by token, many answers at a time; knows nothing of scoring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from harness.backend.embedded.sampling import Sampler
from harness.backend.hf.network import Network
from harness.backend.hf.reuse import Stem
from harness.records import Request, Response

SPARE = 4
"""Tokens looked at beyond the longest stop text: it may begin inside one."""
THIN = 0.75
"""Share of unfinished answers below which the finished ones leave the batch."""


class Draft:
    """An answer in the making. State: grows with every token taken."""

    def __init__(self, request: Request, prompt: tuple[int, ...], context: int) -> None:
        generation = request.generation
        self.prompt = prompt
        self.limit = min(generation.max_tokens, context - len(prompt))
        self.finish = "" if self.limit > 0 else "length"
        self.body: list[int] = []
        self.drawn = 0
        self.stops = tuple(filter(None, generation.stop))
        self.reach = max((len(stop.encode("utf-8", "replace")) for stop in self.stops), default=0)
        self.samples = generation.temperature > 0
        self.logprobs: list[float] | None = [] if request.logprobs else None
        self.text: str | None = None
        self._sampler = Sampler(request)

    def draw(self, logits: torch.Tensor) -> int:
        """Return the next token of an answer that is sampled, from logits (vocabulary,)."""
        return self._sampler.draw(logits.cpu().numpy())

    def take(self, token: int, ends: frozenset[int]) -> bool:
        """Add a token; return whether it is one of the text's own."""
        self.drawn += 1
        if token in ends:
            self.finish = "stop"
            return False
        self.body.append(token)
        if self.drawn == self.limit:
            self.finish = "length"
        return True


class Writer:
    """Finishes drafts."""

    def __init__(self, network: Network, tokenizer: Any) -> None:
        self._network, self._tokenizer = network, tokenizer

    def __call__(self, drafts: Sequence[Draft], stem: Stem) -> list[Response]:
        """Return each draft's answer; every prompt begins with `stem`."""
        self._write([draft for draft in drafts if not draft.finish], stem)
        return [self._response(draft) for draft in drafts]

    def _write(self, drafts: list[Draft], stem: Stem) -> None:
        if not drafts:
            return
        network, start = self._network, len(stem.ids)
        width = max(len(draft.prompt) for draft in drafts) - start
        blank = [width + start - len(draft.prompt) for draft in drafts]
        ids = [
            [network.pad] * b + list(d.prompt[start:]) for b, d in zip(blank, drafts, strict=True)
        ]
        mask = network.tensor([[1] * start + [0] * b + [1] * (width - b) for b in blank])
        at = network.tensor([[0] * b + list(range(start, start + width - b)) for b in blank])
        logits, cache = network(
            network.tensor(ids),
            1,
            attention_mask=mask,
            past_key_values=stem.cache(len(drafts)),
            use_cache=True,
            **network.places(at),
        )
        position = at[:, -1:] + 1
        while True:
            tokens = self._step(drafts, logits[:, -1])
            live = [index for index, draft in enumerate(drafts) if not draft.finish]
            if not live:
                return
            if len(live) < THIN * len(drafts) and hasattr(cache, "batch_select_indices"):
                kept = torch.tensor(live, device=network.device)
                cache.batch_select_indices(kept)
                mask, position = mask[kept], position[kept]
                drafts, tokens = [drafts[i] for i in live], [tokens[i] for i in live]
            mask = torch.cat([mask, mask.new_ones((len(drafts), 1))], dim=1)
            logits, cache = network(
                network.tensor([[token] for token in tokens]),
                1,
                attention_mask=mask,
                past_key_values=cache,
                use_cache=True,
                **network.places(position),
            )
            position = position + 1

    def _step(self, drafts: list[Draft], logits: torch.Tensor) -> list[int]:
        """Give every unfinished draft its next token; return what goes in next."""
        tokens: list[int] = logits.argmax(dim=-1).tolist()
        for index, draft in enumerate(drafts):
            if draft.samples and not draft.finish:
                tokens[index] = draft.draw(logits[index])
        wanted = [i for i, d in enumerate(drafts) if d.logprobs is not None and not d.finish]
        values: dict[int, float] = {}
        if wanted:
            chosen = logits[wanted].log_softmax(dim=-1)
            own = chosen[range(len(wanted)), [tokens[i] for i in wanted]].tolist()
            values = dict(zip(wanted, own, strict=True))
        taken = []
        for index, (draft, token) in enumerate(zip(drafts, tokens, strict=True)):
            if not draft.finish and draft.take(token, self._network.ends):
                taken.append(draft)
                if draft.logprobs is not None:
                    draft.logprobs.append(values[index])
        self._stop([draft for draft in taken if draft.stops and draft.finish != "stop"])
        return tokens

    def _stop(self, drafts: list[Draft]) -> None:
        """Finish the drafts whose text now holds one of their stop texts."""
        tails = self._decode([draft.body[-draft.reach - SPARE :] for draft in drafts])
        for draft, tail in zip(drafts, tails, strict=True):
            if not any(stop in tail for stop in draft.stops):
                continue
            (text,) = self._decode([draft.body])
            places = [at for stop in draft.stops if (at := text.find(stop)) >= 0]
            if places:
                draft.text, draft.finish = text[: min(places)], "stop"
                self._shorten(draft)

    def _shorten(self, draft: Draft) -> None:
        """Keep the log-probabilities of the tokens that the text before the stop needs."""
        if draft.logprobs is not None and draft.text is not None:
            count = len(draft.body)
            while count and len(self._decode([draft.body[: count - 1]])[0]) >= len(draft.text):
                count -= 1
            del draft.logprobs[count:]

    def _decode(self, rows: list[list[int]]) -> list[str]:
        if not rows:
            return []
        texts: list[str] = self._tokenizer.batch_decode(rows, skip_special_tokens=True)
        return texts

    def _response(self, draft: Draft) -> Response:
        return Response(
            text=self._decode([draft.body])[0] if draft.text is None else draft.text,
            finish_reason=draft.finish,
            token_logprobs=None if draft.logprobs is None else tuple(draft.logprobs),
            prompt_tokens=len(draft.prompt),
            completion_tokens=draft.drawn,
        )
