"""An arena: ranks from games, what a judge's habits do to them, and what is told of it."""

from __future__ import annotations

import json

import pytest

from harness.arena import Entrant, games, rank
from harness.cli.judge_lines import arena_lines
from harness.errors import UsageError
from harness.judge.modes import Judged
from harness.records import Verdict

COUNT = 30
RECORD = {
    "models": {"pairwise": {"name": "a/judge"}},
    "judges_itself": ["run-b"],
    "usage": {"requests": 60, "prompt_tokens": 1000, "completion_tokens": 5, "cost_usd": None,
              "cached": 2, "failures": {"timeout": 1}},
}  # fmt: skip


def entrant(name: str, says) -> Entrant:
    """Return a run that says `says(i)` to the i-th of thirty samples."""
    answers = {
        ("t", f"s{i}", "default", "original", 0): {
            "input": f"question {i}", "target": ["x"], "output": says(i), "answer": says(i),
        }
        for i in range(COUNT)
    }  # fmt: skip
    return Entrant(f"run-{name}", f"m/{name}", answers)


def called(first: float, second: float) -> Judged:
    """Return what comes of two verdicts, as shares of a win for the first answer."""
    orders = tuple(
        Verdict("pairwise", "a/judge", "A", order=order, score=score)
        for order, score in (("ab", first), ("ba", second))
    )
    return Judged("A", first if first == second else 0.5, orders)


def two():
    """Return two entrants of different lengths, and their games."""
    both = [entrant("a", lambda i: f"long answer {i}"), entrant("b", lambda i: f"answer {i}")]
    return both, games(both)


def test_ranks_consistency_and_ties_are_told():
    """Twenty wins, six losses, four games called differently in the two orders."""
    both, played = two()
    found = [called(1, 1)] * 20 + [called(0, 0)] * 6 + [called(1, 0)] * 4
    result = rank(both, played, found, "pairwise")
    assert [row.model for row in result.ranks] == ["m/a", "m/b"]
    assert result.ranks[0].win_rate == pytest.approx(22 / 30)
    assert (result.samples, result.tied, result.equal) == (30, 4, 0)
    assert result.consistency[0] == pytest.approx(26 / 30)
    assert result.consistency[1] < 26 / 30 < result.consistency[2]
    assert not result.separated
    text = "\n".join(arena_lines(result, RECORD))
    assert "same winner in both orders: 87%" in text
    assert "cost unknown, 2 replayed, failed: 1 × timeout" in text
    assert "note: the judge judges its own answers: run-b" in text


def test_who_wins_everything_has_no_upper_end():
    """The strengths stay finite, the ranks are clear, and the reader is told."""
    both, played = two()
    result = rank(both, played, [called(1, 1)] * COUNT, "pairwise")
    assert result.separated
    assert (result.ranks[0].rank_low, result.ranks[0].rank_high) == (1, 1)
    assert result.ranks[0].strength < 5
    assert any("no upper end" in line for line in arena_lines(result, RECORD))


def test_a_judge_that_goes_by_slot_ranks_nobody():
    """Every game is a tie, no order agrees, and both stand on either rank."""
    both, played = two()
    result = rank(both, played, [called(1, 0)] * COUNT, "pairwise")
    assert result.consistency[0] == 0
    assert {(row.rank_low, row.rank_high) for row in result.ranks} == {(1, 2)}


def test_equal_answers_are_ties_that_nobody_was_asked_about():
    """They count as games and not towards the judge's consistency."""
    both, played = two()
    found = [Judged("tie", 0.5)] * 10 + [called(1, 1)] * 15 + [called(0, 0)] * 5
    result = rank(both, played, found, "pairwise")
    assert (result.equal, result.tied) == (10, 0)
    assert result.consistency[0] == 1
    assert any("10 of them ties of equal answers" in line for line in arena_lines(result, RECORD))


def test_missing_verdicts_are_counted_with_their_reasons():
    """Above 2 % the ranks are unreliable; without a single verdict there are none."""
    both, played = two()
    silent = Judged(None, None, reason="no verdict is announced")
    result = rank(both, played, [silent] * 3 + [called(1, 1), called(0, 0), called(1, 1)] * 9,
                  "pairwise")  # fmt: skip
    assert (result.missing, result.unreliable) == (3, True)
    assert result.missing_reasons == {"no verdict is announced": 3}
    assert "note: 3 games without a verdict: the ranks are unreliable" in [
        *arena_lines(result, RECORD)
    ]
    with pytest.raises(UsageError, match=r"no verdict on any of 30 games; most often \(30\): no v"):
        rank(both, played, [silent] * COUNT, "pairwise")


def test_one_run_is_no_arena_and_strangers_do_not_meet():
    """Two runs or more, on samples that they share."""
    both, _ = two()
    with pytest.raises(UsageError, match="two runs or more"):
        games(both[:1])
    with pytest.raises(UsageError, match="share no sample"):
        games([both[0], Entrant("c", "m/c", {})])


def test_an_arena_keeps_who_judged_and_what_it_cost(harness, tmp_path):
    """run.json has the judge's hash, models, usage, and which runs it judged of its own."""
    names = []
    for model in ("scripted/oracle", "scripted/wrong"):
        done = harness("run", "qa/en", "--model", model, "--limit", "6", "--json")
        assert done.code == 0, done.err
        names.append(json.loads(done.out)["run"])
    done = harness("judge", "arena", *names, "--judge", "pairwise=scripted/perfect")
    assert done.code == 0, done.err
    assert done.out.startswith("6 games on 6 samples; judge pairwise (scripted/perfect)")
    record = json.loads((tmp_path / done.out.splitlines()[-1] / "run.json").read_text())
    assert record["judged_by"]["usage"]["requests"] == 12
    assert record["judged_by"]["judges_itself"] == []
    assert record["arena"] == [name.split("/")[-1] for name in names]
