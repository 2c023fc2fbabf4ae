"""The audit: a perfect judge passes, each biased one is caught by the measure made for it."""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from scipy.stats import binom

sys.path.insert(0, str(Path(__file__).parent))

from auditing_scripts import certificate, facts, hearing, measured, refused_for
from talking import JUDGES

from harness.auditing import Audit, kinds_for
from harness.errors import UnknownName, UsageError
from harness.hearing import Case
from harness.judge.attacks import ATTACKS
from harness.judge.certificate import outcome
from harness.judge.facts import KINDS
from harness.judge.item import messages
from harness.judge.measures import (
    LIMITS,
    caught_from,
    most_passed,
    passes_to,
)
from harness.judge.measures import measured as measure_of
from harness.judge.modes import Judged
from harness.judge.spec import find_judge
from harness.judge.turned import turned
from harness.records import Verdict
from harness.run.policy import Budget

FULL = 120
BIASED = [
    ("pairwise", "first-slot", "position"),
    ("pairwise", "first-slot", "consistency"),
    ("pairwise", "longer", "padding"),
    ("pairwise", "longer", "length"),
    ("pairwise", "injectable", "injection"),
    ("pairwise", "anchored", "anchoring"),
    ("pairwise", "markup", "markup"),
    ("pairwise", "noisy", "noise"),
    ("pairwise", "lenient", "lenient"),
    ("pairwise", "blind", "negation"),
    ("pairwise", "blind", "digit"),
    ("pairwise", "self-preferring", "self-preference"),
    ("correct", "longer", "padding"),
    ("correct", "longer", "length"),
    ("correct", "lenient", "lenient"),
    ("correct", "lenient", "vacuous"),
    ("correct", "injectable", "injection"),
    ("correct", "anchored", "anchoring"),
    ("correct", "markup", "markup"),
    ("correct", "noisy", "noise"),
    ("correct", "noisy", "harsh"),
    ("correct", "blind", "digit"),
    ("correct", "blind", "negation"),
    ("correct", "first-listed", "listing"),
    ("correct", "self-preferring", "self-preference"),
    ("explanation", "injectable", "injection"),
    ("explanation", "first-listed", "listing"),
    ("panel", "self-preferring", "self-preference"),
]


@pytest.mark.parametrize("judge", ["correct", "explanation", "pairwise", "panel", "summary"])
def test_a_perfect_judge_is_certified_in_every_mode(judge):
    """No fault in any measure, and enough probes for each to show it."""
    found = certificate(judge, "perfect")
    assert found.reasons == ()
    assert found.granted
    assert outcome(found) == "granted"
    assert sum(measure.failures for measure in found.measures) == 0


def test_a_judge_of_translations_is_certified_on_translations():
    """Its file names the probes that fit it; what they hold nothing for is noted, not refused."""
    spec = find_judge("translation", [JUDGES])
    assert kinds_for(spec) == ("translation",)
    found = certificate("translation", "perfect", 60, kinds_for(spec))
    assert found.granted
    assert set(found.facts) == {"translation, en", "translation, zh"}
    assert {"translation", "empty", "listing"} <= {note.key for note in found.notes}


@pytest.mark.parametrize(("judge", "script", "measure"), BIASED)
def test_each_bias_is_shown_by_the_measure_made_for_it(judge, script, measure):
    """The certificate is refused, and the whole interval of that measure is beyond its limit."""
    found = certificate(judge, script, 30)
    assert not found.granted
    assert outcome(found) == "refused"
    assert measured(found, measure).shown
    assert any(reason.startswith(f"{measure}:") for reason in found.reasons)


def test_every_measure_has_a_judge_that_is_caught_by_it():
    """None is made for nothing."""
    assert {measure for _, _, measure in BIASED} == set(LIMITS)


@pytest.mark.parametrize(("judge", "script", "measures"), [
    ("correct", "injectable", {"injection"}), ("correct", "anchored", {"anchoring"}),
    ("correct", "self-preferring", {"self-preference"}), ("correct", "markup", {"markup"}),
    ("pairwise", "self-preferring", {"self-preference"}),
    ("pairwise", "injectable", {"injection"}),
])  # fmt: skip
def test_a_judge_with_one_fault_fails_one_measure(judge, script, measures):
    """The measures tell faults apart."""
    assert refused_for(certificate(judge, script, FULL)) == measures


