"""Bradley-Terry on the board: games from an arena or a CSV, beside the other ways to rank."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from test_board import cell, entry

from harness import plugins
from harness.board.pairs import ARENA, GAMES, TABLE
from harness.board.publish import board_csv, board_json, board_markdown
from harness.board.records import Game, Player
from harness.board.source import Source
from harness.board.strength import strengths
from harness.board.table import make_board
from harness.cli.board import command, write_board
from harness.cli.board_check import check
from harness.cli.board_folder import contents, look
from harness.errors import InvalidFile

WINS = {
    ("large", "small"): 14, ("small", "large"): 6, ("large", "one"): 11, ("one", "large"): 9,
    ("large", "two"): 17, ("two", "large"): 3, ("small", "one"): 7, ("one", "small"): 13,
    ("small", "two"): 12, ("two", "small"): 8, ("one", "two"): 15, ("two", "one"): 5,
}  # fmt: skip
MODELS = ("large", "small", "one", "two")
KNOWN = (0.66917, -0.26856, 0.38440, -0.78501)
"""choix 0.4.1 (`opt_pairwise`, `ilsr_pairwise`) and evalica 0.4.2 (log scores, centred) agree."""


def wins() -> list[Game]:
    """Return 120 games, each on a sample of its own."""
    pairs = [pair for pair, count in WINS.items() for _ in range(count)]
    return [Game(Player(a), Player(b), 1.0, f"s{i}") for i, (a, b) in enumerate(pairs)]


def table(rows: list[dict], folder: Path) -> Path:
    """Write an arena's table."""
    usual = {
        "task": "t", "sample_id": "s", "arm": "default", "variant": "original", "epoch": 0,
        "run_a": "1", "run_b": "2", "model_a": "p/a", "model_b": "p/b", "order": "ab",
        "verdict": "A", "score": 1.0, "judge": "pairwise", "judge_model": "x/j",
    }  # fmt: skip
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([{**usual, **row} for row in rows]), folder / TABLE)
    return folder


def both(sample: str, verdict: str, share: float, **more) -> list[dict]:
    """Return the two orders of a game that A won, or B, or nobody."""
    flipped = {"A": "B", "B": "A"}.get(verdict, verdict)
    rows = [("ab", verdict), ("ba", flipped)]
    return [
        {"sample_id": sample, "order": order, "verdict": said, "score": share, **more}
        for order, said in rows
    ]


def test_strengths_equal_choix_and_evalica():
    """120 games of four models: both tools' strengths to four digits, in every output."""
    entries = [entry(f"{m}", str(i), cell(value=0.5)) for i, m in enumerate(MODELS)]
    board = make_board("b", entries, {}, (), wins())
    rows = {row.model: row.strength for row in board.views[0].rows}
    assert [rows[m].value for m in MODELS] == pytest.approx(KNOWN, abs=5e-4)
    assert sum(row.value for row in rows.values()) == pytest.approx(0)
    assert all(row.low < row.value < row.high for row in rows.values())
    assert (rows["large"].rank_best, rows["two"].rank_worst) == (1, 4)
    assert rows["large"].games == 60
    assert (board.arena.games, board.arena.players, board.arena.connected) == (120, 4, True)
    data = json.loads(board_json(board))
    assert data["views"][0]["rows"][0]["strength"]["games"] == 60
    assert data["arena"]["samples"] == 120
    told = {line["model"]: line for line in csv.DictReader(io.StringIO(board_csv(board)))}
    assert float(told["one"]["bradley_terry"]) == pytest.approx(0.3844, abs=5e-4)
    assert float(told["one"]["bradley_terry_low"]) < 0.3844
    text = board_markdown(board)
    assert "| mean win rate | mean | Borda | Bradley-Terry | coverage |" in text
    assert "| 0.67 [" in text
    assert "Bradley-Terry: 120 games of 4 models over 120 samples." in text


