"""What is judged, and how it is shown: fenced, neutralised, rendered once.

Only the extracted answer is judged. The delimiters bear a nonce that no field holds: it is made
from all that is shown, and drawn again until it stands in none of the fields.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from harness.identity import content_key
from harness.judge.spec import Check, JudgeSpec
from harness.records import Message
from harness.text.fence import fenced, visible
from harness.text.verdict import quoted

NONCE = 12
"""Hex digits of a nonce: 48 bits."""
ANSWERS = ("ANSWER", "ANSWER A", "ANSWER B")
MAX_SHOWN = 24_000
"""Characters of one field that a judge is shown; the middle of a longer one is left out."""


class Item(Struct, frozen=True, omit_defaults=True):
    """One answer (or two) to be judged."""

    question: str
    answer: str
    reference: tuple[str, ...] = ()
    """Accepted answers; empty where there are none."""
    other: str | None = None
    """pairwise: the answer that `answer` is compared with."""
    context: str = ""
    """What else a judge may see, such as the text that was to be summarised."""
    language: str = "en"
    key: str = ""
    """Travels to scripted judges; neither shown nor part of a key."""


def nonce_of(*texts: str) -> str:
    """Return a nonce that stands in none of `texts`, the same for the same texts."""
    draw = 0
    while True:
        nonce = content_key([draw, *(text.encode("utf-8", "replace") for text in texts)])[:NONCE]
        if not any(nonce in text.casefold() for text in texts):
            return nonce
        draw += 1


def messages(
    spec: JudgeSpec, item: Item, *, swapped: bool = False, check: Check | None = None
) -> tuple[Message, ...]:
    """Return the chat that puts an item to a judge.

    `swapped`: a pairwise judge is shown `other` first. `check`: the checklist's item in hand.
    """
    fields = _fields(spec, item, swapped=swapped, check=check)
    assert spec.prompt is not None, "a panel asks through its members"
    chat: list[Message] = []
    if spec.system is not None:
        chat.append(Message(role="system", content=spec.system.render(fields)))
    chat.append(Message(role="user", content=spec.prompt.render(fields)))
    return tuple(chat)


def _fields(spec: JudgeSpec, item: Item, *, swapped: bool, check: Check | None) -> dict[str, Any]:
    shown = {"QUESTION": item.question, "REFERENCE": "\n".join(item.reference)}
    shown["CONTEXT"] = item.context
    if spec.mode == "pairwise":
        pair = (item.answer, item.other or "")
        shown["ANSWER A"], shown["ANSWER B"] = reversed(pair) if swapped else pair
    else:
        shown["ANSWER"] = item.answer
    for name in ANSWERS:
        if name in shown:
            shown[name] = quoted(visible(shown[name]), spec.offered, spec.file.words)
    nonce = nonce_of(*shown.values())
    fields: dict[str, Any] = {
        name.lower().replace(" ", "_"): fenced(name, _within(text), nonce) if text else ""
        for name, text in shown.items()
    }
    for name in ANSWERS:  # an empty answer is shown as one
        if name in shown and not shown[name]:
            fields[name.lower().replace(" ", "_")] = fenced(name, "", nonce)
    fields["criteria"] = spec.file.criteria
    fields["levels"] = "\n".join(f"{level}: {text}" for level, text in spec.file.levels.items())
    fields["examples"] = _examples(spec)
    fields["verdicts"] = ", ".join(spec.offered)
    fields["item"] = check.ask if check else ""
    return fields


def _within(text: str) -> str:
    if len(text) <= MAX_SHOWN:
        return text
    half = MAX_SHOWN // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n({left_out} characters left out)\n{text[-half:]}"


def _examples(spec: JudgeSpec) -> str:
    """Return the graded examples as text; they are the judge file's own, so nothing is fenced."""
    parts = []
    for example in spec.file.examples:
        lines = [f"Question: {example.question}"]
        if example.reference:
            lines.append(f"Reference: {example.reference}")
        lines.append(f"Answer: {example.answer}")
        if example.reasoning:
            lines.append(f"Reasoning: {example.reasoning}")
        parts.append("\n".join([*lines, f"VERDICT: {example.verdict}"]))
    return "\n\n".join(parts)
