"""Sandboxed, strict-undefined Jinja2, bounded in time, memory and output.

A template is data from a stranger. It sees the fields it is given and nothing of Python. Every
render has a budget: each pass of a loop costs the number of nodes in its body, each operation
the size of what it reads and makes, and text put out is counted. What exceeds a limit, or fails
in any way, is one `InvalidFile` that names the file, the line and the key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer

from harness.errors import InvalidFile, nearest
from harness.template.sandbox import Budget, Environment, LimitError, finish

MAX_TEMPLATE = 100_000
"""Characters of one template's own text."""
MAX_NESTING = 200
"""Nodes within nodes: below what any interpreter's recursion limit allows."""

_ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Expr,
    nodes.Helper,
    nodes.Template,
    nodes.Output,
    nodes.If,
    nodes.For,
    nodes.Assign,
    nodes.AssignBlock,
    nodes.Macro,
    nodes.With,
    nodes.FilterBlock,
)
_INTERNALS = "templates reach data only, not Python's internals"


class Template:
    """A compiled template. Rendering has no side effect and keeps no state."""

    __slots__ = (
        "_constant",
        "_expression",
        "_field",
        "_root",
        "key",
        "line",
        "names",
        "path",
        "text",
    )

    def __init__(self, text: str, place: _Place) -> None:
        self.text = text
        self.path, self.line, self.key = place.path, place.line, place.key
        tree = _parse(text, self)
        self.names = frozenset(_undeclared(tree))
        """Fields that the template may read."""
        self._constant = _constant(tree)
        tree = _metered(tree, self)
        expression = _single_expression(tree)
        self._field = expression.name if isinstance(expression, nodes.Name) else None
        self._expression = None
        if expression is not None and self._field is None:
            self._expression = _compile(_assign(expression), self)
        self._root = _compile(tree, self)

    def render(self, fields: Mapping[str, Any]) -> str:
        """Return the text for `fields`; raises `InvalidFile` for whatever goes wrong."""
        if self._constant is not None:
            return self._constant
        try:
            if self._field is not None and type(fields.get(self._field)) is str:
                return _checked(fields[self._field])
            return "".join(self._root(_ENVIRONMENT.context(fields)))
        except Exception as error:  # noqa: BLE001 - a stranger's template may raise anything
            self._fail(error, fields)

    def value(self, fields: Mapping[str, Any]) -> Any:
        """Return what a single `{{ expression }}` gives (a list, a number …), else the text.

        Only plain data comes back: text, numbers, booleans, None, lists and dicts.
        """
        if self._field is not None and self._field in fields:
            return fields[self._field]
        if self._expression is None:
            return self.render(fields)
        try:
            context = _ENVIRONMENT.context(fields)
            for _ in self._expression(context):
                pass
            return finish(context, context.vars["result"])
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error, fields)

    def _fail(self, error: Exception, fields: Mapping[str, Any]) -> NoReturn:
        place: dict[str, Any] = {"path": self.path, "line": self.line, "key": self.key}
        if isinstance(error, SecurityError):
            raise InvalidFile(_INTERNALS, **place, got=str(error)) from error
        if isinstance(error, UndefinedError):
            raise _undefined(error, fields, place) from error
        if isinstance(error, LimitError):
            raise InvalidFile("the template does too much", **place, got=str(error)) from error
        if isinstance(error, RecursionError):
            raise InvalidFile("the template calls itself without end", **place) from error
        got = f"{type(error).__name__}: {error}"
        raise InvalidFile("the template fails", **place, got=got[:300]) from error


class _Place:
    """Where a template stands: file, line of its first character, key."""

    __slots__ = ("key", "line", "path")

    def __init__(self, path: str | Path | None, line: int | None, key: str | None) -> None:
        self.path, self.line, self.key = path, line, key


def compile_template(
    text: str,
    *,
    path: str | Path | None = None,
    line: int | None = None,
    key: str | None = None,
) -> Template:
    """Compile `text`; raises `InvalidFile` where it is not a template or does what is barred.

    `line` is the line of the file that the text starts on; errors count from there.
    """
    return Template(text, _Place(path, line, key))


def _checked(text: str) -> str:
    if len(text) > Budget.MAX_OUTPUT:
        raise LimitError(f"more than {Budget.MAX_OUTPUT:,} characters")
    return text


def _undefined(
    error: UndefinedError, fields: Mapping[str, Any], place: dict[str, Any]
) -> InvalidFile:
    message = str(error)
    match = re.search(r"'([^']*)' is undefined|has no (?:attribute|element) '([^']*)'", message)
    name = (match.group(1) or match.group(2) or "") if match else ""
    near = nearest(name, map(str, fields)) if match and match.group(1) else None
    hint = f" (did you mean '{near}'?)" if near else ""
    shown = ", ".join(sorted(map(str, fields))[:40]) or "none"
    return InvalidFile(
        message + hint, **place, allowed=f"the row's fields: {shown}", got=name or None
    )


# ---- from text to code ----------------------------------------------------------------------