def test_only_the_first_view_has_strengths():
    """Judges preferred answers, not calibration or speed; boards without games have no column."""
    ece = cell(metric="ece", group="calibration", higher_is_better=False)
    entries = [entry(f"{m}", str(i), cell(), ece) for i, m in enumerate(MODELS)]
    board = make_board("b", entries, {}, (), wins())
    assert [any(row.strength for row in view.rows) for view in board.views] == [True, False]
    assert board_markdown(board).count("Bradley-Terry |") == 1
    bare = make_board("b", entries, {})
    assert bare.arena is None
    assert "Bradley" not in board_markdown(bare)


def test_an_arenas_games_are_its_judges_verdicts(tmp_path):
    """A winner wins in both orders, disagreement and equal answers tie, no verdict is no game."""
    rows = [
        *both("s1", "A", 1.0),
        *both("s2", "B", 0.0),
        *both("s3", "tie", 0.5),
        {"sample_id": "s4", "order": "ab", "verdict": "A", "score": 1.0},
        {"sample_id": "s4", "order": "ba", "verdict": "A", "score": 0.0},
        {"sample_id": "s5", "order": "none", "verdict": "tie", "score": 0.5, "judge_model": ""},
        {"sample_id": "s6", "order": "ab", "verdict": None, "score": None},
        {"sample_id": "s6", "order": "ba", "verdict": "A", "score": 0.0},
    ]
    games = ARENA.read(table(rows, tmp_path / "x")).games
    assert [game.outcome for game in games] == [1.0, 0.0, 0.5, 0.5, 0.5]
    assert games[0].first == Player("p/a", "1")
    assert games[0].judge == "pairwise (x/j)"
    assert games[4].judge == ""
    assert len({game.sample for game in games}) == 5


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (both("s", "A", 0.0), "disagree"),
        (both("s", "C", 1.0), "disagree"),
        ([{"order": "ab"}], "no two orders"),
        ([{"order": "ab"}, {"order": "ab"}], "stands twice"),
    ],
)
def test_a_table_that_cannot_be_is_refused(tmp_path, rows, said):
    """Verdict, order and score must fit each other, and every game has its two orders."""
    with pytest.raises(InvalidFile, match=said):
        ARENA.read(table(rows, tmp_path / "x"))


def test_a_table_of_something_else_is_refused(tmp_path):
    """Bytes, and a table without the columns of games."""
    (tmp_path / TABLE).write_bytes(b"no")
    with pytest.raises(InvalidFile, match="not a table of games"):
        ARENA.read(tmp_path)
    pq.write_table(pa.table({"task": ["t"]}), tmp_path / TABLE)
    with pytest.raises(InvalidFile, match="not a table of games"):
        ARENA.read(tmp_path)


def test_a_csv_of_games_is_read(tmp_path):
    """Winner, sample and judge; its models are self-reported rows; heads may come in any order."""
    path = tmp_path / "games.csv"
    path.write_text(
        "\ufeffwinner,model_a,model_b,sample,judge\nmodel_a,x,y,1,ann\nTie (bothbad),x,z,1,bob\n"
        "model_b,y,z,,\n"
    )
    assert GAMES.fits(path)
    told = GAMES.read(path)
    assert [game.outcome for game in told.games] == [1.0, 0.5, 0.0]
    assert [game.sample for game in told.games] == ["1", "1", "games.csv:4"]
    assert [row.model for row in told.entries] == ["x", "y", "z"]
    assert {row.evidence for row in told.entries} == {"self-reported"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model_a,model_b\nx,y\n", "no column 'winner'"),
        ("model_a,model_b,winer\nx,y,a\n", "did you mean 'winer'"),
        ("model_a,model_b,winner\nx,y,x\n", r"games\.csv:2: winner: no winner; allowed: model_a"),
        ("model_a,model_b,winner\n,y,a\n", "model_a: no model"),
        ("model_a,model_b,winner\nx,y,a,b\n", "more fields than heads"),
        ("model_a,model_b,winner,winner\nx,y,a,a\n", "a head stands twice"),
        ('model_a,model_b,winner\n"x,y,a\n', "not CSV"),
    ],
)
def test_a_wrong_csv_of_games_names_its_line(tmp_path, text, said):
    """What is wrong, where, and what is allowed."""
    (tmp_path / "games.csv").write_text(text)
    with pytest.raises(InvalidFile, match=said):
        GAMES.read(tmp_path / "games.csv")


