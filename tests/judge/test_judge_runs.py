"""Judges in a run: programs go first, missing verdicts are unjudged, everything is on record."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

ROWS = [
    {"question": "Capital of France?", "answers": ["Paris"], "say": "Paris"},
    {"question": "Capital of Japan?", "answers": ["Tokyo"], "say": "It is Tokyo, of course"},
    {"question": "Capital of Italy?", "answers": ["Rome"], "say": "It might be Milan"},
    {"question": "Capital of Spain?", "answers": ["Madrid"], "say": ":"},
    {"question": "Capital of Peru?", "answers": ["Lima"], "say": "I do not know."},
]
TASK = """\
task: capitals
data: {file: rows.jsonl}
prompt: "{{ question }}"
target: "{{ answers }}"
extract: [text]
metrics: [judged]
judge: correct
oracle: "{{ say }}"
"""


@pytest.fixture
def capitals(tmp_path):
    """A task of five questions; scripted/oracle answers as each row says."""
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    path = tmp_path / "capitals.yaml"
    path.write_text(TASK)
    return path


def run(harness, task, *flags, model="scripted/oracle"):
    return harness("run", task, "--model", model, "--json", *flags)


def rows_of(tmp_path, done):
    path = tmp_path / json.loads(done.out)["run"]
    table = pq.read_table(path / "samples.parquet").to_pylist()
    return path, {row["input"]: row for row in table}


def test_only_what_no_program_decides_reaches_the_judge(harness, capitals, tmp_path):
    """An exact answer and an empty one are decided; three others get verdicts."""
    done = run(harness, capitals, "--judge", "correct=scripted/perfect")
    assert done.code == 0, done.err
    path, rows = rows_of(tmp_path, done)
    assert rows["Capital of France?"]["verdicts"] is None
    assert rows["Capital of Spain?"]["verdicts"] is None
    assert {row["scores"][0][0] for row in rows.values()} == {"judged"}  # the primary metric
    scores = {key: dict(row["scores"])["judged"] for key, row in rows.items()}
    assert [scores[row["question"]] for row in ROWS] == [1, 1, 0, 0, 0]
    (verdict,) = rows["Capital of Japan?"]["verdicts"]
    assert (verdict["judge"], verdict["verdict"]) == ("correct", "correct")
    assert verdict["model"] == "scripted/perfect"
    record = json.loads((path / "run.json").read_text())["judges"]["correct"]
    assert (record["judged"], record["missing"], record["unreliable"]) == (3, 0, False)
    assert record["judges_itself"] is False
    assert record["usage"]["requests"] == 3


def test_tokens_of_the_judge_are_counted_apart(harness, capitals, tmp_path):
    """The run's usage is that of the model under test alone."""
    done = run(harness, capitals, "--judge", "correct=scripted/perfect")
    path, _ = rows_of(tmp_path, done)
    record = json.loads((path / "run.json").read_text())
    assert record["usage"]["requests"] == 5


def test_a_judge_without_verdicts_leaves_samples_unjudged(harness, capitals, tmp_path):
    """They leave n, are counted, bound the value, and mark the score unreliable."""
    (tmp_path / "mute.py").write_text("def answer(messages):\n    return 'Hard to say.'\n")
    done = run(harness, capitals, "--judge", "correct=python/mute:answer")
    assert done.code == 0, done.err
    path, rows = rows_of(tmp_path, done)
    assert rows["Capital of Japan?"]["status"] == "unjudged"
    assert rows["Capital of Japan?"]["verdicts"][0]["reason"] == "no verdict is announced"
    cells = json.loads((path / "scores.json").read_text())["cells"]
    (cell,) = [cell for cell in cells if cell["metric"] == "judged"]
    assert (cell["n"], cell["unjudged"], cell["value"]) == (2, 3, 0.5)
    assert (cell["bound_low"], cell["bound_high"]) == (0.2, 0.8)
    record = json.loads((path / "run.json").read_text())["judges"]["correct"]
    assert record["unreliable"] is True
    assert record["missing_share"] == 1.0


def test_the_reader_is_told_what_to_think_of_the_judge(harness, capitals, tmp_path):
    """Missing verdicts and a judge of its own answers stand below the table of results."""
    (tmp_path / "mute.py").write_text("def answer(messages):\n    return 'Hard to say.'\n")
    done = harness("run", capitals, "--model", "python/mute:answer",
                   "--judge", "correct=python/mute:answer")  # fmt: skip
    assert done.code == 0, done.err
    assert "0 verdicts, 5 missing (100%: the judged scores are unreliable)" in done.out
    assert "the model judges itself" in done.out


