"""A model that may call tools: it asks, is given results, and ends with an answer.

Two protocols, one loop each. `tool_loop` uses the function calling of the server; `line_loop`
needs none: the model writes a line such as `CALC: 12*34` and the next turn brings its result.
Tools are pure functions; what goes wrong in one is said to the model, never raised.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from harness.protocols import Ask, Conversation
from harness.records import Message, Response, Sample, Tool, ToolCall, Transcript
from harness.text.normalise import fold_width, mask_reasoning

MAX_CALLS = 16
"""Calls of one turn that are carried out; a model that writes more is told so."""
MAX_RESULT = 2000
"""Characters of a result that go back to the model."""
DECORATION = " \t>*`_#-"


class ToolError(Exception):
    """A call that brings no result; the message is shown to the model."""


@dataclass(frozen=True, slots=True)
class ToolFunction:
    """A tool and what it does: arguments in, text out; raises ToolError."""

    tool: Tool
    call: Callable[[dict[str, Any]], str]


@dataclass(frozen=True, slots=True)
class LineProtocol:
    """How calls and results are written in plain text."""

    call: str
    """What a line that calls begins with, before the colon."""
    result: str
    run: Callable[[str], str]
    """From what stands behind the colon to the result; raises ToolError."""


@dataclass(slots=True)
class _Count:
    """What happened in one conversation."""

    calls: int = 0
    errors: int = 0

    def facts(self, turns: int, *, answered: bool) -> dict[str, Any]:
        return {
            "turns": turns,
            "tool_calls": self.calls,
            "tool_errors": self.errors,
            "answered": answered,
        }

    def carry_out(self, run: Callable[[], str]) -> str:
        """Return the result of one call, or what was wrong with it."""
        self.calls += 1
        try:
            return run()[:MAX_RESULT]
        except ToolError as error:
            self.errors += 1
            return f"error: {error}"


def tool_loop(
    sample: Sample,
    ask: Ask,
    tools: Sequence[ToolFunction],
    *,
    max_turns: int = 8,
    last_words: str = "No more tool calls are possible. Give the answer.",
) -> Conversation:
    """Offer tools until the model answers without calling one.

    After `max_turns` turns with calls it is told `last_words` and asked once more. The last text
    is the answer. Facts of the transcript: `turns`, `tool_calls`, `tool_errors`, `answered`.
    """
    offered = tuple(item.tool for item in tools)
    said: list[Message | Response | str] = []
    responses: list[Response] = []
    count = _Count()
    while True:
        asked = msgspec.structs.replace(ask(sample, said), tools=offered)
        response = cast("Response", (yield asked))
        responses.append(response)
        answered = not response.tool_calls
        if answered or len(responses) > max_turns:
            facts = count.facts(len(responses), answered=answered)
            return Transcript(tuple(responses), facts=facts)
        said.append(response)
        said.extend(_results(response.tool_calls, tools, count))
        if len(responses) == max_turns:
            said.append(last_words)


def _results(
    calls: Sequence[ToolCall], tools: Sequence[ToolFunction], count: _Count
) -> list[Message]:
    """Return a result for every call: servers refuse a chat in which one is missing."""
    messages = []
    for number, call in enumerate(calls):
        if number < MAX_CALLS:
            text = count.carry_out(lambda call=call: _called(call, tools))  # type: ignore[misc]
        else:
            text = f"error: more than {MAX_CALLS} calls in one turn"
        messages.append(Message(role="tool", content=text, tool_call_id=call.id))
    return messages


def _called(call: ToolCall, tools: Sequence[ToolFunction]) -> str:
    named = {item.tool.name: item for item in tools}
    if call.name not in named:
        raise ToolError(f"there is no tool '{call.name[:40]}'; known: {', '.join(named)}")
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        raise ToolError("the arguments are no JSON") from None
    if not isinstance(arguments, dict):
        raise ToolError("the arguments must be a JSON object")
    return named[call.name].call(arguments)


def line_loop(
    sample: Sample,
    ask: Ask,
    protocol: LineProtocol,
    *,
    max_turns: int = 8,
    last_words: str = "No more calls are possible. Give the answer.",
) -> Conversation:
    """As `tool_loop`, with calls and results as lines of text.

    Generation stops before the model writes a result itself; where a server ignores that, what
    follows is cut off, so that the model goes on from the true result. Calls that stand in its
    reasoning are thoughts, not calls.
    """
    stop = f"\n{protocol.result}:"
    said: list[Message | Response | str] = []
    responses: list[Response] = []
    count = _Count()
    while True:
        asked = ask(sample, said)
        generation = msgspec.structs.replace(asked.generation, stop=(*asked.generation.stop, stop))
        response = cast("Response", (yield msgspec.structs.replace(asked, generation=generation)))
        responses.append(response)
        text = before_result(response.text, protocol)
        calls = line_calls(text, protocol)
        if not calls or len(responses) > max_turns:
            facts = count.facts(len(responses), answered=not calls)
            return Transcript(tuple(responses), facts=facts)
        said.append(response if text == response.text else Message("assistant", text))
        results = [
            count.carry_out(lambda call=call: protocol.run(call))  # type: ignore[misc]
            for call in calls[:MAX_CALLS]
        ]
        lines = [f"{protocol.result}: {result}" for result in results]
        said.append("\n".join([*lines, *([last_words] if len(responses) == max_turns else [])]))


def line_calls(text: str, protocol: LineProtocol) -> list[str]:
    """Return what stands behind the colon of each line that calls, in order.

    Quotes, list and emphasis marks around a line do not matter, nor does a full-width colon.
    """
    found = []
    for line in mask_reasoning(text).splitlines():
        rest = _behind(line, protocol.call)
        if rest:
            found.append(rest)
    return found


def before_result(text: str, protocol: LineProtocol) -> str:
    """Return the text up to the first line that begins as a result does, if a call precedes it."""
    position, called = 0, False
    for line in mask_reasoning(text).splitlines(keepends=True):
        if called and _behind(line, protocol.result) is not None:
            return text[:position].rstrip()
        called = called or bool(_behind(line, protocol.call))
        position += len(line)
    return text


def _behind(line: str, word: str) -> str | None:
    """Return what stands behind `word:` at the beginning of a line; None where it does not."""
    bare = fold_width(line).strip().strip(DECORATION)
    if bare[: len(word)].upper() != word.upper():
        return None
    rest = bare[len(word) :].lstrip(DECORATION)
    return rest[1:].strip(DECORATION).rstrip("=? ") if rest[:1] == ":" else None