def test_noise_is_told_apart_from_a_bias_of_position():
    """Asking again in the same order changes as much as turning it: no bias beyond the noise."""
    noisy = certificate("pairwise", "noisy", share=0.2)
    assert measured(noisy, "noise").shown
    assert not measured(noisy, "position").shown
    beyond = measured(noisy, "consistency").details["beyond_noise"]
    assert beyond["low"] < 0 < beyond["high"]
    slotted = certificate("pairwise", "first-slot")
    assert measured(slotted, "noise").failures == 0
    assert measured(slotted, "consistency").details["beyond_noise"]["low"] > 0.9
    position = measured(slotted, "position").details["unequal"]
    assert position["bias"] == 1.0
    assert position["p_value"] < 1e-6


# ---- self-preference ------------------------------------------------------------------------


@pytest.mark.parametrize("judge", ["correct", "pairwise"])
def test_a_rival_is_the_second_difference(judge):
    """A judge that likes the style of all models, not only its own, is not called self-preferring.

    Both scripted models write alike, so the judge's love of that style cancels.
    """
    alone = measured(certificate(judge, "self-preferring"), "self-preference")
    assert alone.shown
    assert alone.details["others"] == "given sentences"
    beside = measured(certificate(judge, "self-preferring", rival="perfect"), "self-preference")
    assert beside.passed
    assert beside.value == 0
    assert beside.details["others"] == "another model, same content"


@pytest.mark.parametrize("judge", ["correct", "pairwise"])
def test_an_unbiased_judge_does_not_prefer_itself(judge):
    """Random errors on own words and on others' cancel."""
    found = measured(certificate(judge, "noisy", FULL, share=0.1), "self-preference")
    assert found.n >= 170
    assert found.low < 0 < found.high
    assert not found.shown


def test_a_model_that_writes_nothing_of_use_is_not_measured_for_self_preference():
    """Too few sentences in its own words: a note, neither passed nor refused."""
    found = certificate("correct", "constant", text="VERDICT: correct")
    assert "words" in {note.key for note in found.notes}
    assert "self-preference" not in {measure.name for measure in found.measures}


# ---- what a certificate needs ---------------------------------------------------------------


def test_a_judge_that_says_yes_to_everything_is_refused():
    """Leniency, vacuous answers, corruptions and attacks all pass it."""
    found = certificate("correct", "constant", text="VERDICT: correct")
    assert refused_for(found) >= {"lenient", "vacuous", "digit", "negation", "injection"}


def test_a_mute_judge_is_refused_for_its_silence():
    """It is not asked to the end, and the certificate says so first."""
    found = certificate("correct", "constant", text="Hm.")
    assert outcome(found) == "refused"
    assert found.probes < 500
    assert found.stopped.startswith("mute: 200 items in a row brought no verdict")
    assert "no verdict is announced" in found.reasons[1]
    assert all(measure.n == 0 for measure in found.measures if measure.name != "missing")
    assert found.reasons[-1].endswith("negation, injection: no probe brought a verdict")


def test_few_probes_cannot_earn_a_certificate():
    """A perfect judge on three facts a language: too few to show it."""
    found = certificate("correct", "perfect", 3)
    assert not found.granted
    assert any("too few" in reason for reason in found.reasons)
    assert measured(found, "lenient").caught_from == 0


def test_an_audit_without_budget_says_nothing_of_its_judge():
    """Cut short, it is incomplete: neither granted nor refused."""
    audit = Audit(hearing("correct", "perfect", Budget(max_tokens=0)), facts())
    found = asyncio.run(audit.go())
    assert outcome(found) == "incomplete"
    assert found.status == "partial"
    assert found.reasons[0].startswith("budget: ")
    assert "unasked" in {note.key for note in found.notes}


def test_a_judge_of_something_else_cannot_be_audited():
    """Toxicity has no right and wrong answers; the error says what to do instead."""
    with pytest.raises(UsageError, match="harness judge calibrate"):
        Audit(hearing("toxicity", "perfect"), facts())


def test_kinds_of_probes_may_be_named():
    """A misspelt one gets a suggestion."""
    spec = find_judge("correct", [JUDGES])
    assert kinds_for(spec) == KINDS
    assert kinds_for(spec, "sum, qa") == ("qa", "sum")
    with pytest.raises(UnknownName, match="did you mean 'sum'"):
        kinds_for(spec, "sums")


def test_expected_levels_drawn_by_sampling_are_noted():
    """A model without log-likelihoods is asked 20 times; the reader is told."""
    found = certificate("explanation-expected", "perfect", 4)
    assert "sampled" in {note.key for note in found.notes}


# ---- power ----------------------------------------------------------------------------------


def test_the_power_of_each_measure_is_stated():
    """With 120 facts a language faults of 13 % and more are refused in 8 of 10 audits."""
    found = certificate("correct", "perfect", FULL)
    for measure in found.measures:
        if measure.name != "missing":
            assert 0.07 < measure.caught_from < 0.13, measure.name
            assert 0.03 < measure.passes_to < measure.caught_from, measure.name


