"""Reading rows: sources, overrides, hashes, and one error for each thing that is wrong."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import pytest

from harness.errors import InvalidFile, UsageError
from harness.identity import bytes_key, sample_key
from harness.task import tables
from harness.task.load import load_task
from harness.task.rows import override, read_rows
from harness.task.spec import Data


class Counting:
    """A generator of numbered rows."""

    version = 1

    def __call__(self, args, seed):
        """Yield `n` rows."""
        for i in range(args.get("n", 2)):
            yield {"i": i, "seed": seed}


def task_at(folder: Path, data: str, more: str = ""):
    """Write and load a task."""
    path = folder / "t.yaml"
    path.write_text(f"task: t\ndata: {data}\nprompt: x\n{more}")
    return load_task(path)


def rows_of(task, **more):
    """Read with the counting generator."""
    return read_rows(task, generator=lambda name: Counting(), **more)


def test_generator_rows_and_hash(tmp_path):
    """Rows come from arguments and seed; the hash covers name, version, arguments and seed."""
    task = task_at(tmp_path, "{generator: g, args: {n: 3}, seed: 5}")
    first = rows_of(task)
    assert first.rows == [{"i": i, "seed": 5} for i in range(3)]
    assert first.ids == [sample_key(row) for row in first.rows]
    hashes = {
        first.data_hash,
        rows_of(task, data_seed=6).data_hash,
        rows_of(task, overrides={"args.n": 2}).data_hash,
        rows_of(task, overrides={"args": {"n": 1}}).data_hash,
    }
    assert len(hashes) == 4
    assert rows_of(task, data_seed=6).rows[0]["seed"] == 6
    assert rows_of(task, overrides={"seed": 5}).data_hash == first.data_hash


def test_jsonl_rows_and_hash(tmp_path):
    """A JSONL file is read beside its task, blank lines skipped, and hashed by its bytes."""
    data = (
        b'\xef\xbb\xbf{"q": "\xe4\xbd\xa0"}\n\n'
        b'{"q": 1e2, "big": 123456789012345678901234567890}\n'
        b'{"q": "\xe4\xbd\xa0"}'
    )
    (tmp_path / "rows.jsonl").write_bytes(data)
    found = rows_of(task_at(tmp_path, "{file: rows.jsonl}"))
    assert [row["q"] for row in found.rows] == ["你", 100.0, "你"]
    assert found.rows[1]["big"] == 123456789012345678901234567890
    assert found.ids[2] == found.ids[0] + "-2"
    assert found.data_hash == bytes_key(data)


@pytest.mark.parametrize(
    "content", ['[{"q": 1}, {"q": 2}]', '{"v": 1, "rows": [{"q": 1}, {"q": 2}]}']
)
def test_json_rows(tmp_path, content):
    """A JSON file holds a list of rows, alone or as the one list of an object; packed or not."""
    (tmp_path / "rows.json").write_text(content)
    (tmp_path / "rows.json.gz").write_bytes(gzip.compress(content.encode()))
    for name in ("rows.json", "rows.json.gz"):
        assert rows_of(task_at(tmp_path, f"{{file: {name}}}")).rows == [{"q": 1}, {"q": 2}]


def test_packed_rows(tmp_path):
    """JSONL and CSV may be packed; an unpacked size over the limit is refused while reading."""
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(b'{"q": "1"}\n'))
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"q\n1\n"))
    for name in ("rows.jsonl.gz", "rows.csv.gz"):
        assert rows_of(task_at(tmp_path, f"{{file: {name}}}")).rows == [{"q": "1"}]


def test_a_packed_bomb_is_refused(tmp_path, monkeypatch):
    """What unpacks to more than the limit is refused before it is held."""
    for name, limit in (("rows.jsonl.gz", "MAX_FILE"), ("rows.json.gz", "MAX_JSON")):
        (tmp_path / name).write_bytes(gzip.compress(b'{"q": 1}\n' * 1000))
        monkeypatch.setattr(tables, limit, 100)
        with pytest.raises(InvalidFile, match="too large"):
            tables.read_table(tmp_path / name)


def test_examples_beside_a_file_of_the_user(tmp_path):
    """With -D file, examples from a split are read from the file of that name beside it."""
    for name in ("test", "train"):
        (tmp_path / f"{name}.jsonl").write_text(f'{{"q": "{name}"}}\n')
    task = task_at(tmp_path, "{hub: a/b, split: test}", "shots: {count: 1, from: train}\n")
    found = rows_of(task, overrides={"file": str(tmp_path / "test.jsonl")})
    assert found.pools["train"].rows == [{"q": "train"}]
    (tmp_path / "train.jsonl").unlink()
    with pytest.raises(InvalidFile, match="beside it"):
        rows_of(task, overrides={"file": str(tmp_path / "test.jsonl")})


def test_csv_rows_are_text(tmp_path):
    """CSV values stay text, quoted line ends and all."""
    (tmp_path / "rows.csv").write_bytes(b'\xef\xbb\xbfq,n\r\n"a,\n""b""",007\r\n\r\nc,1\r\n')
    found = rows_of(task_at(tmp_path, "{file: rows.csv}"))
    assert found.rows == [{"q": 'a,\n"b"', "n": "007"}, {"q": "c", "n": "1"}]


