"""What the gate writes for machines and reviewers; answers are hostile."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import msgspec
import pytest
from made_scores import flipped, run_of

from harness.gate.annotations import LIMIT, broken, commands
from harness.gate.decision import SampleText, gate, with_texts
from harness.gate.junit import Case, broken_junit, junit
from harness.gate.markdown import MARKER, MAX_BYTES, broken_markdown, code, markdown
from harness.gate.policy import Limits, Policy
from harness.gate.records import Check, Place, WholeSet
from harness.gate.say import check_sentence, headline, spent, verdict_sentence

HOSTILE = "</code><script>x</script> @you #1 [l](http://e) `a` | b\n::error::x\r\x00\x1b[31m\ud800"


def report_of(lost: int, **more):
    """Return the report on 100 samples of which `lost` flipped, with hostile texts."""
    before, now = flipped(100, right=60, lost=lost, gained=2)
    policy = more.pop("policy", Policy())
    found = gate(run_of({"t": now}, **more), run_of({"t": before}), policy).report
    hostile = SampleText(HOSTILE, (HOSTILE,), HOSTILE)
    return with_texts(found, lambda _: hostile, lambda _: hostile)


def case(sample: str = "s0", **more) -> Case:
    """Return a case that flipped."""
    settings = {"now": (0.0,), "before": (1.0,), "status": ("ok",), "lost": True, **more}
    return Case(Place("t"), sample, **settings)


def test_markdown_says_the_verdict_in_one_line():
    """Marker, verdict, a row per task with Δ and interval, flipped samples, cost."""
    text = markdown(report_of(30), link="https://ci.example/1")
    lines = text.splitlines()
    assert lines[0] == MARKER
    assert lines[1] == "### ✗ Gate regressed (1 regressed)"
    assert "· 100 calls, $0.0000 · [report](https://ci.example/1)" in text
    assert "| 0.600 | 0.320 | -28.0 |" in text
    assert "Flipped samples (10 shown)" in text


def test_markdown_shows_hostile_text_as_itself():
    """Nothing that a model says mentions, links, breaks a table or becomes HTML."""
    text = markdown(report_of(30))
    flips = text[text.index("Flipped samples") :]
    body = [line for line in flips.splitlines() if line.startswith("| ▼ |")]
    assert len(body) == 8
    for line in body:
        assert line.count("|") == 8
        assert "<script" not in line
        assert "@" not in line
        assert "](" not in line
        assert "http:" not in line
        assert "\x1b" not in line
    text.encode()


def test_code_is_cut_and_empty_text_is_empty():
    """Long texts end in an ellipsis."""
    assert code("x" * 200, 5) == "<code>xxxx…</code>"
    assert code("  ") == ""


def test_markdown_fits_a_comment():
    """Beyond the size of a comment whole lines are left out, and it says so."""
    report = report_of(1)
    many = msgspec.structs.replace(report, tasks=report.tasks * 600)
    text = markdown(many)
    assert len(text.encode()) <= MAX_BYTES
    assert text.rstrip().endswith("Cut here: the rest is in the report.")


def test_replays_are_no_new_evidence():
    """A gate whose answers all came from the store says so."""
    found = report_of(0, calls=0, replayed=100)
    assert found.replay_only
    assert "0 calls, replayed, not new evidence" in markdown(found)
    assert spent(report_of(0, cost_usd=None, replayed=7)) == "100 calls, 7 replayed, cost unknown"
    judged = report_of(0, calls=0, replayed=100, judge_calls=70, cost_usd=0.5)
    assert spent(judged) == "0 calls, replayed, not new evidence; 70 calls of judges, $0.5000"
    both = report_of(0, judge_calls=3, cost_usd=0.5)
    assert spent(both) == "100 calls, 3 calls of judges, $0.5000"


def test_junit_fails_lost_samples_of_regressed_tasks_alone():
    """A flip within the noise is a passing case that tells of itself."""
    cases = [case(), case("s1", lost=False, now=(1.0,))]
    red = ET.fromstring(junit(report_of(30), cases))
    names = {item.get("name"): item for item in red.iter("testcase")}
    assert {item.get("classname") for item in names.values()} == {"t"}
    assert set(names) == {"gate", "s0", "s1"}
    assert names["s0"].find("failure") is not None
    assert names["s1"].find("failure") is None
    assert red.find("testsuite").get("failures") == "2"
    noise = ET.fromstring(junit(report_of(3), cases))
    (flip,) = [item for item in noise.iter("testcase") if item.get("name") == "s0"]
    assert flip.find("failure") is None
    assert "flipped within the noise\nexpected: " in flip.find("system-out").text


def test_junit_tells_expected_got_and_the_prompts_tail():
    """The end of a long prompt is where the question is."""
    long = case(input="x" * 500 + "What is 2 + 2?", target=("4", "four"), got="5")
    found = ET.fromstring(junit(report_of(30), [long])).find(".//failure[@type='lost']")
    assert found.text.startswith("expected: 4 | four\ngot: 5\nprompt: …x")
    assert found.text.endswith("What is 2 + 2?")


def test_junit_is_xml_whatever_was_said():
    """Control characters and half surrogates become replacement characters; markup is escaped."""
    text = junit(report_of(30), [case(input=HOSTILE, got=HOSTILE, target=(HOSTILE,))])
    text.encode()
    found = ET.fromstring(text).find(".//failure[@type='lost']").text
    assert "<script>x</script>" in found
    assert "\x00" not in found


def test_junit_ids_are_stable_and_repeats_are_one_case():
    """Epochs are told in one case; arm and variant stand in its name; errors are skipped."""
    cases = [
        case(now=(1.0, None), before=(1.0, 0.0), status=("ok", "error"), lost=False),
        Case(Place("t", "cot", "typos"), "s0", (None,), (None,), ("error",)),
    ]
    root = ET.fromstring(junit(report_of(0), cases))
    names = [item.get("name") for item in root.iter("testcase")]
    assert names == ["gate", "s0", "s0 [cot, typos]"]
    told = root.find(".//testcase[@name='s0']/system-out").text.splitlines()
    assert told == ["score: 1 -", "baseline: 1 0", "status: ok error"]
    assert root.findall(".//skipped")[-1].get("message") == "error"


NEEDED = {"testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name"}}
ALLOWED = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {
        "name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname",
        "id", "package", "file", "log", "url",
    },
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
}  # fmt: skip
INSIDE = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase", "system-out"},
    "testcase": {"skipped", "error", "failure", "system-out"},
}
"""What the schema of Jenkins' xUnit plugin (junit-10.xsd) takes, as far as we use it."""


