"""A question with a calculator at hand: what the tool buys over doing without."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from harness.errors import UsageError
from harness.interact.tool_loop import LineProtocol, ToolError, ToolFunction, line_loop, tool_loop
from harness.protocols import Ask, Conversation
from harness.records import Sample, Tool
from harness.text.calculation import CalculationError, answer_text, calculate

PROTOCOLS = ("auto", "tools", "text")
MAX_TURNS = 100

TOOL = Tool(
    name="calculator",
    description="Works out an arithmetic expression exactly: + - * / // % ^ and brackets.",
    parameters={
        "type": "object",
        "properties": {
            "expression": {"type": "string", "description": "such as (12 + 3.5) * 4 / 7"}
        },
        "required": ["expression"],
        "additionalProperties": False,
    },
)
HOW = {
    "en": "You have a calculator. To use it, write a line of the form CALC: 12 * (3 + 4) and "
    "nothing after it; the next message brings the result as RESULT: 84. Use it as often as "
    "you need, then answer without a CALC line.",
    "zh": "你可以使用计算器。需要时单独写一行，形如 CALC: 12 * (3 + 4)，"
    "之后不要再写别的；下一条消息会以 RESULT: 84 的形式给出结果。"
    "可以多次使用，最后作答时不要再写 CALC 行。",
}
"""How the plain-text protocol is explained, added to the task's system text."""
LAST = {
    "en": "The calculator can be used no more. Give the answer now.",
    "zh": "计算器不能再用了，请直接作答。",
}


def _worked_out(expression: str) -> str:
    try:
        return answer_text(calculate(expression))
    except CalculationError as error:
        raise ToolError(str(error)) from error


def _from_arguments(arguments: dict[str, Any]) -> str:
    expression = arguments.get("expression")
    if isinstance(expression, int | float) and not isinstance(expression, bool):
        expression = str(expression)
    if not isinstance(expression, str):
        raise ToolError("'expression' must be text, such as (12 + 3.5) * 4 / 7")
    return _worked_out(expression)


CALCULATOR = ToolFunction(TOOL, _from_arguments)
LINES = LineProtocol(call="CALC", result="RESULT", run=_worked_out)


def calculator(
    sample: Sample,
    ask: Ask,
    *,
    protocol: Literal["auto", "tools", "text"] = "auto",
    max_turns: int = 8,
) -> Conversation:
    """Put a sample to a model that may use a calculator up to `max_turns` times.

    `tools` offers it by function calling, `text` by lines `CALC: …` answered by `RESULT: …`;
    `auto` takes function calling where `ask` says that the model has it (`ask.tools`), else text.
    Raises UsageError for another protocol or number of turns.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f"calculator: protocol is one of {', '.join(PROTOCOLS)}; got: {protocol}")
    if not isinstance(max_turns, int) or not 1 <= max_turns <= MAX_TURNS:
        raise UsageError(f"calculator: max_turns is 1 to {MAX_TURNS}; got: {max_turns!r}")
    language = "zh" if sample.language == "zh" else "en"
    calls = protocol == "tools" or (protocol == "auto" and bool(getattr(ask, "tools", False)))
    if calls:
        return tool_loop(sample, ask, (CALCULATOR,), max_turns=max_turns, last_words=LAST[language])
    system = f"{sample.system}\n{HOW[language]}" if sample.system else HOW[language]
    explained = msgspec.structs.replace(sample, system=system)
    return line_loop(explained, ask, LINES, max_turns=max_turns, last_words=LAST[language])
