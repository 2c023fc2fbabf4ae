"""The judges' page: coverage, what is missing and why, corrected scores, agreement with people."""

from __future__ import annotations

import re

import msgspec
import pytest
from judged_runs import JUDGE, judged_run
from test_board import cell
from test_report_blocks import row
from test_report_pages import report_of, run_data

from harness.cli.report import load_runs, write_report
from harness.report.cost_tally import CostTally
from harness.report.judge_chart import ESTIMATES, Estimates, estimates_chart
from harness.report.judge_tally import JudgeTally, label_key, sample_link
from harness.report.judge_truth import CorrectedLine, cautions
from harness.report.judge_view import judge_page
from harness.report.model import RunData, TaskText
from harness.report.pages import write_pages
from harness.report.survey import RunSurvey, survey

EVIL = "</script><script>alert(1)</script>"


def verdict(said: str | None, judge: str = "correct", **more) -> dict:
    """Make a verdict as the table has it."""
    empty = dict.fromkeys(("order", "score", "valid_mass", "reason", "reply", "cost_usd"))
    return {**empty, "judge": judge, "model": "p/judge", "verdict": said, **more}


def judged(said: str | None, name: str, **more) -> dict:
    """Make a row with one verdict."""
    votes = more.pop("verdicts", None) or [
        verdict(said, score=float(said == "correct"), reason=None if said else "it declined")
    ]
    known = {"correct": 1.0, "incorrect": 0.0}
    scores = more.pop("scores", [] if said is None else [("judged", known.get(said, 0.5))])
    status = "unjudged" if said is None else "ok"
    return row(task="a/x", sample_id=name, status=status, scores=scores, verdicts=votes, **more)


def run_of(rows: list[dict], judges: dict | None = None, **more) -> RunData:
    """Make a run of judged rows."""
    told = {"correct": {**JUDGE, "tasks": ["a/x"]}} if judges is None else judges
    cells = more.pop("cells", (cell("a/x", 0.5, metric="judged", n=4),))
    manifest = {"judges": told, **more.pop("manifest", {})}
    made = run_data(rows=rows, cells=cells, manifest=manifest)
    names = {name: getattr(made, name) for name in RunData.__dataclass_fields__}
    return RunData(**{**names, **more})


def page_of(*runs: RunData):
    """Return the judges' page of some runs."""
    data = report_of(*runs)
    return judge_page(data, {run.name: survey(run, ["a/x"]) for run in runs})


def part_of(rows: list[dict], judges: dict | None = None, **more):
    """Return the one judge of a run."""
    page = page_of(run_of(rows, judges, **more))
    assert page is not None
    (part,) = page.parts
    return part


def test_a_run_without_judges_has_no_page(tmp_path):
    """Neither the page nor a link to it."""
    assert page_of(run_data()) is None
    text = write_pages(report_of(run_data()), tmp_path).read_text("utf-8")
    assert 'data-view="judges"' not in text
    assert "view=judges" not in text


def test_verdicts_are_counted_apart_from_what_a_program_decided():
    """Given, missing by reason, decided: together they are all answered samples."""
    rows = [judged("correct", "1"), judged("incorrect", "2"), judged(None, "3")]
    rows.append(row(task="a/x", sample_id="4", scores=[("judged", 1.0)]))
    rows.append(row(task="a/x", sample_id="5", status="error", error="timeout"))
    part = part_of(rows)
    (line,) = part.lines
    assert (line.tally.given, line.tally.missing, line.tally.decided) == (2, 1, 1)
    assert part.reasons == [("it declined", 1)]
    assert line.unreliable
    assert [point.said for _, point in part.unheard] == ["it declined"]
    assert "st=a%2Fx" in part.unheard[0][1].href


def test_two_per_cent_missing_is_still_reliable():
    """The mark is for more than 2 %."""
    rows = [judged("correct", str(n)) for n in range(49)] + [judged(None, "x")]
    assert not part_of(rows).lines[0].unreliable
    assert part_of(rows[1:]).lines[0].unreliable


