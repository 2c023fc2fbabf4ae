"""What is known of models by name, from `models.yaml`: price, context, parameters, licence, date.

Knows no backend and asks no server. What is not in the file is unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Struct

from harness.errors import InvalidFile, UsageError, suggestion
from harness.records import ModelSpec
from harness.yamlfile import Document, read_document

SHIPPED = Path(__file__).with_name("models.yaml")
OWN = "models.yaml"
PRICE_ARGUMENTS = ("price_in", "price_out", "price_cached")
DISCOUNT = "batch_discount"
RATE_ARGUMENTS = ("rpm", "tpm", "deadline")
OWN_ARGUMENTS = (*PRICE_ARGUMENTS, DISCOUNT, *RATE_ARGUMENTS)
"""Arguments (-M) that are the harness's own: no backend sees them, no answer depends on them."""
WITHOUT_ADDRESS = ("https://api.openai.com/v1",)
"""Servers that are asked where no other is named; a run's spec need not name them."""
OPEN = ("embedded", "hf", "llamacpp")
"""Providers whose weights lie at hand."""


class ListPrice(Struct, frozen=True, forbid_unknown_fields=True, rename={"prompt": "in"}):
    """US dollars per million tokens."""

    prompt: float
    out: float
    cached: float | None = None
    """Of input that the provider reads from its cache; None: not known."""
    date: str | None = None
    """When this was the list price."""
    batch_discount: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    """Share that a batch job takes off: half at OpenAI, and at most who offer any."""


