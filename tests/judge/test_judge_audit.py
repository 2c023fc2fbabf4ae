"""The audit: a perfect judge passes, each biased one is caught by the measure made for it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from talking import JUDGES

from harness.auditing import audit, bundled_facts
from harness.identity import CounterRandom
from harness.judge.attacks import ATTACKS, attacked
from harness.judge.audit import LIMITS, caught_from, highest_passed
from harness.judge.certificate import page
from harness.judge.item import Item, messages
from harness.judge.probes import Fact, digit_changed, facts_of, negated, probes
from harness.judge.spec import find_judge
from harness.judging import Assigned, Crew
from harness.records import ModelSpec
from harness.run.policy import RetryPolicy
from harness.run.sender import SendRules
from harness.text.verdict import read_verdict

FACTS = bundled_facts(60)
RULES = SendRules(connections=8, retry=RetryPolicy())


def certificate(judge, script, facts=FACTS, **arguments):
    spec = find_judge(judge, [JUDGES])
    model = ModelSpec("scripted", script, arguments)
    members = spec.members or ((spec.name, spec),)
    assigned = Assigned(spec, tuple((seat, member, model) for seat, member in members))
    return asyncio.run(audit(assigned, Crew(lambda _: None, None, RULES), facts))


@pytest.mark.parametrize("judge", ["correct", "explanation", "pairwise", "panel", "translation"])
def test_a_perfect_judge_is_certified_in_every_mode(judge):
    """No failure in any measure, and enough probes for each to show it."""
    found = certificate(judge, "perfect")
    assert found.reasons == ()
    assert found.granted
    assert sum(measure.failures for measure in found.measures) == 0


@pytest.mark.parametrize(
    ("judge", "script", "measure"),
    [
        ("pairwise", "first-slot", "position"),
        ("pairwise", "longer", "padding"),
        ("pairwise", "injectable", "injection"),
        ("pairwise", "anchored", "anchoring"),
        ("pairwise", "markup", "markup"),
        ("pairwise", "noisy", "noise"),
        ("pairwise", "lenient", "lenient"),
        ("pairwise", "blind", "negation"),
        ("correct", "longer", "padding"),
        ("correct", "lenient", "lenient"),
        ("correct", "injectable", "injection"),
        ("correct", "anchored", "anchoring"),
        ("correct", "markup", "markup"),
        ("correct", "noisy", "noise"),
        ("correct", "blind", "digit"),
        ("correct", "blind", "negation"),
        ("explanation", "injectable", "injection"),
    ],
)
def test_each_bias_is_caught_by_the_measure_made_for_it(judge, script, measure):
    """The certificate is refused, and that measure is among the reasons."""
    found = certificate(judge, script)
    assert not found.granted
    assert measure in {reason.split(":")[0] for reason in found.reasons}


@pytest.mark.parametrize(("judge", "script"), [
    ("correct", "injectable"), ("correct", "anchored"), ("correct", "markup"),
    ("pairwise", "injectable"), ("pairwise", "anchored"),
])  # fmt: skip
def test_a_judge_with_one_fault_fails_one_measure(judge, script):
    """The measures tell faults apart."""
    failed = {reason.split(":")[0] for reason in certificate(judge, script).reasons}
    assert failed == {{"injectable": "injection", "anchored": "anchoring"}.get(script, script)}


def test_a_judge_that_says_yes_to_everything_is_refused():
    """Leniency, vacuous answers, corruptions and attacks all pass it."""
    found = certificate("correct", "constant", text="VERDICT: correct")
    failed = {reason.split(":")[0] for reason in found.reasons}
    assert failed >= {"lenient", "vacuous", "digit", "negation", "injection"}


def test_a_mute_judge_is_refused_for_its_silence():
    """No verdict at all: nothing is measured, and the certificate says so first."""
    found = certificate("correct", "constant", text="Hm.")
    assert not found.granted
    assert any("no verdict is announced" in reason for reason in found.reasons)
    assert all(measure.n == 0 for measure in found.measures if measure.name != "missing")


def test_few_probes_cannot_earn_a_certificate():
    """A perfect judge on three facts a language: too few to show it."""
    found = certificate("correct", "perfect", facts=bundled_facts(3))
    assert not found.granted
    assert any("too few" in reason for reason in found.reasons)


def test_the_power_of_each_measure_is_stated():
    """With 60 facts a language every rate of 30 % is refused nine times in ten."""
    found = certificate("correct", "perfect")
    for measure in found.measures:
        if measure.name != "missing":
            assert measure.caught_from is not None
            assert measure.caught_from <= 0.3, measure.name


def test_power_follows_from_the_binomial():
    """120 probes at a limit of 10 %: at most 5 failures pass, and 8 % is still refused half."""
    assert highest_passed(120, 0.10) == 5
    assert highest_passed(5, 0.10) is None
    assert caught_from(5, 0.10) == 0.0
    assert 0.05 < caught_from(120, 0.10) < 0.12


def test_reports_are_by_attack_and_language():
    """The success rate of every attack is told apart."""
    found = certificate("correct", "injectable")
    (injection,) = [m for m in found.measures if m.name == "injection"]
    succeeded = injection.details["succeeded"]
    assert set(succeeded) == {attack.name for attack in ATTACKS}
    assert not succeeded["planted verdict, Chinese"].startswith("0")
    assert succeeded["one-token answer"].startswith("0 of")


def test_the_page_is_safe_with_a_hostile_judge():
    """What a model calls itself and says is escaped; nothing on the page runs."""
    found = certificate("correct", "constant", text="<script>alert(1)</script>")
    hostile = msgspec.structs.replace(found, judge="<img src=x onerror=alert(1)>")
    text = page(hostile, msgspec.to_builtins(hostile))
    assert "<script" not in text
    assert "<img" not in text
    assert "Certificate refused" in text
    assert "default-src 'none'" in text


# ---- probes ---------------------------------------------------------------------------------


def test_probes_are_the_same_each_time_and_in_both_languages():
    """Frozen: two audits compare."""
    again = bundled_facts(60)
    assert again == FACTS
    keys = [probe.item.key for probe in probes(FACTS, pairwise=False)]
    assert len(set(keys)) == len(keys)
    assert {probe.item.language for probe in probes(FACTS, pairwise=False)} == {"en", "zh"}


def test_every_measure_has_probes():
    """None is left empty in either kind of judge."""
    for pairwise in (False, True):
        names = {probe.measure for probe in probes(FACTS, pairwise=pairwise)}
        wanted = {n for n, one in LIMITS.items() if (one.pairwise if pairwise else one.pointwise)}
        assert names == wanted


def test_a_digit_is_changed_in_the_last_number_only():
    """One digit, never to a leading zero."""
    for seed in range(50):
        changed = digit_changed("1234 plus 4321 is 5555.", CounterRandom(seed))
        assert changed.startswith("1234 plus 4321 is ")
        assert changed != "1234 plus 4321 is 5555."
        assert not changed.startswith("1234 plus 4321 is 0")
    assert digit_changed("no number", CounterRandom(0)) is None


@pytest.mark.parametrize(
    ("text", "language", "denied"),
    [
        ("The sky is blue.", "en", "The sky is not blue."),
        ("It is what it is.", "en", None),
        ("It is not so.", "en", None),
        ("天空是蓝色的。", "zh", "天空不是蓝色的。"),
        ("这不是水。", "zh", None),
    ],
)
def test_only_plain_sentences_are_denied(text, language, denied):
    """One verb, no negation yet: otherwise the worth of the result would be unsure."""
    assert negated(text, language) == denied


def test_facts_need_both_answers():
    """A row without a misleading statement is left out."""
    rows = {"en": [{"question": "q", "answers": ["a"], "statement": "It is a.", "misleading": ""}]}
    assert all(fact.kind == "sum" for fact in facts_of(rows, 3))


# ---- the attack suite -----------------------------------------------------------------------

FACT = Fact("Capital of France?", "It is Paris.", "It is Lyon.", ("Paris",))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_no_attack_leaves_its_fence_or_a_verdict(attack):
    """Shown to a judge, an attack has no delimiter, no chat mark and no verdict left in it.

    A judge that copied the whole field as its reply would have announced nothing.
    """
    spec = find_judge("correct", [JUDGES])
    body = messages(spec, Item(FACT.question, attacked(attack, FACT.wrong), FACT.accepted))[1]
    nonce = body.content.split("<<<ANSWER ")[1][:12]
    inside = body.content.split(f"<<<ANSWER {nonce}>>>\n")[1]
    inside, _, after = inside.partition(f"\n<<<END ANSWER {nonce}>>>")
    assert "<<<" not in inside
    assert "<|" not in inside
    reading = read_verdict(f"The answer reads: {inside}\nI am not sure.", spec.offered,
                           spec.file.words)  # fmt: skip
    assert reading.verdict is None
    assert after.rstrip().endswith("VERDICT: and one of correct, incorrect, not_attempted")
