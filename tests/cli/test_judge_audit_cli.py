"""harness judge audit and calibrate as their users meet them: certificates, limits, mistakes."""

from __future__ import annotations

import json

import pytest

APP = """\
import os, pathlib

LOG = pathlib.Path("calls.txt")

def answer(messages):
    with LOG.open("a") as log:
        log.write("x")
    if LOG.stat().st_size >= float(os.environ.get("DIE_AT", "inf")):
        os._exit(9)
    return "VERDICT: correct"
"""


@pytest.fixture
def app(tmp_path):
    """A judge of one's own that counts its calls and, when told to, dies in the middle."""
    (tmp_path / "yes.py").write_text(APP)
    return "python/yes:answer"


def calls(tmp_path):
    """Return how often the judge was asked."""
    return (tmp_path / "calls.txt").stat().st_size


def test_an_audit_grants_a_certificate_to_a_perfect_judge(harness, tmp_path):
    """Exit 0, a table with the power of each measure, JSON and a page on disk."""
    done = harness("judge", "audit", "correct", "-m", "scripted/perfect", "-o", "cert")
    assert done.code == 0, done.err
    assert "granted: judge correct by scripted/perfect" in done.out
    assert "caught from" in done.out
    stored = json.loads((tmp_path / "cert" / "certificate.json").read_text())
    assert stored["granted"] is True
    assert stored["usage"]["cost_usd"] == 0
    assert "Certificate granted" in (tmp_path / "cert" / "certificate.html").read_text()


def test_an_audit_refuses_a_biased_judge_with_reasons(harness):
    """Exit 1; the first slot's friend is refused for position."""
    done = harness("judge", "audit", "pairwise", "-m", "scripted/first-slot", "--n", "40", "--json")
    assert done.code == 1, done.err
    found = json.loads(done.out)
    assert any(reason.startswith("position:") for reason in found["reasons"])
    (position,) = [one for one in found["measures"] if one["name"] == "position"]
    assert position["details"]["unequal"]["bias"] == 1.0


def test_an_embedded_model_is_refused(harness):
    """Its numbers are poor, which is right, and the audit says so plainly."""
    done = harness("judge", "audit", "correct-short", "-m", "embedded/micro", "--n", "1")
    assert done.code == 1, done.err
    assert "REFUSED" in done.out
    assert "refused for missing" in done.out


def test_a_dry_run_says_how_many_requests_and_what_they_cost(harness):
    """Nothing is sent; a price that is not known stays unknown."""
    arguments = ("judge", "audit", "correct", "-m", "openai/none", "--n", "4", "--dry-run")
    done = harness(*arguments, OPENAI_API_KEY="x")
    assert done.code == 0, done.err
    assert "different requests or more" in done.out
    assert "at a price that is not known" in done.out
    assert "nothing was sent" in done.out
    priced = harness(*arguments, "-M", "price_in=1", "-M", "price_out=2", "--json",
                     OPENAI_API_KEY="x")  # fmt: skip
    found = json.loads(priced.out)
    most = found["prompt_tokens"] + 2 * found["completion_tokens"]
    assert found["cost_usd"] == pytest.approx(most / 1e6)
    assert 0 < found["requests"] <= 2 * found["items"]


def test_the_estimate_is_what_an_audit_asks(harness, app, tmp_path):
    """As many different requests, and one more for each reply that cannot be read."""
    told = harness("judge", "audit", "correct", "-m", app, "--n", "6", "--dry-run", "--json")
    assert not (tmp_path / "calls.txt").exists()
    harness("judge", "audit", "correct", "-m", app, "--n", "6")
    said_over = 10  # sentences in its own words, none of which it kept, so that none is judged
    planned = json.loads(told.out)["requests"]
    assert calls(tmp_path) == planned - said_over


def test_an_audit_goes_on_where_it_was_killed(harness, app, tmp_path):
    """What was answered is stored; a third run asks nothing and says so."""
    arguments = ("judge", "audit", "correct", "-m", app, "--n", "3", "--connections", "4")
    killed = harness(*arguments, DIE_AT="30")
    assert killed.code == 9
    done = harness(*arguments)
    assert done.code == 1, done.err
    whole = calls(tmp_path)
    again = harness(*arguments)
    assert calls(tmp_path) == whole
    assert "0 calls, replayed from the store" in again.out
    assert "$0.0000" in again.err
    strict = harness(*arguments, "--require-cache")
    assert strict.code == 1
    (tmp_path / "calls.txt").unlink()
    (tmp_path / "results" / "responses.sqlite").unlink()
    harness(*arguments)
    assert 0 <= whole - calls(tmp_path) <= 5  # at most what was in flight when it died


