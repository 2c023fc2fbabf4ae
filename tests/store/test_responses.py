"""The response store keeps what was committed, whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys

import msgspec
import pytest

from harness.billing import billed, cached_prompt_tokens
from harness.errors import StoreError
from harness.identity import content_key
from harness.records import Response
from harness.store.responses import SqliteResponses

KEY = content_key("a")


def test_a_stored_response_comes_back_marked_as_cached(tmp_path):
    """What is put is got, and says that it is a replay."""
    with SqliteResponses(tmp_path / "r.sqlite") as store:
        asyncio.run(store.put(KEY, Response(text="é\x00🙂", token_logprobs=(-0.5,))))
    with SqliteResponses(tmp_path / "r.sqlite") as store:
        found = asyncio.run(store.get(KEY))
        assert found == Response(text="é\x00🙂", token_logprobs=(-0.5,), cached=True)
        assert asyncio.run(store.get(content_key("b"))) is None
        assert len(store) == 1


def test_puts_of_one_turn_share_a_commit(tmp_path):
    """A hundred responses that arrive together cost one transaction."""
    with SqliteResponses(tmp_path / "r.sqlite") as store:
        begun = []
        store._connection.set_trace_callback(lambda sql: begun.append(sql.lower()))

        async def many():
            await asyncio.gather(
                *(store.put(content_key(i), Response(text=str(i))) for i in range(100))
            )

        asyncio.run(many())
        assert sum(sql.startswith("begin") for sql in begun) == 1
        assert len(store) == 100


def test_two_runs_share_a_root(tmp_path):
    """Two processes write to one store at once and lose nothing."""
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from harness.identity import content_key\n"
        "from harness.records import Response\n"
        "from harness.store.responses import SqliteResponses\n"
        "async def go(store, me):\n"
        "    for i in range(200):\n"
        "        await store.put(content_key([me, i]), Response(text=f'{me} {i}'))\n"
        "with SqliteResponses(Path(sys.argv[1])) as store:\n"
        "    asyncio.run(go(store, sys.argv[2]))\n"
    )
    path = tmp_path / "r.sqlite"
    both = [
        subprocess.Popen([sys.executable, "-c", program, str(path), name]) for name in ("a", "b")
    ]
    assert [process.wait(60) for process in both] == [0, 0]
    with SqliteResponses(path) as store:
        assert len(store) == 400


def test_a_kill_loses_nothing_that_was_committed(tmp_path):
    """After kill -9 all acknowledged responses are there and the file is sound."""
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from harness.identity import content_key\n"
        "from harness.records import Response\n"
        "from harness.store.responses import SqliteResponses\n"
        "async def go(store):\n"
        "    for i in range(100000):\n"
        "        await store.put(content_key(i), Response(text=str(i)))\n"
        "        print(i, flush=True)\n"
        "asyncio.run(go(SqliteResponses(Path(sys.argv[1]))))\n"
    )
    path = tmp_path / "r.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    )
    for _ in range(300):
        acknowledged = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    acknowledged = max([acknowledged, *(int(line) for line in process.stdout if line.strip())])
    process.wait()
    process.stdout.close()
    with SqliteResponses(path) as store:
        for i in range(acknowledged + 1):
            assert asyncio.run(store.get(content_key(i))).text == str(i)
        assert store._connection.execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_full_disk_is_one_clear_error_and_no_corruption(tmp_path):
    """A store that cannot grow says so; what it held stays readable."""
    path = tmp_path / "r.sqlite"
    with SqliteResponses(path) as store:
        asyncio.run(store.put(KEY, Response(text="kept")))
        store._connection.execute("pragma max_page_count = 8")
        with pytest.raises(StoreError, match=r"cannot be written: .*full"):
            asyncio.run(store.put(content_key("b"), Response(text="x" * 200_000)))
        assert asyncio.run(store.get(KEY)).text == "kept"


def test_a_file_that_is_no_store_is_named(tmp_path):
    """A text file in the store's place is refused, not overwritten."""
    path = tmp_path / "responses.sqlite"
    path.write_text("hello, I am not a database" * 100)
    with pytest.raises(StoreError, match=r"responses\.sqlite.*cannot be opened"):
        SqliteResponses(path)
    assert path.read_text().startswith("hello")


def test_a_newer_store_is_refused(tmp_path):
    """A store written by a later version is left alone."""
    path = tmp_path / "r.sqlite"
    SqliteResponses(path).close()
    connection = sqlite3.connect(path)
    connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer harness"):
        SqliteResponses(path)


def asked_before(path, key, run="first"):
    """Store an answer as a process working on `run` would, and end."""
    with SqliteResponses(path) as store:
        store.begin(run)
        asyncio.run(store.put(key, Response(text="4")))


def test_a_continued_run_counts_what_it_asked_before_as_its_own_once(tmp_path):
    """After a kill the same run's answers are no replays; a second request like it is one."""
    path = tmp_path / "r.sqlite"
    asked_before(path, KEY)
    with SqliteResponses(path) as store:
        store.begin("first")

        async def twice():
            return [await store.get(KEY), await store.get(KEY)]

        assert [found.cached for found in asyncio.run(twice())] == [False, True]
        assert asyncio.run(store.get(KEY)).cached
    with SqliteResponses(path) as store:  # killed again: it counts anew
        store.begin("first")
        assert not asyncio.run(store.get(KEY)).cached


def test_another_runs_answers_are_replays(tmp_path):
    """What another run asked is marked as cached, and so is what nobody began."""
    path = tmp_path / "r.sqlite"
    asked_before(path, KEY)
    with SqliteResponses(path) as store:
        assert asyncio.run(store.get(KEY)).cached
        store.begin("second")
        assert asyncio.run(store.get(KEY)).cached


def test_a_fresh_run_has_its_own_answers_alone(tmp_path):
    """Asking again replaces the answer; killed and continued, it is not asked a third time."""
    path = tmp_path / "r.sqlite"
    asked_before(path, KEY)
    with SqliteResponses(path) as store:
        store.begin("second", fresh=True)
        assert asyncio.run(store.get(KEY)) is None
        asyncio.run(store.put(KEY, Response(text="5")))
        assert asyncio.run(store.get(KEY)) == Response(text="5", cached=True)
    with SqliteResponses(path) as store:
        store.begin("second", fresh=True)
        assert asyncio.run(store.get(KEY)) == Response(text="5")


def test_a_store_of_the_first_version_is_read_and_written(tmp_path):
    """An older store gets what it lacks, and its answers stay."""
    path = tmp_path / "r.sqlite"
    old = sqlite3.connect(path)
    old.execute(
        "create table responses (key blob primary key, body blob not null, "
        "created real not null) without rowid"
    )
    body = msgspec.msgpack.encode(Response(text="old"))
    old.execute("insert into responses values (?, ?, 0)", (bytes.fromhex(KEY), body))
    old.execute("pragma user_version = 1")
    old.commit()
    old.close()
    with SqliteResponses(path) as store:
        store.begin("run")
        assert asyncio.run(store.get(KEY)) == Response(text="old", cached=True)
        asyncio.run(store.put(content_key("b"), Response(text="new")))
    with SqliteResponses(path) as store:
        assert len(store) == 2


def test_cached_tokens_of_a_prompt_are_kept(tmp_path):
    """What the provider read from its cache comes back with a replayed response."""
    with SqliteResponses(tmp_path / "r.sqlite") as store:
        asyncio.run(store.put(KEY, billed(Response(text="4", prompt_tokens=100), 80)))
        assert cached_prompt_tokens(asyncio.run(store.get(KEY))) == 80
