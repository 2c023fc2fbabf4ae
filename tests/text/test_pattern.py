"""Patterns from task files: what could take long is refused before it runs."""

from __future__ import annotations

import pytest

from harness.errors import InvalidFile
from harness.text.pattern import MIN_WINDOW, compile_safe

HOSTILE = [
    r"(a+)+b",
    r"(a|a)*b",
    r"(a|ab)*c",
    r"(a*)*",
    r"(\w+\s?)*$",
    r"\s*\s*\s*x",
    r"(.*)(.*)(.*)x",
    r".*.*=.*",
    r"((a{0,9}){0,9}){0,9}b",
    r"(?:a{9}){900}",
    r"(x)\1",
    r"(?=(a+))b",
    r"(?:(?=a+))b",
    r"(?>a+|b)c",
    r"(?:a?){0,50}b",
    "a?" * 40 + "a" * 40,
    "(a|a)" * 40 + "b",
    "(?:aa|b|aa)" * 30,
    r"(a)?(?(1)b|c)",
    r"a{0,60}a{0,60}a{0,60}a{0,60}b",
    "(",
    "[",
    "(?P<1>x)",
    "x{99999999999999999999}",
]

USUAL = [
    r"#### (\-?[0-9\.\,]+)",
    r"The answer is (\-?[0-9\.\,]+)",
    r"(-?[$0-9.,]{2,})|(-?[0-9]+)",
    r"(?<=the answer is )(.*)(?=.)",
    r"answer\s*[:：]?\s*(.*)",
    r"(?i)answer\s*:\s*(\w+)",
    r"\d{1,3}(?:,\d{3})*(?:\.\d+)?",
    r"\(([A-D])\)",
    r"x = (\d+)",
    r"^(.+)$",
    r"答案[是为：:]\s*([A-D])",
    r"\\boxed\{(.*?)\}",
    r"\[\[(\d+)\]\]",
    r"(\d+)\s*$",
    r"\b([A-J])\b",
    r"(?s)<answer>(.*?)</answer>",
    r"\s*+x",
    r"(?>ab)c",
    r"(?:ab){2}c",
    r"[^a]b",
    r"[^\W\d]{2}\S\D",
    r"(?!no)yes",
    r"(?:(?=a)b)?c",
    r"(?:(?>ab))?c",
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_patterns_that_could_take_long_are_refused(pattern: str) -> None:
    """Nested, ambiguous and invalid patterns are refused with a message that says so."""
    with pytest.raises(InvalidFile, match=r"pattern: (matching could take|not a regular)"):
        compile_safe(pattern)


@pytest.mark.parametrize("pattern", USUAL)
def test_usual_patterns_are_accepted_and_quick(pattern: str) -> None:
    """Patterns of the field's task files are accepted and end on hostile text of full length."""
    safe = compile_safe(pattern)
    assert safe.window >= MIN_WINDOW
    for piece in ("a", " ", "1", "1,", "answer:", "the answer is ", "<answer>", "\\boxed{", "x = "):
        text = (piece * safe.window)[: safe.window]
        for match in safe.pattern.finditer(text):
            assert match.end() <= safe.window


def test_case_can_be_ignored() -> None:
    """The flag reaches the compiled pattern and the analysis alike."""
    assert compile_safe("yes", ignore_case=True).pattern.search("YES")