def test_parquet_rows_are_plain(tmp_path):
    """Parquet gives plain values; dates become text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    day = dt.date(2024, 1, 2)
    table = pa.table({"q": ["a"], "n": [1], "d": [day], "l": [[{"x": 1.5}]], "z": [None]})
    pq.write_table(table, tmp_path / "rows.parquet")
    found = rows_of(task_at(tmp_path, "{file: rows.parquet}"))
    assert found.rows == [{"q": "a", "n": 1, "d": "2024-01-02", "l": [{"x": 1.5}], "z": None}]


@pytest.mark.parametrize(
    ("values", "message"), [([float("nan")], "number nan"), ([b"x"], "bytes b'x'")]
)
def test_parquet_that_json_cannot_hold(tmp_path, values, message):
    """NaN and bytes have no place in a row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"q": values}), tmp_path / "rows.parquet")
    with pytest.raises(InvalidFile, match=f"row 1 holds what JSON cannot.*{message}") as caught:
        rows_of(task_at(tmp_path, "{file: rows.parquet}"))
    assert caught.value.key == "q"


BAD = [
    ("jsonl", b'{"a": 1}\n{"a": \xff}\n', 2, "is not UTF-8"),
    ("jsonl", b'{"a": 1}\n{"a": 1\n', 2, "is not valid JSON"),
    ("jsonl", b'{"a": 1} {"b": 2}\n', 1, "is not valid JSON"),
    ("jsonl", b'{"a": "\\ud800"}\n', 1, "is not valid JSON"),
    ("jsonl", b'{"a": 1e999}\n', 1, "is not valid JSON"),
    ("jsonl", b'{"a": NaN}\n', 1, "NaN and Infinity are not JSON"),
    ("jsonl", b'{"a": -Infinity}\n', 1, "NaN and Infinity are not JSON"),
    ("jsonl", b"[" * 100_000 + b"\n", 1, "is not valid JSON"),
    ("jsonl", b"[1, 2]\n", 1, "a row is a mapping of fields"),
    ("jsonl", b"3\n", 1, "got: integer 3"),
    ("jsonl", b"{}\n", 1, "the row has no fields"),
    ("jsonl", b"\n\n", None, "there are no rows"),
    ("jsonl", b"", None, "there are no rows"),
    ("csv", b"", None, "there are no rows"),
    ("csv", b"a,b\n", None, "there are no rows"),
    ("csv", b"a,b\n1,2\n3\n", 3, "allowed: 2 values; got: 1"),
    ("csv", b'a,b\n1,2\n"3\n4",5,6\n', 3, "allowed: 2 values; got: 3"),
    ("csv", b"a,b,a\n1,2,3\n", 1, "two columns of one name"),
    ("csv", b"a,,c\n1,2,3\n", 1, "a column has no name"),
    ("csv", b"a\n\xff\n", 2, "is not UTF-8"),
    ("csv", b'a\n"x\n', 2, "is not valid CSV"),
    ("csv", b'a\n"x"y\n', 2, "is not valid CSV"),
    ("csv", b"a\n" + b"x" * 200_000, 2, "use JSONL for long values"),
    ("parquet", b"PAR1nonsense", None, "is not valid Parquet"),
    ("txt", b"x", None, "not a table"),
    ("json", b"[1, 2]", None, "holds no table"),
    ("json", b'{"a": 1}', None, "holds no table"),
    ("json", b'{"a": [{"q": 1}], "b": []}', None, "holds no table"),
    ("json", b'{"a": 1}\n{"a": 2}\n', None, "is not valid JSON"),
    ("jsonl.gz", b"PK", None, "cannot be read"),
]


@pytest.mark.parametrize(("suffix", "data", "line", "message"), BAD)
def test_bad_rows_are_one_error(tmp_path, suffix, data, line, message):
    """Wrong data is one `InvalidFile` with file and line."""
    (tmp_path / f"rows.{suffix}").write_bytes(data)
    with pytest.raises(InvalidFile) as caught:
        rows_of(task_at(tmp_path, f"{{file: rows.{suffix}}}"))
    assert message in str(caught.value)
    if line is not None:
        assert caught.value.line == line
        assert Path(str(caught.value.path)).name == f"rows.{suffix}"


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_reading_is_bounded(tmp_path, monkeypatch, suffix):
    """A row or file over the limit is refused before it is held."""
    path = tmp_path / f"rows.{suffix}"
    path.write_bytes(b'"' + b"x" * 50 + b"\ny\n" * 30)
    monkeypatch.setattr(tables, "MAX_ROW", 40)
    with pytest.raises(InvalidFile, match="row too long"):
        tables.read_table(path)
    path.write_bytes(b'a\n"' + b"x\n" * 40)
    if suffix == "csv":
        with pytest.raises(InvalidFile, match="a quote not closed"):
            tables.read_table(path)
    monkeypatch.setattr(tables, "MAX_FILE", 10)
    with pytest.raises(InvalidFile, match="use Parquet"):
        tables.read_table(path)