def test_a_model_that_judges_itself_is_named():
    """In the judge's part, in its line, and in the page's first sentence."""
    told = {"correct": {**JUDGE, "tasks": ["a/x"], "judges_itself": True}}
    page = page_of(run_of([judged("correct", "1")], told))
    assert "p/a judged its own answers." in [said.en for said in page.parts[0].warnings]
    assert page.parts[0].lines[0].itself
    assert "A model judged its own answers." in page.story.en


def test_a_panel_has_its_votes_and_its_effective_size():
    """Every seat's verdicts, how often it votes as the panel, and how much they are worth."""
    told = {
        "panel": {
            **JUDGE,
            "mode": "panel",
            "tasks": ["a/x"],
            "signs": ["panel", "first", "second", "third"],
            "models": {seat: {"name": f"p/{seat}"} for seat in ("first", "second", "third")},
            "effective_judges": 1.5,
        }
    }

    def votes(*said: str | None) -> list[dict]:
        seats = [
            verdict(one, seat) for one, seat in zip(said, told["panel"]["models"], strict=True)
        ]
        return [*seats, verdict("correct", "panel")]

    rows = [
        judged("correct", "1", verdicts=votes("correct", "correct", "incorrect")),
        judged("correct", "2", verdicts=votes("correct", None, "correct")),
    ]
    part = part_of(rows, told)
    assert [
        (seat.seat, seat.model, seat.given, seat.missing, seat.agreed) for seat in part.seats
    ] == [
        ("first", "p/first", 2, 0, "100%"),
        ("second", "p/second", 1, 1, "100%"),
        ("third", "p/third", 2, 0, "50%"),
    ]
    assert part.offered == ["correct", "incorrect"]
    assert part.lines[0].tally.given == 2
    assert ("1.50") in [value for _, value in part.facts]


def test_a_panel_without_a_majority_is_missing_with_its_own_reason():
    """The seats voted; the panel's verdict is missing."""
    told = {"panel": {**JUDGE, "mode": "panel", "tasks": ["a/x"], "signs": ["panel", "first"]}}
    votes = [verdict("correct", "first"), verdict(None, "panel", reason="no majority")]
    part = part_of([judged(None, "1", verdicts=votes)], told)
    assert part.reasons == [("no majority", 1)]


def test_checks_of_a_list_are_told_one_by_one():
    """A checklist's points, met, unmet and missing; a missing one loses the whole verdict."""
    told = {"correct": {**JUDGE, "mode": "checklist", "tasks": ["a/x"]}}

    def checks(first: str | None, second: str) -> list[dict]:
        return [verdict(first, order="meaning", reason="cut off"), verdict(second, order="added")]

    rows = [
        judged("correct", "1", verdicts=checks("yes", "no")),
        judged(None, "2", verdicts=checks(None, "no")),
    ]
    part = part_of(rows, told)
    assert part.offered == ["no", "yes"]
    assert part.checks == [("meaning", (0, 1), 1), ("added", (2, 0), 0)]
    assert part.lines[0].tally.missing == 1


def test_pairs_tell_how_often_both_orders_agree():
    """Consistency is the share of verdicts whose winner won in both orders."""
    told = {"correct": {**JUDGE, "mode": "pairwise", "tasks": ["a/x"]}}

    def orders(first: float, second: float) -> list[dict]:
        return [verdict("A", order="ab", score=first), verdict("B", order="ba", score=second)]

    rows = [
        judged("correct", "1", verdicts=orders(1.0, 1.0)),
        judged("correct", "2", verdicts=orders(1.0, 0.0)),
    ]
    facts = {name.en: value for name, value in part_of(rows, told).facts}
    assert facts["same winner in both orders"] == "50%"


def test_mean_probability_of_an_expected_level_is_told():
    """The share of the probability that fell on a level."""
    rows = [
        judged("4", str(n), verdicts=[verdict("4", valid_mass=mass)])
        for n, mass in enumerate((0.8, 1.0))
    ]
    facts = {name.en: value for name, value in part_of(rows).facts}
    assert facts["mean probability on a level"] == "0.90"