def test_there_is_no_default_judge(harness, capitals):
    """A task that needs one says which flag is missing."""
    done = run(harness, capitals)
    assert done.code == 2
    assert "capitals needs a judge: --judge correct=provider/name" in done.err


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("corect=scripted/perfect", "did you mean 'correct'"),
        ("correct=perfect", "provider/name"),
        ("correct=scripted/perfct", "did you mean 'perfect'"),
    ],
)
def test_a_misspelt_judge_is_told(harness, capitals, flag, message):
    """Name and model are checked before anything is asked."""
    done = run(harness, capitals, "--judge", flag)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_model_judges_itself_only_when_named_and_the_record_says_so(harness, capitals, tmp_path):
    """The same provider/name in both places."""
    (tmp_path / "app.py").write_text(
        "def answer(messages):\n"
        "    said = messages[-1]['content']\n"
        "    return 'VERDICT: correct' if 'VERDICT' in said else 'Some city'\n"
    )
    done = run(harness, capitals, "--judge", "correct=python/app:answer", model="python/app:answer")
    assert done.code == 0, done.err
    path, _ = rows_of(tmp_path, done)
    assert json.loads((path / "run.json").read_text())["judges"]["correct"]["judges_itself"]


def test_a_judge_is_put_to_tasks_without_one(harness, tmp_path):
    """--judge on a plain task adds the judged score beside its own metrics."""
    done = harness("run", "qa/en", "--model", "scripted/wrong", "--limit", "5", "--json",
                   "--judge", "correct=scripted/perfect")  # fmt: skip
    assert done.code == 0, done.err
    path, rows = rows_of(tmp_path, done)
    assert {cell["metric"] for cell in json.loads((path / "scores.json").read_text())["cells"]} >= {
        "quasi_exact_match", "judged",
    }  # fmt: skip
    assert all(row["verdicts"] for row in rows.values())


def test_a_judge_takes_the_place_of_one_that_was_given_no_model(harness, capitals, tmp_path):
    """--judge names another judge than the task's own: that one judges, and its hash is kept."""
    done = run(harness, capitals, "--judge", "correct-short=scripted/perfect")
    assert done.code == 0, done.err
    path, _ = rows_of(tmp_path, done)
    record = json.loads((path / "run.json").read_text())
    assert set(record["judges"]) == {"correct-short"}
    other = run(harness, capitals, "--judge", "correct=scripted/perfect")
    path, _ = rows_of(tmp_path, other)
    arms = [
        json.loads((folder / "run.json").read_text())["tasks"]["capitals"]["arms"]["default"]
        for folder in (path, tmp_path / json.loads(done.out)["run"])
    ]
    assert arms[0]["judge"] != arms[1]["judge"]


def test_a_judge_file_of_the_users_own_is_named_by_its_path(harness, tmp_path):
    """--judge ./mine.yaml=SPEC."""
    (tmp_path / "mine.yaml").write_text(
        "judge: mine\nmode: reference\nverdicts: {right: 1, partly: 0.5, wrong: 0}\n"
        'prompt: "{{ question }} {{ reference }} {{ answer }} {{ verdicts }}"\n'
    )
    done = harness("run", "qa/en", "--model", "scripted/wrong", "--limit", "4", "--json",
                   "--judge", "./mine.yaml=scripted/perfect")  # fmt: skip
    assert done.code == 0, done.err
    path, rows = rows_of(tmp_path, done)
    judge = json.loads((path / "run.json").read_text())["judges"]["mine"]
    assert [one["value"] for one in judge["scale"]["choices"]] == [1.0, 0.5, 0.0]
    assert {row["verdicts"][0]["verdict"] for row in rows.values()} == {"wrong"}


def test_a_panel_and_a_judge_beside_it(harness, capitals, tmp_path):
    """Seats and a judge of something else may be named together."""
    capitals.write_text(TASK.replace("judge: correct\n", ""))
    seats = [f"--judge={seat}=scripted/perfect" for seat in ("first", "second", "third")]
    done = run(harness, capitals, *seats, "--judge", "toxicity=scripted/perfect")
    assert done.code == 0, done.err
    path, rows = rows_of(tmp_path, done)
    assert set(json.loads((path / "run.json").read_text())["judges"]) == {"panel", "toxicity"}
    signed = [verdict["judge"] for verdict in rows["Capital of Italy?"]["verdicts"]]
    assert signed == ["first", "second", "third", "panel", "toxicity"]


def test_a_panel_keeps_every_vote(harness, capitals, tmp_path):
    """Two lenient seats outvote one perfect; the effective number of judges is on record."""
    capitals.write_text(TASK.replace("judge: correct", "judge: panel"))
    done = run(
        harness, capitals, "--judge", "first=scripted/perfect", "--judge",
        "second=scripted/lenient", "--judge", "third=scripted/lenient",
    )  # fmt: skip
    assert done.code == 0, done.err
    path, rows = rows_of(tmp_path, done)
    votes = [verdict["judge"] for verdict in rows["Capital of Italy?"]["verdicts"]]
    assert votes == ["first", "second", "third", "panel"]
    record = json.loads((path / "run.json").read_text())["judges"]["panel"]
    assert set(record["models"]) == {"first", "second", "third"}
    assert "effective_judges" in record


