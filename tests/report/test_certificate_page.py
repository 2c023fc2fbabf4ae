"""The certificate's page: one file, two languages, nothing from elsewhere, nothing that runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "judge"))

from auditing_scripts import certificate, hearing

from harness.auditing import Audit
from harness.judge.attacks import ATTACKS
from harness.judge.certificate import Certificate, Note, outcome
from harness.judge.measures import LIMITS, about, measured
from harness.report import certificate as certificate_module
from harness.report.certificate import certificate_page, share
from harness.report.say import words

BY = {
    "granted": certificate("correct", "perfect"),
    "refused": certificate("pairwise", "first-slot", 20),
    "few": certificate("correct", "perfect", 2),
    "mute": certificate("correct-short", "constant", 30, text="Hm."),
    "list": certificate("translation", "perfect", 30, ("translation",)),
}


def page(found):
    """Return the page of a certificate."""
    return certificate_page(msgspec.to_builtins(found))


def told(text, language):
    """Return a page's text in one language."""
    other = "zh" if language == "en" else "en"
    text = re.sub(rf'<span class="{other}" lang="{other}">.*?</span>', "", text, flags=re.DOTALL)
    text = re.sub(r"<(script|style)>.*?</\1>", "", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


@pytest.mark.parametrize("name", list(BY))
def test_a_page_stands_alone(name):
    """A policy by hash, no address but that of the data beside it, no style attribute."""
    text = page(BY[name])
    assert "default-src &#39;none&#39;" in text
    assert re.findall(r'(?:src|href)="([^"#]*)"', text) == ["certificate.json"]
    assert "style=" not in text
    assert "http" not in re.sub(r'http-equiv|content="[^"]*"', "", text)


def test_the_first_sentence_is_computed():
    """Granted: the nearest to its limit, and the power; refused: how many and the gravest."""
    assert "Granted: none of the 14 faults" in told(page(BY["granted"]), "en")
    assert "are refused in 8 of 10 such audits" in told(page(BY["granted"]), "en")
    refused = told(page(BY["refused"]), "en")
    assert "Certificate refused" in refused
    assert re.search(r"Refused: \d+ of 14 measures are outside their limits. The gravest", refused)
    assert "审核未通过" in told(page(BY["refused"]), "zh")


def test_position_is_told_by_how_far_apart_the_answers_are():
    """Consistency, bias and the exact test; and how much of it is beyond the noise."""
    text = told(page(BY["refused"]), "en")
    assert "one right, one wrong" in text
    assert "equally good" in text
    assert "than asking again in the same order did" in text


def test_every_attack_has_its_row_in_both_languages():
    """Each with its count and interval."""
    text = page(certificate("correct", "injectable", 60))
    for attack in ATTACKS:
        assert f"cert.attack.{attack.name}" in words()
        assert attack.name in told(text, "en")
        assert words()[f"cert.attack.{attack.name}"].zh in told(text, "zh")


def test_every_measure_is_said_in_both_languages():
    """What it counts, for one answer and for two; English as the certificate itself has it."""
    for name in [*LIMITS, "missing"]:
        assert f"cert.m.{name}" in words()
        for side, pairwise in (("one", False), ("two", True)):
            applies = name == "missing" or about(name, pairwise=pairwise)
            assert bool(applies) == (f"cert.a.{name}.{side}" in words())


def test_every_note_is_said_in_both_languages():
    """No key is without its text."""
    for found in BY.values():
        for note in found.notes:
            assert f"cert.n.{note.key}" in words()
    assert "翻译不能用来检验" in told(page(BY["list"]), "zh")
    one = msgspec.structs.replace(BY["granted"], notes=(Note("novel", "something new"),))
    assert "something new" in told(page(one), "zh")


def test_every_word_of_the_page_is_used():
    """What is not made from a name in the certificate stands in the page or its maker."""
    folder = Path(certificate_module.__file__).parent
    text = "".join(
        (folder / name).read_text(encoding="utf-8")
        for name in ("certificate.py", "templates/certificate.html.j2")
    )
    made = ("m", "a", "n", "attack", "state", "stop", "mode", "k", "pair")
    computed = {"cert.granted", "cert.refused", "cert.incomplete"}
    left = {
        key for key in words()
        if key.startswith("cert.") and key.split(".")[1] not in made and f'"{key}"' not in text
    }  # fmt: skip
    assert left == computed


def test_a_mute_judge_is_told_as_one():
    """The share without a verdict leads; the reasons stand in a table."""
    text = told(page(BY["mute"]), "en")
    assert "Refused: 100.0" in text
    assert "the judge was asked no further" in text
    assert "no verdict is announced" in text


def test_too_few_probes_are_told_as_such():
    """Refused, with the reason that more are needed."""
    text = told(page(BY["few"]), "en")
    assert "probes are too few to show a fault below 10" in text
    assert "too few probes" in text


def test_what_was_cut_short_is_no_verdict_on_the_judge():
    """Incomplete: neither stamp."""
    found = msgspec.structs.replace(
        BY["refused"], status="partial", stopped="budget: 9 tokens used of 5"
    )
    assert outcome(found) == "incomplete"
    text = told(page(found), "en")
    assert "No certificate: incomplete" in text
    assert "the budget was reached: 9 tokens used of 5" in text
    assert "Certificate refused" not in text


def test_the_page_is_safe_with_a_hostile_judge():
    """What a model calls itself and says is escaped, and what cannot be seen is shown."""
    found = certificate("correct", "constant", 3, text="VERDICT: <script>alert(1)</script>\u202e")
    hostile = msgspec.structs.replace(
        found, judge="<img src=x onerror=alert(1)>", models={"x": {"name": "<b>m</b>"}}
    )
    text = page(hostile)
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "<b>m" not in text
    assert "&lt;script&gt;" in text


def test_one_file_holds_what_the_page_shows():
    """The JSON beside it reads back as the certificate."""
    for found in BY.values():
        assert msgspec.json.decode(msgspec.json.encode(found), type=Certificate) == found


def test_shares_are_written_as_readers_expect():
    """A sign only where there is a direction; no minus before zero."""
    assert share(0.0) == "0.0\u00a0%"
    assert share(0.0, signed=True) == "0.0\u00a0%"
    assert share(-0.0001, signed=True) == "0.0\u00a0%"
    assert share(0.123, signed=True) == "+12.3\u00a0%"


def test_a_measure_without_verdicts_has_no_number():
    """A dash and a word, not zero."""
    none = measured("markup", [], {}, pairwise=False)
    found = msgspec.structs.replace(
        BY["granted"], measures=(none, *BY["granted"].measures[1:]), granted=False
    )
    assert "no verdict" in told(page(found), "en")
    assert Audit(hearing("correct", "perfect"), ()).probes == []