def test_verdicts_that_the_record_does_not_know_are_shown_all_the_same():
    """A run without a word on its judges: names and models come from the verdicts."""
    part = part_of([judged("correct", "1")], {})
    assert (part.name, part.models, part.hash) == ("correct", [("correct", "p/judge")], "")


def test_the_arm_hash_says_who_judges_where_the_record_is_of_an_older_form():
    """Without `tasks`, the judge of an arm is that of the hash."""
    old = {key: value for key, value in JUDGE.items() if key not in ("tasks", "signs", "metric")}
    told = {"correct": old, "other": {**old, "hash": "ffff"}}
    arms = {"default": {"judge": "ffff"}}
    rows = [row(task="a/x", sample_id="1", scores=[("judged", 1.0)])]
    page = page_of(run_of(rows, told, manifest={"tasks": {"a/x": {"arms": arms}}}))
    assert [part.name for part in page.parts] == ["other"]


def test_a_judge_beside_another_is_a_part_of_its_own():
    """A second judge of the same samples, for another metric: no labels, no correction."""
    told = {
        "correct": {**JUDGE, "tasks": ["a/x"]},
        "toxicity": {**JUDGE, "metric": "toxicity", "tasks": ["a/x"], "signs": ["toxicity"]},
    }
    votes = [verdict("correct", score=1.0), verdict("1", "toxicity", score=0.0)]
    rows = [judged("correct", "1", verdicts=votes, scores=[("judged", 1.0), ("toxicity", 0.0)])]
    page = page_of(run_of(rows, told))
    assert [(part.name, part.metric) for part in page.parts] == [
        ("correct", "judged"),
        ("toxicity", "toxicity"),
    ]
    assert page.parts[0].lines[0].failed.endswith("show=failed")
    assert page.parts[1].lines[0].failed is None


def test_a_copy_without_verdicts_tells_what_its_record_has():
    """A recorded baseline keeps no verdicts: counts and reasons are those of run.json."""
    place = {"task": "a/x", "arm": "default", "variant": "original"}
    told = {"correct": {**JUDGE, "tasks": ["a/x"], "judged": 12}}
    told["correct"]["scores"] = [{**place, "n": 15, "asked": 14, "missing": 2}]
    told["correct"]["missing_reasons"] = {"cut off": 2}
    part = part_of([row(task="a/x", sample_id="1", scores=[("judged", 1.0)])], told)
    assert any("12 verdicts were given" in said.en for said in part.warnings)
    (line,) = part.lines
    assert (line.tally.given, line.tally.missing, line.tally.decided) == (12, 2, 3)
    assert part.reasons == [("cut off", 2)]


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost_usd": 0.5}, "$0.5"),
        ({"cost_usd": None}, "$0.002"),
        ({}, "$0.002"),
    ],
)
def test_the_judges_cost_is_that_of_the_record_else_of_the_verdicts(usage, cost):
    """What run.json does not know, the verdicts may."""
    told = {"correct": {**JUDGE, "tasks": ["a/x"], "usage": usage}}
    rows = [judged("correct", "1", verdicts=[verdict("correct", cost_usd=0.002)])]
    facts = {name.en: value for name, value in part_of(rows, told).facts}
    assert facts["cost"] == cost


def test_an_unknown_cost_is_unknown_and_not_nothing():
    """A verdict without a cost leaves the sum unknown."""
    told = {"correct": {**JUDGE, "tasks": ["a/x"], "usage": {}}}
    facts = {name.en: value for name, value in part_of([judged("correct", "1")], told).facts}
    assert facts["cost"].en == "unknown"


# ---- against people -------------------------------------------------------------------------


def labelled(rows: list[dict], labels: list[float]) -> dict[str, float]:
    """Return labels by the key of each row."""
    return {label_key(one): label for one, label in zip(rows, labels, strict=True)}


def test_confusion_against_labels_by_hand():
    """Two of three right ones found, one wrong one let through: known rates."""
    rows = [judged(said, str(n)) for n, said in enumerate(["correct"] * 3 + ["incorrect"] * 2)]
    part = part_of(rows, labels=labelled(rows, [1, 1, 0, 1, 0]))
    (line,) = part.agreement
    assert line.counts == (2, 1, 1, 1)
    assert line.accuracy.startswith("0.60 (")
    assert line.sensitivity.startswith("0.67 (")
    assert line.specificity.startswith("0.50 (")
    assert part.disputes == 2
    assert {(point.label, point.judged) for _, point in part.disputed} == {(0, 1.0), (1, 0.0)}


