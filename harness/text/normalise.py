"""Bring two spellings of the same answer to one form.

Every fold keeps the length of the text, so that a span found in the folded text is also the span
in the original.
"""

from __future__ import annotations

import re
import unicodedata

WIDTH = {0x3000: 0x20} | {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}

CJK = "\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
"""Body of a character class: ideographs, the ideographic zero and kana."""

_think_tag = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_articles = re.compile(r"\b(?:a|an|the)\b")
_around_cjk = re.compile(f"(?<=[{CJK}]) | (?=[{CJK}])")


def fold_width(text: str) -> str:
    """Fold full-width ASCII (U+FF01 to U+FF5E) and the ideographic space; nothing else.

    NFKC would also turn ① into 1 and ² into 2, which are other answers.

    >>> fold_width("Ｂ：１２３①²")
    'B:123①²'
    """
    return text.translate(WIDTH)


def reasoning_spans(text: str) -> list[tuple[int, int]]:
    """Return the stretches of `text` that are reasoning, tags included, in order.

    An unclosed tag reaches to the end: the model was cut off while thinking. A closing tag that
    nothing opened starts at the beginning: some chat templates open it in the prompt.
    """
    spans: list[tuple[int, int]] = []
    depth, start = 0, 0
    for tag in _think_tag.finditer(text):
        if not tag.group(1):
            if depth == 0:
                start = tag.start()
            depth += 1
        elif depth > 0:
            depth -= 1
            if depth == 0:
                spans.append((start, tag.end()))
        else:
            spans = [(0, tag.end())]
    if depth:
        spans.append((start, len(text)))
    return spans


def mask_reasoning(text: str) -> str:
    """Return `text` with reasoning blanked by line breaks, so that positions stay the same."""
    parts, last = [], 0
    for start, end in reasoning_spans(text):
        parts += [text[last:start], "\n" * (end - start)]
        last = end
    return "".join(parts) + text[last:]


def strip_reasoning(text: str) -> str:
    """Return `text` without its reasoning and without white space at both ends.

    >>> strip_reasoning("<think>2+2 is 5? No.</think> 4")
    '4'
    """
    if "<" not in text:  # most texts: every metric of every sample asks
        return text.strip()
    parts, last = [], 0
    for start, end in reasoning_spans(text):
        parts.append(text[last:start])
        last = end
    return ("".join(parts) + text[last:]).strip()


def _drop_punctuation(text: str) -> str:
    """Drop punctuation and ASCII symbols, except what makes a number another number.

    A point between digits and a minus before a digit stay: -1.5 is neither 1.5 nor -15.
    """
    kept: list[str] = []
    for i, char in enumerate(text):
        if char.isalnum() or char.isspace():
            kept.append(char)
            continue
        before = text[i - 1] if i else " "
        after = text[i + 1] if i + 1 < len(text) else " "
        if char == "." and before.isdigit() and after.isdigit():
            kept.append(char)
        elif char in "-−" and after.isdigit() and not before.isalnum():
            kept.append("-")
        elif not (unicodedata.category(char).startswith("P") or char in "$+<=>^`|~"):
            kept.append(char)
    return "".join(kept)


def normalise_english(text: str) -> str:
    """Lower case, no punctuation, no articles, single spaces (SQuAD: Rajpurkar et al. 2016).

    Unlike SQuAD's script it keeps decimal points and minus signs of numbers.

    >>> normalise_english("The  Beatles!")
    'beatles'
    """
    bare = _drop_punctuation(fold_width(text).lower())
    return " ".join(_articles.sub(" ", bare).split())


def normalise_chinese(text: str) -> str:
    """Fold width, lower case, no punctuation, no white space beside an ideograph.

    >>> normalise_chinese("《红楼梦》 。")
    '红楼梦'
    """
    bare = " ".join(_drop_punctuation(fold_width(text).lower()).split())
    return _around_cjk.sub("", bare)


def normalise(text: str, language: str = "en") -> str:
    """Normalise for a language: `zh…` as Chinese, all else as English."""
    return normalise_chinese(text) if language.startswith("zh") else normalise_english(text)


def quasi_exact(answer: str, target: str, language: str = "en") -> bool:
    """Return whether two answers are equal once normalised (HELM's quasi-exact match).

    Where nothing is left of one of them (an answer of signs alone, or the word "the"), the texts
    themselves are compared, without regard to width, case and outer space.
    """
    left, right = normalise(answer, language), normalise(target, language)
    if left and right:
        return left == right
    return fold_width(answer).strip().lower() == fold_width(target).strip().lower()