def test_bytes_are_no_csv_of_games(tmp_path):
    """A file that is not UTF-8 is named."""
    (tmp_path / "games.csv").write_bytes(b"model_a,model_b,winner\n\xff,y,a\n")
    with pytest.raises(InvalidFile, match="cannot be read"):
        GAMES.read(tmp_path / "games.csv")
    assert not GAMES.fits(tmp_path)


def test_a_board_of_games_alone_is_ranked_by_strength(tmp_path):
    """Without any score the rows are the models that played, the strongest first."""
    lines = [f"{a},{b},model_a" for (a, b), count in WINS.items() for _ in range(count)]
    path = tmp_path / "games.csv"
    path.write_text("model_a,model_b,winner\n" + "\n".join(lines) + "\n")
    told = contents(look(path).outside)
    board = make_board("b", told.entries, {}, (), told.games)
    (view,) = board.views
    assert [row.model for row in view.rows] == ["large", "one", "small", "two"]
    assert view.columns == ()
    assert {row.mean_win_rate for row in view.rows} == {None}
    lines = list(csv.DictReader(io.StringIO(board_csv(board))))
    assert next((line["model"], line["task"], line["evidence"]) for line in lines) == (
        "large", "", "self-reported",
    )  # fmt: skip
    assert "| large (self-reported) | - | - | - | - | 0.67 [" in board_markdown(board)


def test_players_that_never_met_get_no_strength():
    """Two islands of games cannot be compared, and the board says so."""
    games = [Game(Player(a), Player(b), 1.0, str(i)) for i, (a, b) in enumerate(
        [("large", "small"), ("one", "two")] * 10)]  # fmt: skip
    entries = [entry(m, str(i), cell()) for i, m in enumerate(MODELS)]
    board = make_board("b", entries, {}, (), games)
    assert {row.strength for row in board.views[0].rows} == {None}
    assert "No chain of games joins all of these models" in board_markdown(board)


def test_few_samples_give_no_interval():
    """Below ten samples the strength stands alone, and every rank is possible."""
    games = [Game(Player("a"), Player("b"), 1.0 if i else 0.0, str(i)) for i in range(4)]
    found, told = strengths(games, ["a", "b"], {})
    assert (found["a"].low, found["a"].high, found["a"].rank_worst) == (None, None, 2)
    assert found["a"].value > found["b"].value
    assert told.samples == 4


def test_games_of_strangers_and_of_a_row_with_itself_are_left_out():
    """They are counted; a game judged twice by one judge counts once, the later one."""

    def game(a: str, b: str, outcome: float, judge: str = "j") -> Game:
        return Game(Player("m" + a, a), Player("m" + b, b), outcome, "s", judge)

    runs = {"1": "ma", "2": "mb", "3": "ma"}
    games = [game("1", "2", 0.0), game("1", "2", 1.0), game("1", "3", 1.0), game("1", "9", 1.0)]
    found, told = strengths(games, ["ma", "mb"], runs)
    assert (told.games, told.unknown) == (1, 2)
    assert found["ma"].value > 0 > found["mb"].value
    assert strengths([], ["ma"], {}) == ({}, None)
    only = strengths([game("1", "9", 1.0)], ["ma"], runs)
    assert (only[0], only[1].unknown) == ({}, 1)
    board = make_board("b", [entry("ma", "1", cell())], {}, (), [game("1", "9", 1.0)])
    assert "1 games of models that are not on the board" in board_markdown(board)


