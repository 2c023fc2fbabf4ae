"""Each mode of judging as a pure conversation: what is asked, what is made of the replies."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from talking import JUDGES, SEAT, drive, shown

from harness.judge.item import MAX_SHOWN, Item, messages, nonce_of
from harness.judge.modes import Judged, Seat, failed, judge, slot
from harness.judge.panel import combine, effective_judges
from harness.judge.spec import find_judge
from harness.records import Request, Response, Verdict

ITEM = Item("Capital of France?", "It is Paris.", ("Paris",), key="k1")
PAIR = Item("Capital of France?", "Paris", ("Paris",), other="Lyon")


def spec(name):
    return find_judge(name, [JUDGES])


@pytest.mark.parametrize(
    ("said", "verdict", "value"),
    [("VERDICT: correct", "correct", 1.0), ("VERDICT: INCORRECT", "incorrect", 0.0),
     ("判定：未作答", "not_attempted", 0.0)],
)  # fmt: skip
def test_a_reference_judge_gives_a_grade_and_its_score(said, verdict, value):
    """One request; the verdict carries judge, model, reply and score."""
    found, asked = drive(judge(spec("correct"), ITEM, SEAT), lambda _: said)
    assert (found.verdict, found.value, found.reason) == (verdict, value, None)
    assert len(asked) == 1
    (kept,) = found.verdicts
    assert (kept.judge, kept.model, kept.reply) == ("correct", "test/judge", said)


def test_one_repair_is_asked_and_then_the_verdict_is_missing():
    """An unreadable reply is asked for once more, in the same chat; then it is missing."""
    found, asked = drive(judge(spec("correct"), ITEM, SEAT), lambda _: "Well, it depends.")
    assert found.verdict is None
    assert found.value is None
    assert found.reason == "no verdict is announced"
    assert len(asked) == 2
    assert [m.role for m in asked[1].messages] == ["system", "user", "assistant", "user"]


def test_a_repaired_verdict_counts():
    """The second reply is read; both stay on record."""
    replies = iter(["Well.", "VERDICT: correct"])
    found, _ = drive(judge(spec("correct"), ITEM, SEAT), lambda _: next(replies))
    assert found.verdict == "correct"
    assert found.verdicts[0].reply == "Well.\n\nVERDICT: correct"


def test_a_judge_that_declines_is_missing_and_not_pressed():
    """The judge's refusal is the instrument's failure, never a grade."""
    found, asked = drive(judge(spec("correct"), ITEM, SEAT), lambda _: "I cannot judge this.")
    assert found.reason == "the judge declined"
    assert len(asked) == 1


def test_a_cut_off_reply_says_so():
    """finish_reason length is told apart."""
    reply = Response(text="The answer", finish_reason="length")
    found, _ = drive(judge(spec("correct"), ITEM, SEAT), lambda _: reply)
    assert found.reason == "the reply is cut off"


def test_schema_output_is_asked_where_the_server_has_it():
    """Reasoning comes before the verdict, the verdict is an enum; others get plain text."""
    seat = Seat("m", frozenset({"chat", "generate", "schema"}))
    _, asked = drive(judge(spec("correct"), ITEM, seat), lambda _: '{"verdict": "correct"}')
    assert list(asked[0].schema["properties"]) == ["reasoning", "verdict"]
    assert asked[0].schema["properties"]["verdict"]["enum"] == [
        "correct", "incorrect", "not_attempted",
    ]  # fmt: skip
    _, asked = drive(judge(spec("correct"), ITEM, SEAT), lambda _: "VERDICT: correct")
    assert asked[0].schema is None


def test_a_model_without_chat_gets_text():
    """The chat is flattened, and so is the repair."""
    seat = Seat("m", frozenset({"generate"}))
    _, asked = drive(judge(spec("correct"), ITEM, seat), lambda _: "hm")
    assert asked[0].messages == ()
    assert "It is Paris." in asked[0].prompt
    assert asked[1].prompt.startswith(asked[0].prompt)


@pytest.mark.parametrize(("level", "value"), [("1", 0.0), ("3", 0.5), ("5", 1.0)])
def test_a_rubric_level_becomes_a_score(level, value):
    """Levels spread evenly over 0 to 1."""
    found, _ = drive(judge(spec("explanation"), ITEM, SEAT), lambda _: f"VERDICT: {level}")
    assert found.value == value


def test_a_checklist_is_points_met_over_points_to_gain():
    """Yes to everything, the penalty too: (3 + 1 + 1 - 2) / 5."""
    found, asked = drive(judge(spec("translation"), ITEM, SEAT), lambda _: "VERDICT: yes")
    assert found.value == pytest.approx(0.6)
    assert len(asked) == 4
    assert [v.order for v in found.verdicts] == ["meaning", "complete", "natural", "added"]


def test_a_checklist_never_falls_below_zero():
    """Only the penalty is met: clipped to 0."""
    found, _ = drive(
        judge(spec("translation"), ITEM, SEAT),
        lambda r: "VERDICT: yes" if "does not?" in shown(r) else "VERDICT: no",
    )
    assert found.value == 0.0
    assert found.verdict == "1 of 4"


def test_a_missing_check_leaves_the_whole_score_missing():
    """A score without one of its items would be another score; only the unread is repaired."""
    found, asked = drive(
        judge(spec("translation"), ITEM, SEAT),
        lambda r: "hm" if "natural?" in shown(r) else "VERDICT: yes",
    )
    assert found.value is None
    assert found.reason == "natural: no verdict is announced"
    assert len(asked) == 5


def prefers(text):
    """A judge that finds `text` better wherever it stands."""

    def reply(request: Request) -> str:
        body = shown(request)
        first = body.index("<<<ANSWER A")
        second = body.index("<<<ANSWER B")
        return "VERDICT: A" if text in body[first:second] else "VERDICT: B"

    return reply


def test_a_pair_is_asked_in_both_orders():
    """The same winner twice is a win."""
    found, asked = drive(judge(spec("pairwise"), PAIR, SEAT), prefers("Paris"))
    assert (found.verdict, found.value) == ("A", 1.0)
    assert [v.order for v in found.verdicts] == ["ab", "ba"]
    assert [slot(v) for v in found.verdicts] == ["A", "B"]
    assert len(asked) == 2
    found, _ = drive(judge(spec("pairwise"), PAIR, SEAT), prefers("Lyon"))
    assert (found.verdict, found.value) == ("B", 0.0)


@pytest.mark.parametrize("always", ["A", "B", "tie"])
def test_disagreement_of_the_orders_is_a_tie(always):
    """A judge that goes by slot gives ties, not wins."""
    found, _ = drive(judge(spec("pairwise"), PAIR, SEAT), lambda _: f"VERDICT: {always}")
    assert (found.verdict, found.value) == ("tie", 0.5)


def test_a_pair_with_one_order_unread_is_missing():
    """One order alone would bring back the bias that two take out."""
    replies = iter(["VERDICT: A", "hm", "hm"])
    found, _ = drive(judge(spec("pairwise"), PAIR, SEAT), lambda _: next(replies))
    assert found.value is None
    assert found.reason == "order ba: no verdict is announced"


def test_an_expected_score_is_the_mean_level():
    """Σ k·p(k) / Σ p(k): p = .1 on level 4 and .85 on level 5, of a scale that maps to 0…1."""
    chances = {" 4": 0.1, " 5": 0.85}
    seat = Seat("m", frozenset({"generate", "loglikelihood"}))

    def reply(request: Request) -> Response:
        chance = chances.get(request.continuation, 1e-9)
        return Response(loglikelihood=math.log(chance))

    found, asked = drive(judge(spec("explanation-expected"), ITEM, seat), reply)
    assert len(asked) == 5
    assert found.value == pytest.approx((0.75 * 0.1 + 1.0 * 0.85) / 0.95)
    assert found.valid_mass == pytest.approx(0.95)
    assert found.verdict == "5"


def test_too_little_valid_mass_is_missing():
    """Half the probability is on no level at all: the mean of the rest would mislead."""
    seat = Seat("m", frozenset({"generate", "loglikelihood"}))
    reply = Response(loglikelihood=math.log(0.1))
    found, _ = drive(judge(spec("explanation-expected"), ITEM, seat), lambda _: reply)
    assert found.value is None
    assert found.valid_mass == pytest.approx(0.5)
    assert "0.50" in found.reason


def test_without_likelihoods_the_level_is_sampled():
    """Twenty replies at temperature 1, each its own request; the mass is the share readable."""
    replies = iter(["VERDICT: 4"] * 9 + ["VERDICT: 5"] * 9 + ["?"] * 2)
    found, asked = drive(judge(spec("explanation-expected"), ITEM, SEAT), lambda _: next(replies))
    assert len({request.repeat for request in asked}) == 20
    assert {request.generation.temperature for request in asked} == {1.0}
    assert found.value == pytest.approx(0.875)
    assert found.valid_mass == pytest.approx(0.9)


def test_cost_is_the_judges_own():
    """Tokens at the seat's price; replayed answers cost nothing; unknown prices stay unknown."""
    told = Response(text="VERDICT: correct", prompt_tokens=1000, completion_tokens=100)
    seat = Seat("m", price=(1.0, 10.0))
    found, _ = drive(judge(spec("correct"), ITEM, seat), lambda _: told)
    assert found.verdicts[0].cost_usd == pytest.approx(0.002)
    found, _ = drive(judge(spec("correct"), ITEM, SEAT), lambda _: told)
    assert found.verdicts[0].cost_usd is None


