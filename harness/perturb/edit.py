"""The editing core: replacements in, new text out, with what changed and where.

Every perturbation says which stretches it would replace; this module alone makes the new text.
So the rules that keep an answer right stand in one place: protected stretches are left alone, a
chat's last turn follows the input, and contexts of options change alike or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

from msgspec.structs import replace

from harness.records import Choice, Message, Sample, Span

Stretch = tuple[int, int]
"""Half-open, in characters."""

LATIN_OR_DIGIT = "0-9A-Za-zÀ-ɏ"
"""Characters that continue a word of a spaced script, for use inside a regular expression's []."""


class Edit(NamedTuple):
    """One replacement in the old text. `start == end` inserts before the character at `start`."""

    start: int
    end: int
    new: str


class Edited(NamedTuple):
    """A text after its edits."""

    text: str
    spans: tuple[Span, ...]
    """What changed, in the order and the positions of the new text."""
    protected: tuple[Stretch, ...]
    """The protected stretches, in the positions of the new text."""
    kept: tuple[Edit, ...]
    """The edits that were carried out, in order."""


def touches(edit: Edit, stretch: Stretch) -> bool:
    """Whether an edit would change what lies in `stretch`; an insertion at its edge does not.

    >>> touches(Edit(2, 2, "x"), (2, 4)), touches(Edit(3, 3, "x"), (2, 4))
    (False, True)
    """
    return edit.start < stretch[1] and stretch[0] < edit.end


def apply(
    text: str,
    protected: Sequence[Stretch],
    edits: Iterable[Edit],
    *,
    guarded: Sequence[Stretch] = (),
) -> Edited:
    """Carry out `edits` on `text`, dropping those that touch `protected` or `guarded`.

    Edits that change nothing are dropped too. `guarded` is left alone like `protected` but not
    handed on. Edits may come in any order; insertions at one place keep theirs.

    Raises:
        ValueError: two edits overlap, or one lies outside the text.

    >>> apply("2 + 2 is", [(0, 5)], [Edit(0, 1, "9"), Edit(6, 8, "makes")]).text
    '2 + 2 makes'
    """
    walls = [*protected, *guarded]
    kept: list[Edit] = []
    last = 0
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        if not last <= edit.start <= edit.end <= len(text):
            raise ValueError(f"edit {edit} overlaps another or lies outside 0…{len(text)}")
        last = edit.end
        changes = text[edit.start : edit.end] != edit.new
        if changes and not any(touches(edit, wall) for wall in walls):
            kept.append(edit)
    parts: list[str] = []
    spans: list[Span] = []
    position = shift = 0
    for edit in kept:
        parts += [text[position : edit.start], edit.new]
        start = edit.start + shift
        spans.append(Span(start, start + len(edit.new), text[edit.start : edit.end]))
        shift += len(edit.new) - (edit.end - edit.start)
        position = edit.end
    parts.append(text[position:])
    moved = tuple(_moved(stretch, kept) for stretch in protected)
    return Edited("".join(parts), tuple(spans), moved, tuple(kept))


def _moved(stretch: Stretch, kept: Sequence[Edit]) -> Stretch:
    """Return where a stretch lies after the edits, none of which touches it."""
    shift = sum(len(e.new) - (e.end - e.start) for e in kept if e.end <= stretch[0])
    return stretch[0] + shift, stretch[1] + shift


def restored(text: str, spans: Sequence[Span]) -> str:
    """Return the text as it was before: each span's stretch replaced by its original.

    >>> restored("2 + 2 makes", [Span(6, 11, "is")])
    '2 + 2 is'
    """
    for span in reversed(spans):
        text = text[: span.start] + span.original + text[span.end :]
    return text


def merged(middle: str, first: Sequence[Span], second: Sequence[Span]) -> tuple[Span, ...]:
    """Join the spans of two steps: `first` made `middle`, `second` was made of it.

    The result stands in the positions of the last text and holds the first text's originals.
    Stretches of both steps that meet become one.
    """
    shift = 0
    later: list[tuple[int, int, int]] = []
    for span in second:
        start = span.start - shift
        growth = (span.end - span.start) - len(span.original)
        later.append((start, start + len(span.original), growth))
        shift += growth
    pieces = sorted([(s.start, s.end, 0) for s in first] + later)
    groups: list[list[int]] = []
    for start, end, growth in pieces:
        if groups and start <= groups[-1][1]:
            groups[-1][1] = max(groups[-1][1], end)
            groups[-1][2] += growth
        else:
            groups.append([start, end, growth])
    out: list[Span] = []
    shift = 0
    for start, end, growth in groups:
        inside = [
            Span(s.start - start, s.end - start, s.original)
            for s in first
            if start <= s.start and s.end <= end
        ]
        original = restored(middle[start:end], inside)
        out.append(Span(start + shift, end + shift + growth, original))
        shift += growth
    return tuple(out)


def listed(text: str) -> tuple[str, ...]:
    """Return the words of a list written out as text, in order: tables that people can read."""
    return tuple(text.split())


def words(text: str) -> frozenset[str]:
    """Return the set of words of a list written out as text."""
    return frozenset(text.split())


def speaks(languages: frozenset[str], language: str) -> bool:
    """Whether a perturbation made for `languages` (empty: any) applies to a sample's language.

    >>> speaks(frozenset({"zh"}), "zh-Hant"), speaks(frozenset({"en"}), "zh")
    (True, False)
    """
    return not languages or base_language(language) in languages