def test_labels_on_what_a_program_decided_stand_apart():
    """They say nothing of the judge, but may overrule the program."""
    rows = [row(task="a/x", sample_id=str(n), scores=[("judged", 1.0)]) for n in range(3)]
    part = part_of(rows, labels=labelled(rows, [1, 1, 0]))
    (line,) = part.agreement
    assert (line.labels, line.checked, line.overruled, line.counts) == (0, 3, 1, None)
    assert part.disputed[0][1].said is None


def test_graded_scores_tell_their_mean_error():
    """Levels have no confusion of right and wrong: the mean difference is told."""
    rows = [judged("level", str(n)) for n in range(2)]
    (line,) = part_of(rows, labels=labelled(rows, [0.25, 0.5])).agreement
    assert (line.counts, line.bias) == (None, "0.12")


def test_corrected_scores_stand_beside_raw_ones():
    """Value, interval and effective number of labels of each estimate; a chart of all three."""
    place = {"metric": "judged", "n": 100}
    cells = (
        cell("a/x", 0.8, low=0.7, high=0.9, **place),
        cell("a/x", 0.7, low=0.6, high=0.8, estimate="ppi++", **place),
        cell("a/x", None, low=None, high=None, estimate="rogan-gladen", reason="too few", **place),
    )
    kept = {"task": "a/x", "arm": "default", "variant": "original", "labels": 60}
    kept["corrected"] = {"ppi++": {"effective_n": 81.4}}
    kept["warnings"] = ["60 labels: below 200 the intervals may cover too little", "odd"]
    corrections = {"corrections": [kept]}
    page = page_of(run_of([judged("correct", "1")], cells=cells, corrections=corrections))
    (part,) = page.parts
    (line,) = part.corrected
    raw, ppi, rogan = line.estimates
    assert (raw.value, raw.span, raw.worth) == ("0.80", "0.70–0.90", "")
    assert (ppi.value, ppi.worth) == ("0.70", "81")
    assert (rogan.value, rogan.reason) == ("", "too few")
    assert line.labels == 60
    assert [said.en for said in part.cautions] == [
        "Where there are fewer than 200 labels, the intervals may cover too little.",
        "odd",
    ]
    ((task, chart),) = part.charts
    assert task == "a/x"
    assert "a, raw: 0.80 (0.70 to 0.90)" in chart


def test_the_chart_speaks_both_languages_and_needs_a_correction():
    """The text alternative is there twice; raw scores alone make no chart."""
    raw = cell("a/x", 0.8, metric="judged")
    assert estimates_chart("a/x", [Estimates("p/m", {"raw": raw})]) == ""
    true = cell("a/x", 0.7, metric="judged", estimate="ppi++")
    drawn = estimates_chart("a/x", [Estimates("p/m", {"raw": raw, "ppi++": true})])
    assert "data-label-zh=" in drawn
    assert len(ESTIMATES) == 3


def test_of_many_systems_those_that_moved_most_are_drawn():
    """Twelve systems of six tasks at most: the page stays readable, the table has all."""
    cells = [
        cell(f"a/{task}", value, metric="judged", estimate=estimate)
        for task in range(7)
        for estimate, value in (("raw", 0.9), ("ppi++", 0.9 - task / 10))
    ]
    runs = []
    for place in range(14):
        rows = [{**judged("correct", "1"), "task": f"a/{task}"} for task in range(7)]
        told = {"correct": {**JUDGE, "tasks": [f"a/{task}" for task in range(7)]}}
        runs.append(run_of(rows, told, name=f"r{place}", model=f"p/{place}", cells=tuple(cells)))
    texts = {f"a/{task}": TaskText(f"a/{task}") for task in range(7)}
    surveys = {run.name: survey(run, list(texts)) for run in runs}
    (part,) = judge_page(report_of(*runs, texts=texts), surveys).parts
    assert [task for task, _ in part.charts] == [f"a/{task}" for task in range(1, 7)]
    assert part.undrawn == 7 * 14 - 6 * 12
    assert len(part.corrected) == 7 * 14