def test_a_panel_is_no_conversation():
    """Its members have models of their own."""
    with pytest.raises(ValueError, match="panel"):
        judge(spec("panel"), ITEM, SEAT)


def vote(verdict, value=None):
    one = Verdict("j", "m", verdict, score=value)
    return Judged(verdict, value, (one,), None if verdict else "no verdict is announced")


def test_a_majority_decides_and_votes_are_kept():
    """Two of three; all four lines stay on record, the panel's last."""
    found = combine(
        [vote("correct", 1.0), vote("incorrect", 0.0), vote("correct", 1.0)], "majority"
    )
    assert (found.verdict, found.value) == ("correct", 1.0)
    assert len(found.verdicts) == 4
    assert found.verdicts[-1].judge == "panel"


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        ([vote("correct", 1.0), vote("incorrect", 0.0)], "no verdict has a majority"),
        ([vote("correct", 1.0), vote(None), vote(None)], "1 of 3 judges gave a verdict"),
        ([vote("correct", 1.0), vote(None), vote("incorrect", 0.0)], "no verdict has a majority"),
    ],
)
def test_a_hung_panel_is_missing(votes, reason):
    """No majority of the seats is no verdict."""
    assert combine(votes, "majority").reason == reason


def test_a_panel_may_average():
    """The mean of the scores given."""
    found = combine([vote("4", 0.75), vote("5", 1.0), vote(None)], "mean")
    assert found.value == pytest.approx(0.875)