def base_language(language: str) -> str:
    """Return the primary part of a language tag.

    >>> base_language("en-GB")
    'en'
    """
    return re.split("[-_]", language, maxsplit=1)[0].lower()


def unchanged(sample: Sample, name: str) -> Sample:
    """Return the variant of a sample in which nothing changed."""
    return replace(sample, variant=name, spans=())


def rewritten(
    sample: Sample, name: str, edits: Iterable[Edit], *, guarded: Sequence[Stretch] = ()
) -> Sample:
    """Return the variant of `sample` with `edits` made to its input.

    A task that is a chat gets the new input as its last user turn. Where options stand in
    contexts of their own (partial scoring), only edits to what the input and all contexts begin
    with are made, and are made to each: otherwise the options would no longer differ in the
    option alone.
    """
    if not _last_turn_is_input(sample):
        return unchanged(sample, name)
    wanted = list(edits)
    contexts = [choice.context for choice in sample.choices if choice.context is not None]
    if contexts:
        shared = shared_length([sample.input, *contexts])
        wanted = [edit for edit in wanted if edit.end <= shared]
    done = apply(sample.input, sample.protected, wanted, guarded=guarded)
    choices = tuple(_context_edited(choice, done.kept) for choice in sample.choices)
    return replace(
        sample,
        variant=name,
        input=done.text,
        spans=done.spans,
        protected=done.protected,
        choices=choices,
        messages=_with_last_turn(sample.messages, done.text),
    )


def shared_length(texts: Sequence[str]) -> int:
    """Return how many characters all of `texts` begin with alike, in whole words.

    >>> shared_length(["the cat sat", "the cow"])
    4
    """
    low, high = min(texts), max(texts)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(low, high, strict=False)))
    inside = re.compile(f"(?<=[{LATIN_OR_DIGIT}])(?=[{LATIN_OR_DIGIT}])")
    while any(inside.match(text, same) for text in texts):
        same -= 1
    return same


def _context_edited(choice: Choice, kept: Sequence[Edit]) -> Choice:
    if choice.context is None:
        return choice
    return replace(choice, context=apply(choice.context, (), kept).text)


def _last_user(messages: Sequence[Message]) -> int | None:
    users = [i for i, message in enumerate(messages) if message.role == "user"]
    return users[-1] if users else None


def _last_turn_is_input(sample: Sample) -> bool:
    """Whether a change of the input reaches the model: a chat must end in just that turn."""
    if not sample.messages:
        return True
    last = _last_user(sample.messages)
    return last is not None and sample.messages[last].content == sample.input


def _with_last_turn(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    last = _last_user(messages)
    if last is None:
        return messages
    return (*messages[:last], replace(messages[last], content=text), *messages[last + 1 :])


def answer_texts(sample: Sample) -> tuple[str, ...]:
    """Return every text that may decide whether an answer is right: targets and options."""
    texts = [*sample.target, *(choice.text for choice in sample.choices)]
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))


def occurrences(text: str, wanted: Iterable[str]) -> list[Stretch]:
    """Return where any of `wanted` stands in `text` as a whole word, in any case.

    >>> occurrences("Is Art an art? Start.", ["art"])
    [(3, 6), (10, 13)]
    """
    found: list[Stretch] = []
    lowered, plain = text.lower(), text.isascii()
    for one in wanted:
        if one.isascii() and (plain or one.isdecimal()) and one.lower() not in lowered:
            continue  # most answers: a pattern costs a hundred times the look
        before = f"(?<![{LATIN_OR_DIGIT}])" if re.match(f"[{LATIN_OR_DIGIT}]", one) else ""
        after = f"(?![{LATIN_OR_DIGIT}])" if re.match(f"[{LATIN_OR_DIGIT}]", one[-1:]) else ""
        pattern = re.compile(before + re.escape(one) + after, re.IGNORECASE)
        found += [match.span() for match in pattern.finditer(text)]
    return sorted(found)


OPTION_NAME = re.compile(
    r"^[ \t]*([(（\[【]?[A-Za-z甲乙丙丁戊己庚辛壬癸①-⑩][)）\]】.．:：、])", re.MULTILINE
)
"""An option's letter at the head of a line."""


def answer_stretches(sample: Sample) -> list[Stretch]:
    """Return where the input mentions an answer, or names an option by its letter.

    Guarded by whatever alters the letters of a word: a model that copies a misspelt answer from
    the question would be marked wrong for what the perturbation did.
    """
    named = OPTION_NAME.finditer(sample.input) if sample.choices else ()
    return sorted([*occurrences(sample.input, answer_texts(sample)), *(m.span(1) for m in named)])


def cased_like(old: str, new: str) -> str:
    """Return `new` in the case of `old`: upper, capitalised, or as it is.

    >>> cased_like("DON'T", "do not"), cased_like("Don't", "do not"), cased_like("don't", "do not")
    ('DO NOT', 'Do not', 'do not')
    """
    letters = [c for c in old if c.isalpha()]
    if len(letters) > 1 and all(c.isupper() for c in letters):
        return new.upper()
    if letters and letters[0].isupper():
        return new[:1].upper() + new[1:]
    return new