def test_cautions_are_told_once_with_their_sum():
    """Several systems with one warning give one sentence."""
    lines = [
        CorrectedLine("t", "m", (), 9, (f"{n} labelled samples have no verdict and are left out",))
        for n in (3, 4)
    ]
    assert [said.en for said in cautions(lines)] == [
        "7 labelled samples have no verdict and are left out."
    ]


def test_differences_of_two_systems_are_shown_with_signs():
    """As `harness judge correct --against` keeps them in the run."""
    one = {"task": "a/x", "arm": "default", "variant": "original", "against": "r2", "labels": 50}
    one |= {"n": 90, "raw": 0.1, "raw_low": 0.02, "raw_high": 0.18, "value": -0.05, "low": -0.1}
    one |= {"high": 0.01, "effective_n": 70.0}
    first = run_of([judged("correct", "1")], corrections={"differences": [one]})
    second = run_data("r2", "p/b", rows=[], cells=())
    (part,) = page_of(first, second).parts
    (line,) = part.differences
    assert line.names == ("p/a", "p/b")
    assert (line.raw.value, line.corrected.value, line.corrected.worth) == ("+0.10", "−0.05", "70")


# ---- the whole ------------------------------------------------------------------------------


def test_a_labelled_run_on_disk_becomes_a_page(tmp_path):
    """From run directories with labels and corrections to the written page, in both languages."""
    runs = [judged_run(tmp_path / "runs", f"p/{name}", labels=150) for name in ("one", "two")]
    page = write_report(runs, tmp_path / "out").read_text("utf-8")
    judges = re.search(r'data-view="judges">(.*?)</section>', page, re.DOTALL)[1]
    assert judges.count('class="chart"') == 1
    for text in ("PPI++", "Rogan–Gladen", "Against the labels", "与标签对照", "$0.0246"):
        assert text in judges
    assert "no verdict is announced" in judges
    loaded = load_runs(runs)
    assert loaded[0].labels
    assert loaded[0].corrections["corrections"]


def test_hostile_names_stay_text(tmp_path):
    """Judges, models, verdicts and reasons from strangers are escaped."""
    told = {EVIL: {**JUDGE, "mode": EVIL, "tasks": ["a/x"], "signs": [EVIL], "hash": EVIL}}
    told[EVIL]["models"] = {EVIL: {"name": EVIL}}
    votes = [verdict(EVIL, EVIL, order=EVIL, model=EVIL, score=1.0)]
    lost = [verdict(None, EVIL, reason=EVIL)]
    rows = [
        judged("correct", "1", verdicts=votes, input=EVIL, answer=EVIL),
        judged(None, "2", verdicts=lost, input=EVIL),
    ]
    run = run_of(rows, told, labels=labelled(rows, [0.0, 1.0]))
    text = write_pages(report_of(run), tmp_path).read_text("utf-8")
    assert "<script>alert" not in text
    assert text.count("</script>") == text.count("<script")


def test_the_tally_is_empty_where_nothing_is_judged():
    """A survey of plain rows holds no judges, and costs of every task."""
    found = survey(run_data(), ["a/x"])
    assert isinstance(found, RunSurvey)
    assert found.judges == {}
    assert isinstance(found.costs["a/x"], CostTally)
    assert JudgeTally().asked == 0


def test_a_sample_is_addressed_with_what_tells_its_copies_apart():
    """Variant, arm and epoch stand in the address only where they are unusual."""
    plain = row(task="a/x", sample_id="1")
    assert sample_link("r", plain) == "#view=run&run=r&task=a%2Fx&s=1&st=a%2Fx"
    odd = {**plain, "variant": "typos", "arm": "b", "epoch": 2}
    assert sample_link("r", odd).endswith("&s=1&sv=typos&sa=b&se=2&st=a%2Fx")
    assert msgspec.json.encode(JUDGE)