def test_judges_that_err_together_count_as_fewer():
    """Three copies of one judge are one; independent ones are three."""
    same = [[1, 0, 1, 1, 0, 0, 1, 0]] * 3
    assert effective_judges(same) == pytest.approx(1)
    apart = [[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]]
    assert effective_judges(apart) == pytest.approx(3)
    assert effective_judges([[1, 1], [1, 1]]) is None


def test_a_judge_that_was_not_reached_leaves_a_missing_verdict():
    """The failure is the reason."""
    found = failed(spec("correct"), Seat("m", name="first"), "timeout: too slow")
    assert found.verdicts[0].judge == "first"
    assert found.reason == "timeout: too slow"


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=100))
def test_no_field_can_close_its_fence(question, answer, reference):
    """Whatever the fields hold, the delimiters with the nonce stand exactly where we put them."""
    item = Item(question, answer, (reference,))
    body = messages(spec("correct"), item)[-1].content
    nonce = body.split("<<<ANSWER ")[1][:12]
    assert body.count(f"<<<ANSWER {nonce}>>>") == 1
    assert body.count(f"<<<END ANSWER {nonce}>>>") == 1
    inside = body.split(f"<<<ANSWER {nonce}>>>\n")[1].split(f"\n<<<END ANSWER {nonce}>>>")[0]
    assert "<<<" not in inside
    assert "VERDICT:" not in inside.upper()


@given(st.lists(st.text(max_size=50), min_size=1, max_size=4))
def test_a_nonce_stands_in_no_field_and_is_reproducible(texts):
    """The same fields give the same nonce, so that verdicts are found in the store."""
    nonce = nonce_of(*texts)
    assert nonce == nonce_of(*texts)
    assert all(nonce not in text for text in texts)


def test_an_overlong_answer_is_shown_by_its_ends():
    """The middle of a text beyond the limit is left out, and that is said."""
    item = Item("Q?", "a" * MAX_SHOWN + "b" * 100)
    body = messages(spec("correct"), item)[-1].content
    assert len(body) < MAX_SHOWN + 6000
    assert "100 characters left out" in body


def test_an_empty_answer_is_shown_as_one():
    """A missing reference leaves no fence; a missing answer leaves an empty one."""
    body = messages(spec("correct"), Item("Q?", ""))[-1].content
    assert "<<<ANSWER" in body
    assert "<<<REFERENCE" not in body