def breaches(root: ET.Element) -> list[str]:
    """Return in what a document departs from the schema."""
    found = [] if root.tag == "testsuites" else [f"root is {root.tag}"]
    for item in root.iter():
        extra = set(item.keys()) - ALLOWED.get(item.tag, set())
        lacking = NEEDED.get(item.tag, set()) - set(item.keys())
        inside = {part.tag for part in item} - INSIDE.get(item.tag, set())
        found += [f"{item.tag}: {what}" for what in (extra, lacking, inside) if what]
        if item.tag == "testsuite":
            for name, mark in (("tests", None), ("failures", "failure"), ("errors", "error"),
                               ("skipped", "skipped")):  # fmt: skip
                held = sum(mark is None or case.find(mark) is not None for case in item)
                found += [f"{name} is no {held}"] * (item.get(name) != str(held))
    return found


def test_junit_keeps_to_the_schema_of_jenkins():
    """Whatever the verdict, elements, attributes and counts are those that Jenkins takes."""
    policy = Policy(margin=0.5, floors=("primary >= 0.95",), limits=Limits(latency_s=1))
    cases = [
        case(input=HOSTILE, got=HOSTILE),
        case("s1", lost=False, now=(1.0, 0.0), before=(1.0, None), status=("ok", "unparsed")),
        case("s2", now=(None,), status=("unjudged",), lost=False),
    ]
    for report in (report_of(0), report_of(30), report_of(3), report_of(3, policy=policy)):
        assert breaches(ET.fromstring(junit(report, cases))) == []
    assert breaches(ET.fromstring(broken_junit(HOSTILE))) == []
    assert breaches(ET.fromstring("<testsuites><testsuite name='a'/></testsuites>"))


