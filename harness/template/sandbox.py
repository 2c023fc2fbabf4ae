"""The Jinja2 environment that templates run in: what they may call, and what it costs them.

Works by permission: a filter, method or global that is not named here does not exist. Jinja's
own sandbox keeps Python's internals out; this adds bounds on time and memory, which it lacks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sized
from string import Formatter
from types import BuiltinMethodType, MethodType
from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace


class LimitError(Exception):
    """A template asked for more than its budget."""


class Budget(Context):
    """The context of one render, with what it may still spend.

    Work is counted in steps: one for an operation, and one more for each 16 characters or each
    value in what it touches.
    """

    MAX_WORK = 1_000_000
    MAX_OUTPUT = 1_000_000
    """Characters that all output of one render may come to, and any one text."""
    MAX_ITEMS = 100_000
    """Length of any one list."""
    MAX_RANGE = 10_000
    MAX_WIDTH = 1_000
    """Largest width, precision or count given to a filter or format."""
    MAX_BITS = 16_384
    """Largest integer."""
    MAX_DEPTH = 50

    work = MAX_WORK
    output = MAX_OUTPUT

    def spend(self, steps: int) -> None:
        """Take `steps` from what is left."""
        self.work -= steps
        if self.work < 0:
            raise LimitError(f"more than {self.MAX_WORK:,} steps")

    def take(self, value: Any, depth: int = 0) -> None:
        """Pay for touching `value` and all within it; each use of a shared part counts."""
        kind = type(value)
        if kind is str:
            if len(value) > self.MAX_OUTPUT:
                raise LimitError(f"a text of more than {self.MAX_OUTPUT:,} characters")
            self.spend(1 + len(value) // 16)
            return
        self.spend(1)
        if isinstance(value, dict):
            self._take_all(value.keys(), depth)
            self._take_all(value.values(), depth)
        elif isinstance(value, list | tuple | set | frozenset):
            self._take_all(value, depth)
        elif depth and isinstance(value, Undefined):
            str(value)  # raises, naming what is undefined

    def _take_all(self, values: Any, depth: int) -> None:
        if depth > self.MAX_DEPTH:
            raise LimitError(f"values nested more than {self.MAX_DEPTH} deep")
        if len(values) > self.MAX_ITEMS:
            raise LimitError(f"a list of more than {self.MAX_ITEMS:,} items")
        for value in values:
            self.take(value, depth + 1)

    def room(self, characters: int) -> None:
        """Refuse to make a text or list longer than the limit."""
        if characters > self.MAX_OUTPUT:
            raise LimitError(f"a text of more than {self.MAX_OUTPUT:,} characters")

    def width(self, *values: Any) -> None:
        """Refuse a number among `values` that is too large for a width or count."""
        for value in values:
            if isinstance(value, int) and not -self.MAX_WIDTH <= value <= self.MAX_WIDTH:
                raise LimitError(f"a width or count of {value:,}; the limit is {self.MAX_WIDTH:,}")


# ---- what templates may call ----------------------------------------------------------------

_STR = """capitalize casefold center count endswith expandtabs find format index isalnum isalpha
    isascii isdecimal isdigit isidentifier islower isnumeric isspace istitle isupper join ljust
    lower lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit
    rstrip split splitlines startswith strip swapcase title upper zfill"""
METHODS: dict[type, frozenset[str]] = {
    str: frozenset(_STR.split()),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
    int: frozenset({"bit_length"}),
    float: frozenset({"is_integer"}),
}
_WIDTH_METHODS = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs"})
_WIDTH_FILTERS = frozenset({"center", "batch", "slice", "round", "truncate", "wordwrap", "indent"})
_FILTERS = """abs batch capitalize center count d default dictsort first float groupby indent int
    items join last length list lower map max min reject rejectattr replace reverse round select
    selectattr slice sort string sum title trim truncate unique upper wordcount wordwrap"""


def _format_parts(text: str) -> Iterator[tuple[str, str]]:
    for _, name, spec, _ in Formatter().parse(text):
        if name is not None:
            yield name, spec or ""


def _check_format(text: str) -> None:
    """Allow `{}`, `{0}`, `{name}` with a plain format; no attributes, no nested widths."""
    for name, spec in _format_parts(text):
        if "." in name or "[" in name or "{" in spec:
            raise SecurityError(f"format field '{name}:{spec}' is not allowed")
        if any(int(run[:9]) > Budget.MAX_WIDTH for run in re.findall(r"\d+", spec)):
            raise LimitError(f"a width of more than {Budget.MAX_WIDTH:,} in a format")


_PERCENT = re.compile(r"%(?:\([^)]*\))?[#0\- +]*(\*|\d+)?(?:\.(\*|\d+)?)?")


def _check_percent(text: str) -> None:
    for match in _PERCENT.finditer(text):
        for width in match.groups():
            if width == "*" or (width and int(width[:9]) > Budget.MAX_WIDTH):
                raise LimitError(f"a width of '{width[:9]}' in a format")


def _check_replace(budget: Budget, text: str, args: tuple[Any, ...]) -> None:
    if len(args) >= 2:  # noqa: PLR2004 - old and new
        old, new = str(args[0]), str(args[1])
        times = text.count(old) if old else len(text) + 1
        budget.room(len(text) + times * len(new))


def _check_join(budget: Budget, separator: str, values: Any) -> None:
    if isinstance(values, Sized):
        lengths = (
            sum(len(value) for value in values if isinstance(value, str))
            if isinstance(values, list | tuple | dict)
            else len(values)
        )
        budget.room(lengths + len(values) * len(separator))


@pass_context
def _steps(budget: Budget, values: Any, weight: int) -> Any:
    """Price a loop before its first pass."""
    if isinstance(values, Undefined):
        return values  # raises where the loop begins, with its own message
    if isinstance(values, Sized):
        budget.spend(weight * len(values))
        return values
    raise TypeError(f"cannot loop over {type(values).__name__}")


@pass_context
def _spend(budget: Budget, weight: int) -> str:
    budget.spend(weight)
    return ""


@pass_context
def _seen(budget: Budget, value: Any) -> Any:
    budget.take(value)
    return value


@pass_context
def _concat(budget: Budget, values: list[Any]) -> str:
    texts = [show(budget, value) for value in values]
    budget.room(sum(map(len, texts)))
    budget.spend(sum(map(len, texts)) // 16)
    return "".join(texts)


@pass_context
def _tojson(budget: Budget, value: Any, indent: int | None = None) -> str:
    """Encode as JSON, as it is: nothing is escaped for HTML, which a prompt is not."""
    budget.take(value)
    if indent is not None and not 0 <= indent <= 8:  # noqa: PLR2004 - enough for any reader
        raise LimitError(f"an indent of {indent}; the limit is 8")
    return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)


@pass_context
def _format(budget: Budget, text: Any, *args: Any, **kwargs: Any) -> str:
    """The `%` formatting filter."""
    if args and kwargs:
        raise TypeError("give either positions or names, not both")
    return str(_percent(budget, str(text), kwargs or args))


def _percent(budget: Budget, text: str, values: Any) -> str:
    _check_percent(text)
    budget.take(values)
    budget.room(len(text))
    return str(text % values)


def show(budget: Budget, value: Any) -> str:
    """Return `value` as text; only data can be shown."""
    if type(value) is str:
        return value
    if value is None or isinstance(value, bool | int | float | str):
        return str(value)
    if isinstance(value, Undefined):
        return str(value)  # raises, naming what is undefined
    if isinstance(value, list | tuple | dict):
        budget.take(value)
        return str(value)
    raise TypeError(f"{type(value).__name__} is not data that can be shown")


@pass_context
def _finalize(budget: Budget, value: Any) -> str:
    """Turn an output expression into text and count it."""
    text = show(budget, value)
    budget.output -= len(text)
    if budget.output < 0:
        raise LimitError(f"more than {budget.MAX_OUTPUT:,} characters of output")
    return text


def finish(budget: Budget, value: Any) -> Any:
    """Return the value of an expression as plain data."""
    if isinstance(value, Undefined):
        return str(value)  # raises, save for an `if` without `else`, which is empty
    if isinstance(value, tuple):
        value = list(value)
    if value is None or isinstance(value, str | bool | int | float | list | dict):
        budget.take(value)
        return value
    raise TypeError(f"{type(value).__name__} is not data")


def _guarded(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap one of Jinja's filters: pay for input and result, check what multiplies."""
    needs = getattr(getattr(filter_, "jinja_pass_arg", None), "name", None)

    def call(budget: Budget, value: Any, *args: Any, **kwargs: Any) -> Any:
        budget.take(value)
        budget.take(args)
        budget.take(kwargs)
        _check_filter(budget, name, value, (*args, *kwargs.values()))
        first = {"context": budget, "eval_context": budget.eval_ctx, None: None}.get(
            needs, budget.environment
        )
        result = filter_(*([] if needs is None else [first]), value, *args, **kwargs)
        if isinstance(result, Iterator):
            result = list(result)
        budget.take(result)
        return result

    return pass_context(call)