class Known(Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says of one model."""

    alias: str | None = None
    model: str | None = None
    """provider/name that this entry is another name of; what it leaves out is that one's."""
    arguments: dict[str, Any] = {}
    base_url: str | None = None
    api_key_env: str | None = None
    price: ListPrice | None = None
    context: int | None = None
    parameters: int | None = None
    weights: Literal["open", "closed"] | None = None
    licence: str | None = None
    date: str | None = None


class Facts(Struct, frozen=True):
    """What is known of the model of a run; None is unknown."""

    entry: str | None = None
    """Whose facts these are in models.yaml."""
    price: ListPrice | None = None
    context: int | None = None
    parameters: int | None = None
    weights: Literal["open", "closed"] | None = None
    licence: str | None = None
    date: str | None = None


# ---- the files ------------------------------------------------------------------------------


def known_models(folder: Path | None = None, more: Path | None = None) -> dict[str, Known]:
    """Return the models of the harness and, before them, those of the user's own files.

    `folder`/models.yaml is read where it is there; `more` (a file that the user named) goes
    before it. By name of the entry. Raises `InvalidFile` with the place of what is wrong.
    """
    own = (folder or Path()) / OWN
    found = read_models(more) if more is not None else {}
    for path in (own, SHIPPED):
        if path is SHIPPED or path.is_file():
            found |= {name: one for name, one in read_models(path).items() if name not in found}
    return found


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
    key = f"models.{name}"
    try:
        known = msgspec.convert(entry, Known)
    except msgspec.ValidationError as error:
        raise _explain(error, document, key, entry) from None
    place: dict[str, Any] = {"path": document.path, "line": document.line(key)}
    target = known.model or name
    if not isinstance(target, str) or not all(target.partition("/")):
        hint = "; or `model: provider/name` in the entry" if known.model is None else ""
        allowed = f"provider/name{hint}"
        raise InvalidFile("is no name of a model", key=str(name), allowed=allowed, **place)
    price = known.price
    amounts = (price.prompt, price.out, price.cached or 0.0) if price else ()
    if not all(0 <= amount < float("inf") for amount in amounts):
        place["line"] = document.line(f"{key}.price")
        raise InvalidFile("a price is no amount", key=f"{key}.price", **place)
    return known


def _explain(error: Exception, document: Document, key: str, entry: Any) -> InvalidFile:
    """Say which key of an entry is wrong, and where it stands."""
    message, _, at = str(error).partition(" - at `$")
    inner = at.rstrip("`").strip(".")
    unknown = message.partition("unknown field `")[2].rstrip("`")
    wrong = unknown or inner
    full = ".".join(part for part in (key, inner, unknown) if part)
    kind: type[Struct] = ListPrice if inner.startswith("price") else Known
    names = [one.encode_name for one in msgspec.structs.fields(kind)]
    problem = f"unknown key{suggestion(unknown, names)}" if unknown else message
    return InvalidFile(
        problem,
        path=document.path,
        line=document.line(full),
        key=full,
        allowed=", ".join(names) if wrong and unknown else None,
        got=None if wrong else type(entry).__name__,
    )


# ---- a model by name ------------------------------------------------------------------------


def named_model(text: str, models: Mapping[str, Known]) -> ModelSpec | None:
    """Return the model that an alias or the name of an entry stands for, or None."""
    for name, known in models.items():
        if text in (name, known.alias):
            provider, _, rest = (known.model or name).partition("/")
            base = models.get(known.model or "", Known())
            address = known.base_url or base.base_url
            return ModelSpec(
                provider,
                rest,
                {**base.arguments, **known.arguments},
                base_url=None if address in WITHOUT_ADDRESS else address,
                api_key_env=known.api_key_env or base.api_key_env,
            )
    return None


def aliases(models: Mapping[str, Known]) -> list[str]:
    """Return all names by which an entry can be asked for."""
    return [*models, *(known.alias for known in models.values() if known.alias)]


def for_backend(model: ModelSpec) -> ModelSpec:
    """Return a model without the arguments that are the harness's own."""
    kept = {key: v for key, v in model.arguments.items() if key not in OWN_ARGUMENTS}
    return msgspec.structs.replace(model, arguments=kept)


# ---- what is known of it --------------------------------------------------------------------


def price_of(
    model: ModelSpec, models: Mapping[str, Known], base_url: str | None = None
) -> ListPrice | None:
    """Return what a model costs, or None where that is not known.

    -M price_in and price_out, given together, go before the file. `base_url` is the server that
    is asked: an entry that names a server is of no use for another one. Raises `UsageError` for
    a price that is no amount.
    """
    return facts_of(model, models, base_url).price


def facts_of(model: ModelSpec, models: Mapping[str, Known], base_url: str | None = None) -> Facts:
    """Return all that is known of a model that is asked at `base_url`.

    Of the entries for its name the one that shares most arguments with it counts. Where no entry
    is for this server, weights of the same name (`hf/NAME`) tell parameters, licence and date,
    but no price: whoever serves them sets it.
    """
    given = {key: model.arguments[key] for key in PRICE_ARGUMENTS if key in model.arguments}
    name, known = _entry(model, models, base_url)
    same = models.get(f"hf/{model.name}") if known is None and "/" in model.name else None
    if same is not None:
        name, known = f"hf/{model.name}", msgspec.structs.replace(same, price=None)
    known = known or Known()
    local: Literal["open"] | None = "open" if model.provider in OPEN or same is not None else None
    return Facts(
        entry=name,
        price=_given(given) if given else known.price,
        context=known.context,
        parameters=known.parameters,
        weights=known.weights or local,
        licence=known.licence,
        date=known.date,
    )


def _entry(
    model: ModelSpec, models: Mapping[str, Known], base_url: str | None
) -> tuple[str | None, Known | None]:
    found: list[tuple[int, str, Known]] = []
    for name, one in models.items():
        known = _whole(one, models)
        shared = known.arguments.items()
        if (
            (known.model or name) == model.label
            and known.base_url in (None, base_url)
            and all(model.arguments.get(key) == value for key, value in shared)
        ):
            found.append((len(shared), name, known))
    if not found:
        return None, None
    most = max(count for count, _, _ in found)
    return next((name, known) for count, name, known in found if count == most)


def _whole(known: Known, models: Mapping[str, Known]) -> Known:
    """Return an entry with what it leaves out filled from the entry it is another name of."""
    base = models.get(known.model or "")
    if base is None:
        return known
    kept = {name: getattr(known, name) or getattr(base, name) for name in known.__struct_fields__}
    arguments = {**base.arguments, **known.arguments}
    return Known(**{**kept, "alias": known.alias, "model": known.model, "arguments": arguments})


def by_batch(price: ListPrice, model: ModelSpec) -> ListPrice:
    """Return what a batch job costs, cached input included; -M batch_discount goes first."""
    discount = model.arguments.get(DISCOUNT, price.batch_discount)
    if not amount(discount) or discount > 1:
        raise UsageError(f"-M {DISCOUNT}: the share taken off, from 0 to 1, got {discount!r}")
    share = 1 - discount
    cached = None if price.cached is None else price.cached * share
    return msgspec.structs.replace(
        price, prompt=price.prompt * share, out=price.out * share, cached=cached
    )


def _given(given: Mapping[str, Any]) -> ListPrice:
    for key, value in given.items():
        if not amount(value):
            raise UsageError(f"-M {key}: US dollars per million tokens, got {value!r}")
    if "price_in" not in given or "price_out" not in given:
        raise UsageError("-M price_in and -M price_out go together: dollars per million tokens")
    return ListPrice(given["price_in"], given["price_out"], given.get("price_cached"))


def amount(value: object) -> bool:
    """Whether a value is a number that is not negative and not infinite."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return good and 0 <= value < float("inf")  # type: ignore[operator]  # a number, by now