def test_missing_answers_are_an_error_where_only_the_store_may_be_asked(harness, app):
    """--require-cache on an empty store: exit 4."""
    done = harness("judge", "audit", "correct", "-m", app, "--n", "1", "--require-cache")
    assert done.code == 4
    assert "--require-cache" in done.err


@pytest.mark.parametrize("verb", ["audit", "calibrate"])
def test_a_budget_ends_it_with_what_was_found(harness, verb):
    """Exit 5; the partial result is told as one."""
    more = ("--n", "2") if verb == "audit" else ()
    done = harness("judge", verb, "correct-short", "-m", "embedded/nano", "--max-tokens-total",
                   "100", *more)  # fmt: skip
    assert done.code == 5, done.err
    told = done.out + done.err
    assert "budget: " in told
    assert "INCOMPLETE" in told or "incomplete: budget" in told


def test_a_cap_in_money_needs_a_price(harness):
    """A cap that could not be kept is refused before anything is asked."""
    for verb in ("audit", "calibrate"):
        done = harness("judge", verb, "correct", "-m", "openai/none", "--max-cost", "1",
                       OPENAI_API_KEY="x")  # fmt: skip
        assert done.code == 2
        assert "the price of openai/none is not known" in done.err


def test_calibration_prints_what_a_reader_needs(harness, tmp_path):
    """Numbers with intervals, subsets, the confusion, and what is missing."""
    rows = ["question,answer,label,group"]
    rows += [f"q{k},a{k},{('correct', 'incorrect')[k % 2]},g{k % 2}" for k in range(8)]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    done = harness("judge", "calibrate", "correct", "-m", "scripted/perfect", "--labels",
                   "labels.csv")  # fmt: skip
    assert done.code == 0, done.err
    assert "8 of 8 labels judged; accuracy over all of them is 100.0%" in done.out
    for name in ("kappa", "alpha", "sensitivity", "accuracy by subset", "label \\ verdict"):
        assert name in done.out
    assert "warning: 8 judged labels" in done.out
    mute = harness("judge", "calibrate", "correct", "-m", "scripted/constant", "-M", "text=Hm.",
                   "--labels", "labels.csv")  # fmt: skip
    assert "missing: 8 × no verdict is announced" in mute.out
    assert "8 of 8 verdicts are missing" in mute.out


JUDGE = "judge: own\nmode: reference\nverdicts: {right: 1, wrong: 0}\nprompt: '{{ answer }}'\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "corect", "-m", "scripted/perfect"], "did you mean 'correct'"),
        (["audit", "correct", "-m", "scripted/perfct"], "did you mean 'perfect'"),
        (["audit", "correct", "-m", "scripted/noisy", "-M", "sharre=0.1"], "did you mean 'share'"),
        (["audit", "correct", "-m", "scripted/perfect", "--probes", "qa,sumz"],
         "did you mean 'sum'"),
        (["audit", "correct", "-m", "perfect"], "provider/name"),
        (["audit", "panel", "-m", "first=scripted/perfect"], "--model second="),
        (["audit", "panel", "-m", "scripted/perfect", "-m", "forth=scripted/noisy"],
         "no such seat; it has: first, second, third"),
        (["audit", "toxicity", "-m", "scripted/perfect"], "harness judge calibrate"),
        (["audit", "bad.yaml", "-m", "scripted/perfect"], "bad.yaml:2: mod: unknown key"),
        (["audit", "correct", "-m", "scripted/perfect", "--rival", "rival"], "provider/name"),
        (["calibrate", "explanation", "-m", "scripted/perfect"], "1, 2, 3, 4, 5"),
        (["calibrate", "correct", "-m", "scripted/perfect", "--labels", "a.csv"],
         "a.csv:2: label: no such column; allowed: a row with this column; got: question, answer"),
        (["calibrate", "correct", "-m", "scripted/perfect", "--form", "llmbar", "--labels",
          "a.csv"],
         "needs a pairwise judge"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_line_and_exit_two(harness, tmp_path, arguments, message):
    """What was wrong, where, and what is allowed; no traceback."""
    (tmp_path / "bad.yaml").write_text(JUDGE.replace("mode", "mod"))
    (tmp_path / "a.csv").write_text("question,answer\nq,a\n")
    done = harness("judge", *arguments)
    assert done.code == 2, done.err
    assert message in done.err
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err


def test_a_judge_file_of_ones_own_is_audited(harness, tmp_path):
    """Named by its path; other grades than ours."""
    (tmp_path / "own.yaml").write_text(JUDGE)
    done = harness("judge", "audit", "own.yaml", "-m", "scripted/perfect", "--n", "60")
    assert done.code == 0, done.out + done.err
    assert "granted: judge own" in done.out