def test_verdicts_are_replayed_from_the_store(harness, capitals, tmp_path):
    """The same run again asks no judge: a verdict is a response like any other."""
    (tmp_path / "kind.py").write_text(
        "def answer(messages):\n"
        "    with open('calls.txt', 'a') as log:\n"
        "        log.write('x')\n"
        "    return 'VERDICT: correct'\n"
    )
    for _ in range(2):
        done = run(harness, capitals, "--judge", "correct=python/kind:answer")
        assert done.code == 0, done.err
    assert len((tmp_path / "calls.txt").read_text()) == 3


def test_rescoring_keeps_the_verdicts(harness, capitals, tmp_path):
    """Scores of programs are made anew, those of the judge stand."""
    done = run(harness, capitals, "--judge", "correct=scripted/perfect")
    path, before = rows_of(tmp_path, done)
    again = harness("rescore", path)
    assert again.code == 0, again.err
    assert "0 of 5 samples" in again.out
    _, after = rows_of(tmp_path, done)
    for key, row in before.items():
        assert dict(after[key]["scores"]) == dict(row["scores"])
        assert after[key]["verdicts"] == row["verdicts"]


def test_a_run_with_a_broken_scale_is_told_in_one_line(harness, capitals, tmp_path):
    """`harness label` names the file and the key of a scale that came from elsewhere."""
    done = run(harness, capitals, "--judge", "correct=scripted/perfect")
    path, _ = rows_of(tmp_path, done)
    record = json.loads((path / "run.json").read_text())
    record["judges"]["correct"]["scale"] = {"choices": [{"name": "right", "value": "one"}]}
    (path / "run.json").write_text(json.dumps(record))
    told = harness("label", path)
    assert told.code == 2
    assert "run.json: judges.correct.scale.choices[0].value: Expected `float`" in told.err
    assert len(told.err.splitlines()) == 1


def test_a_changed_judge_changes_the_hashes(harness, capitals, tmp_path):
    """Two runs with different judges differ in a hash, so that comparison can refuse them."""
    found = []
    for name in ("perfect", "lenient"):
        done = run(harness, capitals, "--judge", f"correct=scripted/{name}")
        path, _ = rows_of(tmp_path, done)
        record = json.loads((path / "run.json").read_text())["tasks"]["capitals"]
        found.append(record["arms"]["default"]["judge"])
    assert found[0] != found[1]


def test_the_judges_tokens_count_against_the_budget(harness, capitals, tmp_path):
    """A judge that talks endlessly ends a run of limited tokens."""
    done = run(harness, capitals, "--judge", "correct=embedded/nano", "--max-tokens-total", "50",
               "--connections", "1")  # fmt: skip
    assert done.code == 5, done.err
    record = json.loads((tmp_path / json.loads(done.out)["run"] / "run.json").read_text())
    assert record["reason"].startswith("budget:")
    assert record["usage"]["completion_tokens"] < 50


def test_a_judge_may_have_an_endpoint_of_its_own(harness, capitals, start_server, tmp_path):
    """SPEC@URL: the judge's requests go there, in structured form, and are counted there."""
    server = start_server()
    done = run(harness, capitals, "--judge", f"correct=openai/any@{server.url}")
    assert done.code == 0, done.err
    assert server.stats()["requests"] >= 3
    _, rows = rows_of(tmp_path, done)
    (verdict,) = rows["Capital of Japan?"]["verdicts"]
    assert verdict["model"] == "openai/any"


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_judge_whose_server_takes_no_schema_is_asked_without(
    harness, capitals, start_server, tmp_path, api
):
    """It is heard, run.json and show tell how, and the same run again asks nothing."""
    server = start_server(faults="schema=1")
    known = tmp_path / "models.yaml"
    known.write_text(f"models: {{openai/any: {{arguments: {{api: {api}}}}}}}\n")
    judge = f"correct=openai/any@{server.url}"
    records, asked = [], []
    for _ in range(2):
        done = run(harness, capitals, "--judge", judge, "--connections", "1")
        assert done.code == 0, done.err
        path, rows = rows_of(tmp_path, done)
        records.append(json.loads((path / "run.json").read_text())["judges"]["correct"])
        asked.append(server.stats()["by_status"])
    assert asked[0] == asked[1]
    assert asked[0]["schema"] == 1
    assert records[0]["without_schema"] == records[1]["without_schema"] == asked[0]["200"]
    assert "without a schema" in harness("show", path).out
    assert rows["Capital of Japan?"]["verdicts"]


def test_show_tells_what_the_judge_said_of_a_sample(harness, capitals, tmp_path):
    """Who, the verdict, its score and the reply; and right answers are no failures."""
    done = run(harness, capitals, "--judge", "correct=scripted/perfect")
    path, rows = rows_of(tmp_path, done)
    shown = harness("show", path, "--sample", rows["Capital of Italy?"]["sample_id"]).out
    line = next(line for line in shown.splitlines() if " judge " in line)
    assert "correct (scripted/perfect): incorrect → 0.000  VERDICT: incorrect" in line
    failures = harness("show", path, "--failures").out
    assert "Capital of Japan?" not in failures
    assert failures.splitlines()[-1] == "3 of 3 failed or wrong"