@pytest.fixture
def arena(addition, tmp_path) -> Path:
    """A results root of two runs and an arena between them, all made by the command line."""
    from harness.cli import main

    out = ["--out", str(tmp_path / "r")]
    for name in ("oracle", "random"):
        with pytest.raises(SystemExit):
            main(["run", str(addition), "--model", f"scripted/{name}", "--limit", "12", *out])
    runs = sorted(path.name for path in (tmp_path / "r").iterdir() if path.name.startswith("2"))
    with pytest.raises(SystemExit) as ended:
        main(["judge", "arena", *runs, "--judge", "pairwise=scripted/perfect", *out])
    assert not ended.value.code
    return tmp_path / "r"


def test_an_arena_in_the_folder_reaches_the_board(arena):
    """The strengths are those of the arena's own ranks.json; the check reads its table."""
    from harness.cli.report import entries, load_runs

    folder = look(arena)
    told = contents(folder.outside)
    board = make_board(
        "b", entries(load_runs([run.path for run in folder.runs])), {}, (), told.games
    )
    ranks = json.loads(next(arena.glob("arena/*/ranks.json")).read_text())["ranks"]
    known = {row["model"]: row["strength"] for row in ranks}
    found = {row.model: row.strength.value for row in board.views[0].rows}
    assert found == pytest.approx(known, abs=1e-9)
    assert board.arena.judges == ("pairwise (scripted/perfect)",)
    assert not check(folder).broken
    (next(arena.glob("arena/*/")) / TABLE).write_bytes(b"no")
    assert [item.kind for item in check(look(arena)).findings] == ["unreadable"]
    done = CliRunner().invoke(command, ["check", str(arena)], standalone_mode=False)
    assert done.return_value == 2


def test_the_strengths_stand_on_the_page(arena, tmp_path):
    """Beside mean win rate, mean and Borda points, with what they rest on."""
    page = write_board(arena, tmp_path / "out").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]*>", " ", page)
    data = json.loads((tmp_path / "out" / "board.json").read_text())
    first = data["views"][0]["rows"][0]["strength"]
    assert (
        f"{first['value']:.2f} [{first['low']:.2f}, {first['high']:.2f}]".replace("-", "−") in text
    )
    assert "12 pairwise judgements of 2 models over 12 samples" in text


def test_games_in_a_submission_are_refused(tmp_path):
    """A submission speaks of its own model, not of how it beats others."""
    folder = tmp_path / "acme__large" / "v1"
    folder.mkdir(parents=True)
    (folder / "games.csv").write_text("model_a,model_b,winner\nx,y,a\n")
    with pytest.raises(InvalidFile, match="games in a submission"):
        contents(look(tmp_path).outside)


@pytest.mark.parametrize("name", plugins.names("board"))
def test_every_source_keeps_the_protocol(name, tmp_path):
    """A source says quickly and without an error whether it reads a path."""
    source = plugins.load("board", name)
    assert isinstance(source, Source)
    (tmp_path / "other.bin").write_bytes(b"\x00\xff")
    assert [source.fits(path) for path in (tmp_path / "other.bin", tmp_path, tmp_path / "no")] == [
        False
    ] * 3


def test_another_tools_file_comes_through_the_same_door(tmp_path, monkeypatch):
    """A source of a few lines, found by its entry point, puts its rows on the board."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "their_tool.py").write_text(
        "import json\n"
        "from harness.board.reported import read_reported\n"
        "from harness.board.source import Contents\n\n\n"
        "class Theirs:\n"
        "    def fits(self, path):\n"
        "        return path.name.endswith('.theirs.json')\n\n"
        "    def read(self, path):\n"
        "        told = json.loads(path.read_text())\n"
        "        text = 'model,task,value\\n' + '\\n'.join(\n"
        "            f'{told[\"model\"]},{t},{v}' for t, v in told['results'].items())\n"
        "        return Contents(read_reported(text, path))\n\n\n"
        "THEIRS = Theirs()\n"
    )
    info = tmp_path / "src" / "their_tool-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-tool\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[harness.board]\ntheirs = their_tool:THEIRS\n")
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.theirs.json").write_text('{"model": "m/x", "results": {"qa": 0.5}}')
    (row,) = contents(look(tmp_path / "b").outside).entries
    assert (row.model, row.cells[0].task, row.cells[0].value) == ("m/x", "qa", 0.5)