def test_file_that_is_not_there(tmp_path):
    """A missing file or a folder is blamed on the line that names it."""
    with pytest.raises(InvalidFile, match="not there") as caught:
        rows_of(task_at(tmp_path, "{file: none.jsonl}"))
    assert (caught.value.line, caught.value.key) == (2, "data.file")
    (tmp_path / "d.jsonl").mkdir()
    with pytest.raises(InvalidFile, match="is a folder"):
        rows_of(task_at(tmp_path, "{file: d.jsonl}"))


def test_file_that_the_system_refuses(tmp_path, monkeypatch):
    """A file that cannot be opened says why."""
    path = tmp_path / "rows.jsonl"
    path.write_text("{}")

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InvalidFile, match="Permission denied"):
        tables.read_table(path)


def test_included_file_key_is_relative_to_where_it_stands(tmp_path):
    """`data.file` of an included file is found beside that file."""
    folder = tmp_path / "sub"
    folder.mkdir()
    (folder / "rows.jsonl").write_text('{"q": 1}\n')
    (folder / "common.yaml").write_text("data: {file: rows.jsonl}\nprompt: x\n")
    (tmp_path / "t.yaml").write_text("task: t\ninclude: sub/common.yaml\n")
    assert rows_of(load_task(tmp_path / "t.yaml")).rows == [{"q": 1}]


def test_override_file_is_relative_to_the_user(tmp_path, monkeypatch):
    """`-D file=PATH` takes the place of any source and is read from where the user stands."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "own.jsonl").write_text('{"q": 2}\n')
    monkeypatch.chdir(tmp_path / "here")
    task = task_at(tmp_path, "{generator: g}")
    assert rows_of(task, overrides={"file": "own.jsonl"}).rows == [{"q": 2}]


def test_override_keeps_what_it_does_not_name():
    """A new split keeps the hub; a new source drops the old one's keys."""
    hub = Data(hub="a", split="test", revision="r")
    assert override(hub, {"split": "dev"}) == Data(hub="a", split="dev", revision="r")
    assert override(hub, {"hub": "b", "split": "x"}).hub == "b"
    assert override(hub, {"file": "x.csv"}) == Data(file="x.csv")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"fiel": "x"}, "did you mean 'file'"),
        ({"split.x": "x"}, "unknown key"),
        ({"args": 3}, "args.NAME=VALUE"),
        ({"file": "x", "hub": "y"}, "one source"),
        ({"seed": "x"}, "Expected `int`"),
    ],
)
def test_bad_overrides(overrides, message):
    """A wrong `-D` says what is allowed."""
    with pytest.raises(UsageError, match=message):
        override(Data(generator="g"), overrides)


def test_pools_of_examples(tmp_path):
    """`shots.from` of the task and of its arms is read once each."""
    for name in ("rows", "train", "other"):
        (tmp_path / f"{name}.jsonl").write_text(f'{{"q": "{name}"}}\n')
    more = (
        "shots: {from: train.jsonl}\n"
        "arms: {a: {shots: {from: other.jsonl}}, b: {shots: {count: 2}}, c: {}}\n"
    )
    found = rows_of(task_at(tmp_path, "{file: rows.jsonl}", more))
    assert {name: pool.rows for name, pool in found.pools.items()} == {
        "train.jsonl": [{"q": "train"}],
        "other.jsonl": [{"q": "other"}],
    }
    with pytest.raises(InvalidFile, match="names no source of examples") as caught:
        rows_of(task_at(tmp_path, "{file: rows.jsonl}", "shots: {from: train}\n"))
    assert caught.value.line == 4


def test_hub_rows(tmp_path, monkeypatch):
    """A hub data set is read by split; a pinned revision is its hash, else the content is."""
    import datasets

    asked = []

    def load_dataset(path, config, *, split, revision):
        asked.append((path, config, split, revision))
        return [{"q": split, "n": 1}]

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    pinned = task_at(tmp_path, "{hub: a/b, config: c, split: test, revision: r}")
    loose = task_at(tmp_path, "{hub: a/b, split: test}", "shots: {from: train}\n")
    assert rows_of(pinned).rows == [{"q": "test", "n": 1}]
    assert rows_of(loose).pools["train"].rows == [{"q": "train", "n": 1}]
    assert rows_of(pinned).data_hash != rows_of(loose).data_hash != ""
    assert asked[0] == ("a/b", "c", "test", "r")
    with pytest.raises(UsageError, match=r"data\.split is missing"):
        rows_of(task_at(tmp_path, "{hub: a/b}"))


def test_hub_out_of_reach(tmp_path, monkeypatch):
    """Where the hub cannot be reached the error says what to do instead."""
    import datasets

    def load_dataset(*args, **kwargs):
        raise ConnectionError("no network")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(UsageError, match=r"a/b.*no network.*-D file=PATH"):
        rows_of(task_at(tmp_path, "{hub: a/b, split: test}"))