def _check_filter(budget: Budget, name: str, value: Any, args: tuple[Any, ...]) -> None:
    if name in _WIDTH_FILTERS:
        budget.width(*args)
    if name == "replace":
        _check_replace(budget, str(value), args)
    elif name == "join" and args:
        _check_join(budget, str(args[0]), value)
    elif name == "indent" and args and isinstance(args[0], str):
        budget.room((str(value).count("\n") + 1) * len(args[0]))
    elif name == "sum" and not all(isinstance(arg, int | float | str) for arg in args):
        raise TypeError("sum adds numbers")


def _bounded_range(*args: int) -> range:
    """Return `range` of at most `Budget.MAX_RANGE` numbers."""
    numbers = range(*args)
    if len(numbers) > Budget.MAX_RANGE:
        raise LimitError(f"a range of more than {Budget.MAX_RANGE:,} numbers")
    return numbers


class Environment(ImmutableSandboxedEnvironment):
    """Jinja2 with a price on every operation that can grow."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    context_class = Budget

    def __init__(self, **options: Any) -> None:
        super().__init__(finalize=_finalize, **options)
        self.globals = {"range": _bounded_range, "dict": dict, "namespace": Namespace}
        self.filters = {name: _guarded(name, FILTERS[name]) for name in _FILTERS.split()}
        self.filters |= {"tojson": _tojson, "format": _format, "_steps": _steps}
        self.filters |= {"_spend": _spend, "_seen": _seen, "_concat": _concat}

    def context(self, fields: Mapping[str, Any]) -> Budget:
        """Return a fresh context in which `fields` are the only names besides the globals."""
        return Budget(self, {**self.globals, **fields}, None, {})

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a field of a mapping first, else an allowed method."""
        if attribute.startswith("_"):
            return self.unsafe_undefined(obj, attribute)
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        if attribute in METHODS.get(type(obj), ()):
            return getattr(obj, attribute)
        if isinstance(obj, LoopContext | Namespace) or attribute in getattr(obj, "_fields", ()):
            return super().getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item; never falls back to attributes."""
        if not isinstance(obj, str | list | tuple | dict | range):
            return self.undefined(obj=obj, name=argument)
        try:
            return obj[argument]
        except (TypeError, LookupError):
            return self.undefined(obj=obj, name=argument)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, one of the globals, or an allowed method of a value."""
        assert isinstance(context, Budget)
        context.take(args)
        context.take(kwargs)
        if isinstance(obj, BuiltinMethodType):
            _check_method(context, obj, args)
        elif isinstance(obj, MethodType):
            if not isinstance(obj.__self__, LoopContext) or obj.__name__ not in (
                "cycle",
                "changed",
            ):
                raise SecurityError(f"calling '{obj.__name__}' is not allowed")
        elif isinstance(obj, Undefined):
            str(obj)  # raises, naming what is undefined
        elif not isinstance(obj, Macro) and obj not in (_bounded_range, dict, Namespace):
            raise SecurityError(f"calling {type(obj).__name__} is not allowed")
        result = context.call(obj, *args, **kwargs)
        context.take(result)
        return result

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute `+ * ** %` where the result is known to stay small."""
        assert isinstance(context, Budget)
        context.spend(1)
        if operator == "+":
            context.take(left)
            context.take(right)
        elif operator == "%" and isinstance(left, str):
            return _percent(context, left, right)
        elif operator == "*":
            _check_product(context, left, right)
        elif operator == "**":
            _check_power(context, left, right)
        result = self.binop_table[operator](left, right)
        context.take(result)
        return result


def _check_method(budget: Budget, method: Any, args: tuple[Any, ...]) -> None:
    owner, name = method.__self__, method.__name__
    if name not in METHODS.get(type(owner), ()):
        raise SecurityError(f"calling '{name}' is not allowed")
    budget.take(owner)
    if name in _WIDTH_METHODS:
        budget.width(*args)
    elif name == "format":
        _check_format(owner)
    elif name == "replace":
        _check_replace(budget, owner, args)
    elif name == "join" and args:
        _check_join(budget, owner, args[0])


def _check_product(budget: Budget, left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > budget.MAX_BITS:
            raise LimitError(f"an integer of more than {budget.MAX_BITS:,} bits")
        return
    for value, times in ((left, right), (right, left)):
        if isinstance(times, int) and isinstance(value, str):
            budget.room(len(value) * times)
        elif isinstance(times, int) and isinstance(value, list | tuple):
            budget.take(value)
            if len(value) * times > budget.MAX_ITEMS:
                raise LimitError(f"a list of more than {budget.MAX_ITEMS:,} items")


def _check_power(budget: Budget, left: Any, right: Any) -> None:
    whole = isinstance(left, int) and isinstance(right, int)
    if whole and left.bit_length() * abs(right) > budget.MAX_BITS:
        raise LimitError(f"an integer of more than {budget.MAX_BITS:,} bits")