def _parse(text: str, template: Template) -> nodes.Template:
    place: dict[str, Any] = {"path": template.path, "key": template.key}
    if len(text) > MAX_TEMPLATE:
        allowed = f"{MAX_TEMPLATE:,} characters"
        raise InvalidFile("template too long", **place, line=template.line, allowed=allowed)
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        line = _line(template, error.lineno)
        raise InvalidFile(f"template: {error.message}", **place, line=line) from error
    except (RecursionError, OverflowError, MemoryError, ValueError) as error:
        raise InvalidFile("template: too deeply nested", **place, line=template.line) from error
    for node, depth in _walk(tree):
        problem = _barred(node)
        if depth > MAX_NESTING:
            raise InvalidFile("template: too deeply nested", **place, line=template.line)
        if problem:
            raise InvalidFile(problem, **place, line=_line(template, node.lineno))
    return tree


def _line(template: Template, offset: int | None) -> int | None:
    return None if template.line is None else template.line + (offset or 1) - 1


def _walk(tree: nodes.Node) -> Iterator[tuple[nodes.Node, int]]:
    """Yield all nodes and their depths without recursion, so that depth cannot hurt."""
    stack = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend((child, depth + 1) for child in node.iter_child_nodes())


def _barred(node: nodes.Node) -> str | None:
    if not isinstance(node, _ALLOWED_NODES):
        return f"template: '{type(node).__name__.lower()}' is not available"
    if isinstance(node, nodes.For) and node.recursive:
        return "template: recursive loops are not available"
    attribute: object = None
    if isinstance(node, nodes.Getattr):
        attribute = node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        attribute = node.arg.value
    elif isinstance(node, nodes.Name | nodes.NSRef):
        attribute = node.name
    if isinstance(attribute, str) and attribute.startswith("__"):
        return f"{_INTERNALS}: '{attribute}'"
    return None


def _undeclared(tree: nodes.Template) -> set[str]:
    """Return names read that no statement of the template sets (an over-estimate is harmless)."""
    stored: set[str] = set()
    loaded: set[str] = set()
    for node, _ in _walk(tree):
        if isinstance(node, nodes.Name):
            (loaded if node.ctx == "load" else stored).add(node.name)
        elif isinstance(node, nodes.Macro):
            stored.add(node.name)
    return loaded - stored - set(_ENVIRONMENT.globals) - {"loop"}


def _constant(tree: nodes.Template) -> str | None:
    parts: list[str] = []
    for node in tree.body:
        if not isinstance(node, nodes.Output):
            return None
        for child in node.nodes:
            if not isinstance(child, nodes.TemplateData):
                return None
            parts.append(child.data)
    return "".join(parts)


def _single_expression(tree: nodes.Template) -> nodes.Expr | None:
    """Return the expression of a template that is `{{ expression }}` and white space only."""
    if not all(isinstance(node, nodes.Output) for node in tree.body):
        return None
    found: list[nodes.Expr] = []
    for output in tree.body:
        for child in output.iter_child_nodes():
            if isinstance(child, nodes.TemplateData):
                if child.data.strip():
                    return None
            elif isinstance(child, nodes.Expr):
                found.append(child)
    return found[0] if len(found) == 1 else None


def _assign(expression: nodes.Expr) -> nodes.Template:
    target = nodes.Name("result", "store", lineno=1)
    return nodes.Template([nodes.Assign(target, expression, lineno=1)], lineno=1)


class _Meter(NodeTransformer):
    """Puts a price on what can grow: loops, macros, comparisons, slices, joined text."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's naming
        weight = sum(1 for _ in _walk(node))
        self.generic_visit(node)
        node.iter = _call("_steps", node.iter, nodes.Const(weight, lineno=node.lineno))
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
        weight = sum(1 for _ in _walk(node))
        self.generic_visit(node)
        price = _call("_spend", nodes.Const(weight, lineno=node.lineno))
        node.body.insert(0, nodes.Output([price], lineno=node.lineno))
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _seen(node.expr)
        for operand in node.ops:
            operand.expr = _seen(operand.expr)
        return node

    def visit_Test(self, node: nodes.Test) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if node.name not in ("defined", "undefined"):
            node.node = _seen(node.node)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _seen(node) if isinstance(node.arg, nodes.Slice) else node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("_concat", nodes.List(node.nodes, lineno=node.lineno))


def _call(name: str, value: nodes.Node, *args: nodes.Expr) -> nodes.Filter:
    assert isinstance(value, nodes.Expr)
    return nodes.Filter(value, name, list(args), [], None, None, lineno=value.lineno)


def _seen(node: nodes.Expr) -> nodes.Expr:
    return node if isinstance(node, nodes.Const) else _call("_seen", node)


def _metered(tree: nodes.Template, template: Template) -> nodes.Template:
    try:
        metered = _Meter().visit(tree)
    except RecursionError as error:
        place: dict[str, Any] = {"path": template.path, "line": template.line}
        raise InvalidFile("template: too deeply nested", **place, key=template.key) from error
    assert isinstance(metered, nodes.Template)
    return metered


def _compile(tree: nodes.Template, template: Template) -> Callable[[Context], Iterator[str]]:
    place: dict[str, Any] = {"path": template.path, "line": template.line, "key": template.key}
    try:
        root: Callable[[Context], Iterator[str]] = _ENVIRONMENT.from_string(tree).root_render_func
    except TemplateSyntaxError as error:
        place["line"] = _line(template, error.lineno)
        raise InvalidFile(f"template: {error.message}", **place) from error
    except (RecursionError, MemoryError, SyntaxError, OverflowError, ValueError) as error:
        raise InvalidFile("template: too deeply nested", **place) from error
    return root


_ENVIRONMENT = Environment(
    undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, optimized=False
)