def test_a_gate_that_could_not_be_made_is_told_everywhere():
    """No output goes on showing an older verdict, and the reason cannot steer any of them."""
    found = ET.fromstring(broken_junit(HOSTILE)).find(".//error")
    assert "<script>" in found.get("message")
    text = broken_markdown(HOSTILE, "https://ci.example/1")
    assert text.splitlines()[:2] == [MARKER, "### ✗ Gate without a verdict"]
    assert "<script" not in text
    assert "@" not in text
    assert "[report](https://ci.example/1)" in text
    line = broken(HOSTILE)
    assert line.startswith("::error title=gate without a verdict::")
    assert "\n" not in line


def test_junit_holds_the_limits():
    """Floors and limits are cases of their own; a missed floor turns its task's losses red."""
    policy = Policy(margin=0.5, floors=("primary >= 0.95",), limits=Limits(latency_s=1))
    root = ET.fromstring(junit(report_of(3, policy=policy), [case()]))
    found = {item.get("name"): item for item in root.iter("testcase")}
    assert found["t exact_match ≥ 0.95"].find("failure") is not None
    assert found["latency, s"].find("skipped") is not None
    assert found["s0"].find("failure") is not None


def test_annotations_are_at_most_ten_and_cannot_be_forged():
    """Regressed tasks first, then lost samples; a line break in an answer starts no command."""
    lines = commands(report_of(30), {"t": "tasks/a,b:c.yaml"})
    assert len(lines) == LIMIT
    assert lines[0].startswith("::error file=tasks/a%2Cb%3Ac.yaml,line=1,title=regressed::t: ")
    assert lines[1].startswith("::error file=tasks/a%2Cb%3Ac.yaml,line=1,title=lost s")
    assert all("\n" not in line and "\r" not in line for line in lines)
    assert commands(report_of(0), {}) == []


def test_annotations_tell_missed_limits():
    """A missed floor is told beside its task, or without a file where none is known."""
    policy = Policy(margin=0.5, floors=("primary >= 0.95",))
    (line,) = commands(report_of(3, policy=policy), {})
    assert line.startswith("::error title=limit missed::t exact_match ≥ 0.95: missed")


def test_sentences_hold_the_figures():
    """Verdict, difference, interval, margin, n, p and what would decide."""
    (task,) = report_of(6).tasks
    sentence = verdict_sentence(task)
    assert sentence.startswith("t: inconclusive: exact_match 0.600 → 0.560, -4.0 points [")
    assert "margin 2, n = 100, p = " in sentence
    assert "needs n ≈ " in sentence
    whole = WholeSet(0.5, 0.4, 0.6, 0.55, 0.52, 1.8, 100, 400)
    more = msgspec.structs.replace(task, whole=whole, unpaired=3, needed=None, reason="so")
    assert "no n would decide; 3 unpaired; over all 400 items 0.500" in verdict_sentence(more)
    bare = msgspec.structs.replace(task, n=0, reason="gone", p_regressed=None)
    assert verdict_sentence(bare) == "t: inconclusive: gone"


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (Check("cost, $", "unknown", None, 1.0, reason="no price"), "cost, $: unknown: no price"),
        (Check("x", "met", 120.0, 200.0), "x: met: 120.0, limit 200"),
        (
            Check("x", "inconclusive", 0.5, 0.6, 0.4, 0.7, 30, 90),
            "x: inconclusive: 0.500 [0.400 … 0.700], limit 0.6, n = 30; needs n ≈ 90",
        ),
    ],
)
def test_checks_in_words(check, sentence):
    """A floor or limit with its figures."""
    assert check_sentence(check) == sentence


def test_the_headline_counts():
    """The one line says how many of each."""
    report = report_of(30)
    more = msgspec.structs.replace(
        report, verdict="failed", checks=(Check("x", "missed", 1.0, 0.0),) * 2
    )
    assert "too many samples failed (1 regressed, 2 limits missed)" in headline(more)
    assert headline(msgspec.structs.replace(report, tasks=(), verdict="passed")).endswith(
        "(nothing gated)"
    )
    policy = Policy(margin=0.5, floors=("primary >= 0.95",))
    assert headline(report_of(3, policy=policy)) == (
        "Gate not passed: a limit was missed (1 not worse, 1 limit missed)"
    )
