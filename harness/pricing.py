"""What a model costs and what is known of it: models.yaml put to the model of a run.

Beside `pipeline.py` a composition: `known_models` knows names, a backend knows its server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from harness.errors import UsageError
from harness.known_models import Facts, Known, by_batch, facts_of
from harness.protocols import Backend
from harness.records import ModelSpec
from harness.run.policy import Price

FREE = ("embedded", "scripted", "python", "replay", "hf", "llamacpp")
"""Backends that pay nobody for an answer."""
NOBODY_IS_PAID = Price(0.0, 0.0, 0.0)


def known_of(model: ModelSpec, backend: Backend, known: Mapping[str, Known]) -> Facts:
    """Return what is known of the model behind a backend, on the server that it asks."""
    return facts_of(model, known, backend.identity().get("base_url"))


def price_for(
    model: ModelSpec, backend: Backend, known: Mapping[str, Known], *, batch: bool = False
) -> Price | None:
    """Return what a model costs, by batch jobs where `batch`; None where that is not known."""
    price = known_of(model, backend, known).price
    if price is not None:
        price = by_batch(price, model) if batch else price
        return Price(price.prompt, price.out, price.cached)
    return NOBODY_IS_PAID if model.provider in FREE else None


def must_be_known(price: Price | None, model: ModelSpec, *, judge: bool) -> None:
    """Raise `UsageError` where a cap in money would be blind."""
    if price is None:
        how = (
            "give its price in models.yaml (a judge's model takes no -M)"
            if judge
            else "give -M price_in=… -M price_out=… (dollars per million tokens)"
        )
        raise UsageError(
            f"--max-cost: the price of {model.label} is not known; {how}, or use --max-tokens-total"
        )


def model_record(model: ModelSpec, backend: Backend, known: Mapping[str, Known]) -> dict[str, Any]:
    """Return what run.json says of a model: the backend's own word, then models.yaml's.

    `weights` (open, closed), `entry` (of models.yaml) and `price` (dollars per million tokens:
    in, cached, out, date) are null where unknown.
    """
    facts = known_of(model, backend, known)
    record: dict[str, Any] = msgspec.to_builtins(backend.info)
    for name in ("parameters", "licence", "date", "context"):
        found = getattr(facts, name)
        if record.get(name) is None and found is not None:
            record[name] = found
    price = price_for(model, backend, known)
    return record | {
        "weights": facts.weights,
        "entry": facts.entry,
        "price": None
        if price is None
        else {
            "in": price.prompt,
            "cached": price.cached,
            "out": price.completion,
            "date": facts.price.date if facts.price else None,
        },
    }
