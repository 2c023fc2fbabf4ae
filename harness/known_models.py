"""What is known of models by name, from `models.yaml`: price, context, parameters, licence, date.

Knows no backend and asks no server. What is not in the file is unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from harness.errors import InvalidFile, UsageError, suggestion
from harness.records import ModelSpec
from harness.yamlfile import Document, read_document

SHIPPED = Path(__file__).with_name("models.yaml")
OWN = "models.yaml"
PRICE_ARGUMENTS = ("price_in", "price_out", "price_cached")
"""Arguments (-M) that state a price; they are the harness's own, not the backend's."""


class ListPrice(Struct, frozen=True, forbid_unknown_fields=True, rename={"prompt": "in"}):
    """US dollars per million tokens."""

    prompt: float
    out: float
    cached: float | None = None
    """Of input that the provider reads from its cache; None: not known."""
    date: str | None = None
    """When this was the list price."""


class Known(Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says of one model."""

    alias: str | None = None
    arguments: dict[str, Any] = {}
    base_url: str | None = None
    price: ListPrice | None = None
    context: int | None = None
    parameters: int | None = None
    licence: str | None = None
    date: str | None = None


def known_models(folder: Path | None = None) -> dict[str, Known]:
    """Return the models of the harness and, before them, those of `folder`/models.yaml.

    By `provider/name`. Raises `InvalidFile` with the place of what is wrong.
    """
    own = (folder or Path()) / OWN
    found = read_models(own) if own.is_file() else {}
    return found | {name: one for name, one in read_models(SHIPPED).items() if name not in found}


def read_models(path: Path) -> dict[str, Known]:
    """Return the models that one file lists."""
    document = read_document(path)
    for key in document.data:
        if key != "models":
            hint = suggestion(key, ["models"])
            raise InvalidFile(
                f"unknown key{hint}", path=path, line=document.line(key), key=key, allowed="models"
            )
    listed = document.data.get("models")
    if not isinstance(listed, dict):
        raise InvalidFile("is no mapping of models", path=path, key="models")
    return {name: _read(document, name, entry) for name, entry in listed.items()}


def _read(document: Document, name: Any, entry: Any) -> Known:
    place: dict[str, Any] = {
        "path": document.path,
        "line": document.line(f"models.{name}"),
    }
    if not isinstance(name, str) or "/" not in name:
        raise InvalidFile("is no name of a model", key=str(name), allowed="provider/name", **place)
    try:
        known = msgspec.convert(entry, Known)
    except msgspec.ValidationError as error:
        raise InvalidFile(f"is wrong: {error}", key=f"models.{name}", **place) from error
    price = known.price
    if price and not all(0 <= p < float("inf") for p in (price.prompt, price.out)):
        raise InvalidFile("a price is no amount", key=f"models.{name}.price", **place)
    return known


def named_model(text: str, models: Mapping[str, Known]) -> ModelSpec | None:
    """Return the model that an alias or a `provider/name` of the file stands for, or None."""
    for name, known in models.items():
        if text in (name, known.alias):
            provider, _, rest = name.partition("/")
            return ModelSpec(provider, rest, dict(known.arguments))
    return None


def without_price(model: ModelSpec) -> ModelSpec:
    """Return a model without the arguments that state its price."""
    kept = {key: v for key, v in model.arguments.items() if key not in PRICE_ARGUMENTS}
    return msgspec.structs.replace(model, arguments=kept)


def price_of(
    model: ModelSpec, models: Mapping[str, Known], base_url: str | None = None
) -> ListPrice | None:
    """Return what a model costs, or None where that is not known.

    -M price_in and price_out, given together, go before the file. `base_url` is the server that
    is asked: an entry that names a server is of no use for another one. Raises `UsageError` for
    a price that is no amount.
    """
    given = {key: model.arguments[key] for key in PRICE_ARGUMENTS if key in model.arguments}
    if given:
        return _given(given)
    known = models.get(model.label)
    if known is None or (known.base_url is not None and known.base_url != base_url):
        return None
    return known.price


def _given(given: Mapping[str, Any]) -> ListPrice:
    for key, value in given.items():
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not 0 <= value < float("inf"):
            raise UsageError(f"-M {key}: US dollars per million tokens, got {value!r}")
    if "price_in" not in given or "price_out" not in given:
        raise UsageError("-M price_in and -M price_out go together: dollars per million tokens")
    return ListPrice(given["price_in"], given["price_out"], given.get("price_cached"))
