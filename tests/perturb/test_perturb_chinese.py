"""The other script, and slips of input by pinyin."""

from __future__ import annotations

import itertools

import pytest

from harness.identity import CounterRandom
from harness.perturb.chinese import PinyinTypos, Simplified, Traditional, _converted
from harness.perturb.homophones import HOMOPHONES
from harness.records import Sample, Span

NEVER = "零〇一二三四五六七八九十百千万亿两半壹贰叁不没无非未谁哪什么几多少东南西北他她它加减乘除"


def zh(text: str, **more: object) -> Sample:
    """A question in Chinese."""
    return Sample("t", "1", text, language="zh", **more)  # type: ignore[arg-type]


def test_homophones_are_sound() -> None:
    """A hundred groups or more; each of several characters, none in two groups or a numeral."""
    groups = set(HOMOPHONES.values())
    assert len(groups) >= 100
    assert all(len(group) == len(set(group)) > 1 for group in groups)
    assert sum(map(len, groups)) == len(HOMOPHONES)
    assert not set(NEVER) & set(HOMOPHONES)


def test_pinyin_typos_sound_alike() -> None:
    """Each slip is by a homophone, and no two stand side by side."""
    text = "中国的城市有明亮的公园和清静的湖"
    after = PinyinTypos(rate=1.0)(zh(text), CounterRandom(0))
    changed = [i for i, (a, b) in enumerate(zip(text, after.input, strict=True)) if a != b]
    assert changed
    assert all(after.input[i] in HOMOPHONES[text[i]] for i in changed)
    assert all(b - a > 1 for a, b in itertools.pairwise(changed))


def test_pinyin_typos_leave_answers() -> None:
    """An accepted answer that the input mentions keeps its characters."""
    one = zh("长江是中国最长的河流", target=("长江",))
    assert PinyinTypos(rate=1.0)(one, CounterRandom(0)).input.startswith("长江")


def test_scripts() -> None:
    """By OpenCC, words decide (发展, 头发); protected text stays."""
    pytest.importorskip("opencc")
    one = zh("头发发展abc", protected=((0, 1),))
    after = Traditional()(one, CounterRandom(0))
    assert after.input == "头髮發展abc"
    assert Simplified()(after, CounterRandom(0)).input == one.input


def test_changed_length() -> None:
    """Where a conversion changes the length, each open stretch is converted by itself."""
    one = zh("ab12cd", protected=((2, 4),))
    after = _converted(one, "longer", lambda text: text.replace("a", "aa"))
    assert (after.input, after.protected) == ("aab12cd", ((3, 5),))
    assert after.spans == (Span(0, 3, "ab"),)


def test_same_length() -> None:
    """Where it does not, each changed character is a span, and protected ones stay."""
    one = zh("ab12cd", protected=((2, 4),))
    after = _converted(one, "upper", str.upper)
    assert after.input == "AB12CD"
    assert _converted(one, "nines", lambda text: "9" * len(text)).input == "991299"
