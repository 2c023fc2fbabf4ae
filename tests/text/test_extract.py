"""Extractors as a whole: names, chains, parameters, hostile text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InvalidFile, UnknownName
from harness.records import Choice, Extraction, Sample
from harness.text.extract import EXTRACTORS, chain, extract, extractor, same_answer
from harness.text.normalise import fold_width
from harness.text.yes_no import parse_yes_no

SAMPLE = Sample("task", "id", "")
CHOICES = Sample("task", "id", "", choices=tuple(map(Choice, ["Paris", "巴黎", "a", "", "5"])))
PATTERN = r"answer\s{0,3}[:：]\s{0,3}(\w+)"
ALL = [*EXTRACTORS, {"regex": {"pattern": PATTERN}}, {"json": {"field": "a"}}]
WORDS = (
    "A B I (B) ** \\boxed{ } #### answer is : Answer: 答案 是 否 不 选 ， 。 . ,"
    " \n 5 1,2 百 万 % $ = +"
    ' <think> </think> not wrong 错误 yes No true Paris 巴黎 { "a" } I don\'t know 不知道 但 but 第'
    " 二 项 甲 、 和 and option 2 3. 1) Ａ １ ＝ Q:"
)
PIECES = st.lists(st.sampled_from([*WORDS.split(" "), " "])).map("".join)


@pytest.mark.parametrize("spec", ALL, ids=str)
@given(text=st.text() | PIECES)
def test_any_text_is_survived(spec: object, text: str) -> None:
    """No text makes an extractor fail, the span lies in the text, the answer is width-folded."""
    for sample in (SAMPLE, CHOICES):
        found = extractor(spec)(text, sample)  # type: ignore[arg-type]
        if found is not None:
            assert found.answer
            assert 0 <= found.start < found.end <= len(text)
            assert fold_width(found.answer) == found.answer
            assert extractor(spec)(text, sample) == found  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["letter", "yes_no", "text", "last_line", "boxed"])
@given(text=st.text() | PIECES)
def test_width_does_not_matter(name: str, text: str) -> None:
    """A text and its folded form give the same answer."""
    find = EXTRACTORS[name]
    assert find(fold_width(text), CHOICES) == find(text, CHOICES)


HOSTILE = [
    "1 ",
    "1,",
    "A, ",
    "**1**",
    "\\boxed{",
    "答案是",
    "answer: ",
    "<think>",
    "{",
    "not ",
    "1.\n",
    "一",
    "1万",
    "是",
    "\n",
    " ",
    "I don't know but ",
    "\nQ: 1",
    "#### ",
]


@pytest.mark.parametrize("name", EXTRACTORS)
@pytest.mark.parametrize("piece", HOSTILE)
def test_long_hostile_text_is_read(name: str, piece: str) -> None:
    """Repetitions that make backtracking explode elsewhere are read in linear time."""
    EXTRACTORS[name](piece * (20_000 // len(piece)), CHOICES)


@pytest.mark.parametrize("piece", ["x", "1", "<think>", "\n", "一", "{", "-"])
def test_a_million_characters_are_read(piece: str) -> None:
    """Every extractor comes to an end on 1 MB of the same thing."""
    text = piece * (1_000_000 // len(piece))
    for find in EXTRACTORS.values():
        find(text, SAMPLE)


def test_the_first_extractor_that_hits_wins() -> None:
    """A chain tries its extractors in order, and the trace names the one that found it."""
    specs = chain(["boxed", "number", "last_line"])
    assert extract(specs, "\\boxed{5} 6", SAMPLE).rule == "boxed"
    assert extract(specs, "5 6", SAMPLE).rule == "number:last"
    assert extract(specs, "none", SAMPLE).rule == "last_line"
    assert extract(specs, "", SAMPLE) is None
    assert extract((), "5", SAMPLE) is None


def test_the_span_is_that_of_the_original_text() -> None:
    """Reasoning and width change no position."""
    text = "<think>５</think>答案是１，２００元"
    found = extract(chain(["number"]), text, SAMPLE)
    assert text[found.start : found.end] == "１，２００"
    assert (found.answer, found.value, found.rule) == ("1,200", "1200", "number:answer")


def test_json_fields_are_read_as_written() -> None:
    """The last object with the field wins; numbers are never made floats."""
    find = extractor({"json": {"field": "answer"}})
    assert find('{"answer": 0.10}', SAMPLE).answer == "0.10"
    assert find('```json\n{"answer": "１２"}\n```', SAMPLE).answer == "12"
    assert find('{"answer": 1} then {"answer": true}', SAMPLE).answer == "true"
    assert find('{"answer": false}', SAMPLE).answer == "false"
    assert find('{"answer": [1, "a"]}', SAMPLE).answer == '["1","a"]'
    assert find('{"other": {"x": 1}, "answer": 7}', SAMPLE).answer == "7"
    assert find('{"answer": null} {"x": 1} {broken', SAMPLE) is None
    assert find("no object", SAMPLE) is None
    assert find("{" * 100_000, SAMPLE) is None
    nested = extractor({"json": "result.answer"})
    assert nested('{"result": {"answer": "x"}}', SAMPLE).answer == "x"
    assert nested('{"result": 5}', SAMPLE) is None


def test_regex_takes_a_group_of_the_last_match() -> None:
    """The first group, or the whole match, of the last match; or of the first on request."""
    assert extractor({"regex": {"pattern": r"x = (\d+)"}})("x = 1, x = 2", SAMPLE).answer == "2"
    assert extractor({"regex": r"\d+"})("1 2", SAMPLE) == Extraction("2", "regex", 2, 3)
    first = extractor({"regex": {"pattern": r"\d+", "take": "first"}})
    assert first("1 2", SAMPLE).answer == "1"
    named = extractor({"regex": {"pattern": r"(?P<n>\d)(x)?", "group": "n"}})
    assert named("５", SAMPLE).answer == "5"
    cased = extractor({"regex": {"pattern": "yes", "ignore_case": True}})
    assert cased("YES", SAMPLE).answer == "YES"
    assert extractor({"regex": {"pattern": r"a( ?)b"}})("ab a b", SAMPLE) is None
    assert extractor({"regex": {"pattern": r":([^,]{1,9})"}})(":  x ,", SAMPLE).start == 3
    assert extractor({"regex": r"\d"})("<think>1</think>", SAMPLE) is None


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ("regex", "needs arguments"),
        (["number"], "not an extractor"),
        ({"number": {}, "letter": {}}, "not an extractor"),
        ({"number": {"x": 1}}, "takes no arguments"),
        ({"regex": {"patern": "x"}}, "wrong arguments"),
        ({"regex": {"pattern": "("}}, "not a regular expression"),
        ({"regex": {"pattern": "x" * 501}}, "too long"),
        ({"regex": {"pattern": 5}}, "not a pattern"),
        ({"regex": {"pattern": "x", "take": "all"}}, "unknown choice"),
        ({"regex": {"pattern": "x", "group": 2}}, "no such group"),
        ({"regex": {"pattern": "x", "group": "n"}}, "no such group"),
        ({"json": {"field": ""}}, "not a field name"),
        ({"json": 5}, "not a field name"),
    ],
)
def test_wrong_specifications_are_named(spec: object, part: str) -> None:
    """A wrong `extract:` entry says what is wrong."""
    with pytest.raises(InvalidFile, match=part):
        extractor(spec)  # type: ignore[arg-type]


def test_unknown_names_get_a_suggestion() -> None:
    """A misspelt extractor is answered with the nearest one."""
    with pytest.raises(UnknownName, match="did you mean 'number'"):
        extractor("numbr")
    with pytest.raises(UnknownName, match="did you mean 'regex'"):
        extractor({"regexp": {"pattern": "x"}})
    assert extractor({"number": None}) is EXTRACTORS["number"]


@pytest.mark.parametrize(
    ("name", "text", "target", "same"),
    [
        ("number", "The answer is 50%", "50", True),
        ("number", "The answer is 1,200", "1200", True),
        ("number", "The answer is 5", "6", False),
        ("letter", "The answer is B", "(B)", True),
        ("letter", "乙", "B", True),
        ("letter", "选B", "Paris", False),
        ("yes_no", "是的", "yes", True),
        ("yes_no", "No.", "True", False),
        ("boxed", "\\boxed{1/2}", "0.5", True),
        ("boxed", "\\boxed{x}", "X", True),
        ("text", "The Paris.", "paris", True),
        ("last_line", "x\n巴黎", "巴黎", True),
    ],
)
def test_answers_are_compared_by_their_kind(
    name: str, text: str, target: str, *, same: bool
) -> None:
    """Options, yes/no, numbers and texts are each compared in their own way."""
    assert same_answer(extractor(name)(text, SAMPLE), target) is same


def test_targets_are_read_as_yes_or_no() -> None:
    """A short text is yes, no, or neither."""
    assert [parse_yes_no(text) for text in ("Yes.", "错", "x", "yes and more")] == [
        "yes", "no", None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("number", "5 m\u0131llion"),
        ("number", "s\u0131x \u017fix"),
        ("letter", "par\u0131\u017f"),
        ("letter", "F\u0130RST option"),
        ("yes_no", "ye\u017f"),
    ],
)
def test_letters_that_fold_to_ascii_are_survived(name: str, text: str) -> None:
    """Dotless and long letters, which case folding equates with ASCII ones, break no look-up."""
    sample = Sample("task", "id", "", choices=tuple(map(Choice, ["Paris", "paris.", "Rom", "is"])))
    EXTRACTORS[name](text, sample)
    EXTRACTORS[name](text, CHOICES)