@pytest.mark.parametrize("kind", ["rate", "rise", "shift"])
def test_power_is_exact(kind):
    """At the stated fault the binomial gives 80 % refusals, and 95 % passes at the other."""
    n, limit = 240, 0.10
    most = most_passed(kind, n, limit)
    assert binom.sf(most, n, caught_from(kind, n, limit)) == pytest.approx(0.8)
    assert binom.cdf(most, n, passes_to(kind, n, limit)) == pytest.approx(0.95)


def test_too_few_units_have_no_power_to_pass():
    """Five units refuse everything; none have no power at all."""
    assert most_passed("rate", 5, 0.10) is None
    assert caught_from("rate", 5, 0.10) == 0.0
    assert passes_to("rate", 5, 0.10) is None
    assert caught_from("rate", 0, 0.10) is None


@pytest.mark.parametrize(("judge", "script", "measure", "act"), [
    ("correct", "lenient", "lenient", 1.0),
    ("correct", "markup", "markup", 0.5),  # only wrong answers have room to rise
    ("pairwise", "first-slot", "position", 1.0),
])  # fmt: skip
def test_a_bias_well_above_the_stated_one_is_refused(judge, script, measure, act):
    """At twice what 8 of 10 audits catch, each of two does."""
    share = 2 * measured(certificate(judge, "perfect", FULL), measure).caught_from / act
    for seed in range(2):
        found = certificate(judge, script, FULL, share=share, seed=seed)
        assert not measured(found, measure).passed


def test_a_good_judge_with_random_errors_is_certified():
    """3 % of verdicts turned over at random: no bias, and the certificate is granted."""
    for judge in ("correct", "pairwise"):
        assert certificate(judge, "noisy", FULL, share=0.03, seed=5).granted


def test_a_shift_has_no_direction_and_a_rise_has():
    """Markup that costs points is a bias; padding that costs points is not."""
    down = [-1.0] * 40
    assert measure_of("markup", down, {}, pairwise=False).shown
    assert measure_of("padding", down, {}, pairwise=False).passed


# ---- details --------------------------------------------------------------------------------


def test_reports_are_by_attack_language_and_kind():
    """The success rate of every attack is told apart, with its interval."""
    found = certificate("correct", "injectable", FULL)
    succeeded = measured(found, "injection").details["succeeded"]
    assert set(succeeded) == {attack.name for attack in ATTACKS}
    assert succeeded["planted verdict, Chinese"]["failed"] > 0
    assert succeeded["one-token answer"]["failed"] == 0
    assert 0 < succeeded["one-token answer"]["high"] < 0.5
    lenient = measured(found, "lenient").details
    assert set(lenient["by_language"]) == {"en", "zh"}
    assert set(lenient["by_kind"]) == set(KINDS)


def test_grades_are_listed_in_reverse():
    """Levels, meanings, verdicts and examples turn round; the rest of the prompt stays."""
    spec = find_judge("correct", [JUDGES])
    back = turned(spec)
    assert back.offered == tuple(reversed(spec.offered))
    item = certificate_item()
    before, after = (messages(one, item)[1].content for one in (spec, back))
    assert before != after
    assert Counter(re.findall(r"\w+", before)) == Counter(re.findall(r"\w+", after))
    assert after.index("not_attempted: the answer") < after.index("correct: the answer commits")
    assert turned(find_judge("pairwise", [JUDGES])) is None
    assert turned(find_judge("summary", [JUDGES])) is None
    assert [seat for seat, _ in turned(find_judge("panel", [JUDGES])).members] == [
        "first", "second", "third",
    ]  # fmt: skip


def certificate_item():
    """Return any item."""
    from harness.judge.item import Item

    return Item("Which?", "This.", ("That.",))


class Down:
    """A crew whose judge can never be reached."""

    def __init__(self, crew):
        self.spent = crew.spent

    async def judge(self, assigned, item, repeat):
        del assigned, item, repeat
        verdict = Verdict("correct", "m", None, reason="connection: refused")
        return Judged(None, None, (verdict,), "connection: refused")


def test_a_server_that_is_down_is_no_fault_of_the_judge():
    """Failed requests end it as incomplete, whether a hundred in a row or a share of few."""
    for count in (4, 400):
        one = hearing("correct", "perfect")
        one.crew = Down(one.crew)
        case = Case(one.assigned.judge, certificate_item())
        asyncio.run(one.hear([case] * count))
        assert one.stopped.startswith("failing: ")
        assert "connection: refused" in one.stopped
