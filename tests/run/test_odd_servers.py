"""Servers that die, crawl, lie, ramble: the scores are right or the run says why there are none."""

from __future__ import annotations

import asyncio
import time

import pytest
from odd_server import DROP, Asked, OddServer, answer, chat, draw, http, right

from harness.config import build
from harness.pipeline import run
from harness.store.reading import read_rows

HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>proxy</body></html>"


@pytest.fixture
def put(addition, tmp_path):
    """Put the 200 sums to a server; `settings` are keys of a run file."""

    def call(server, root="r", **settings):
        flags = {
            "tasks": [str(addition)], "model": "openai/odd", "base_url": server.url,
            "out": str(tmp_path / root), **settings,
        }  # fmt: skip
        return run(*build(flags))

    return call


async def calm(asked: Asked) -> bytes:
    return right(asked)


@pytest.fixture
def clean(put):
    """The cells of a run against a server without faults."""
    with OddServer(calm) as server:
        return lasting(put(server, root="clean"))


def lasting(result):
    return [cell for cell in result.cells if not cell.observed and cell.metric != "refused"]


@pytest.fixture
def five_thousand(tmp_path):
    """A task of 5,000 different sums."""
    path = tmp_path / "many.yaml"
    path.write_text(
        "task: many\n"
        "data: {generator: arithmetic, args: {operation: add, digits: [3, 4, 5, 6, 7], "
        "per_cell: 1000}}\n"
        'prompt: "What is {{ a }} + {{ b }}?"\ntarget: "{{ answer }}"\n'
        "extract: [text]\nmetrics: [exact_match]\n"
    )
    return str(path)


FAULTS = (http("{}", status=429), http("{}", status=500), DROP, http(b'{"choices": [{"mess'))


def test_faults_of_every_kind_cost_no_sample_and_no_point(put, five_thousand):
    """5,000 samples, 5 % each of 429, 500, dropped connections and half bodies: as without them."""

    async def faulty(asked: Asked) -> bytes:
        share = draw("fault", asked.prompt, asked.times)
        return FAULTS[int(share / 0.05)] if share < 0.2 else right(asked)

    with OddServer(faulty) as server:
        result = put(server, tasks=[five_thousand], connections=256, max_attempts=12)
        assert (result.exit_code, result.planned, result.cells[0].n) == (0, 5000, 5000)
        assert result.usage.retries > 1000
        assert set(server.answered.values()) == {1}
        rows = list(read_rows(result.directory, ["input", "target", "scores", "answer"]))
        assert all(row["answer"] == answer(row["input"]) for row in rows)
        wrong = sum(answer(row["input"]) != row["target"][0] for row in rows)
        assert result.cells[0].value == (5000 - wrong) / 5000
        again = put(server, tasks=[five_thousand])
        assert (again.usage.requests, again.usage.cached) == (0, 5000)
        assert set(server.answered.values()) == {1}


def test_a_server_that_dies_half_way_and_comes_back(put, clean):
    """Connections are lost and refused for a while: every sample is answered, none twice."""

    async def dies_once(asked: Asked) -> bytes:
        if asked.number == 100:
            await server.die()
            asyncio.get_running_loop().call_later(0.2, lambda: tasks.append(_soon(server.live())))
        return right(asked)

    tasks = []
    with OddServer(dies_once) as server:
        result = put(server)
    assert result.exit_code == 0
    assert lasting(result) == clean
    assert result.usage.retries > 0


def _soon(work):
    return asyncio.ensure_future(work)


def test_a_server_that_dies_for_good_leaves_what_it_answered(put, clean):
    """The run stops early with exit 4 and says so; back on its feet, only the rest is asked."""

    async def dies(asked: Asked) -> bytes:
        if asked.number == 60:
            await server.die()
        return right(asked)

    with OddServer(dies) as server:
        stopped = put(server, max_attempts=1, connections=4)
        assert stopped.exit_code == 4
        assert stopped.reason.startswith("failing: 100 samples in a row failed")
        assert "connection" in stopped.reason
        before = sum(server.answered.values())
        server.behave = calm
        server._call(server.live())
        whole = put(server, connections=4)
    assert (whole.exit_code, whole.status) == (0, "complete")
    assert lasting(whole) == clean
    assert sum(server.answered.values()) - before <= 200 - 55


def test_a_server_that_slows_to_a_crawl(put, clean):
    """A body that dribbles past the deadline of an attempt is a timeout, and is asked again."""

    async def crawls(asked: Asked) -> bytes:
        if 50 <= asked.number < 60:
            await asyncio.sleep(3600)
        return right(asked)

    with OddServer(crawls) as server:
        result = put(server, timeout=0.3)
    assert result.exit_code == 0
    assert lasting(result) == clean
    assert result.usage.retries >= 10


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (http("{}", status=500), "HTTP 500"),
        (http(HTML, kind="text/html"), "DOCTYPE"),
        (http(HTML, status=502, kind="text/html"), "HTTP 502"),
        (DROP, "connection"),
    ],
    ids=["500", "html-200", "html-502", "drop"],
)
def test_a_server_that_always_fails_is_given_up_early(put, answer, said):
    """Not all samples are tried: exit 4, and the reason names the last failure."""

    async def always(_: Asked) -> bytes:
        return answer

    with OddServer(always) as server:
        result = put(server, max_attempts=1)
        assert sum(server.asked.values()) < 130
    assert (result.exit_code, result.status) == (4, "partial")
    assert "100 samples in a row failed" in result.reason
    assert said in result.reason
    assert result.cells[0].n == 0


@pytest.mark.parametrize(
    "fault",
    [
        http(HTML, kind="text/html"),
        http(b'{"choices": [{"message": {"role": "assistant", "content": "\xff\xfe\x80"}}]}'),
        http(b'{"choices": [{"index": 0, "mess'),
        http("[]"),
        http(""),
    ],
    ids=["html", "not-utf-8", "half", "list", "empty"],
)
def test_what_cannot_be_an_answer_is_asked_again(put, clean, fault):
    """Each sample's first answer is broken: the scores are those of the second."""

    async def first_is_broken(asked: Asked) -> bytes:
        return fault if asked.times == 1 and asked.number % 4 == 0 else right(asked)

    with OddServer(first_is_broken) as server:
        result = put(server, connections=64)
    assert result.exit_code == 0
    assert lasting(result) == clean
    assert result.usage.retries > 20


def test_answers_of_ten_thousand_tokens(put, tmp_path):
    """Long answers are kept to the last letter, counted, and come back from the store."""
    ramble = "thinking aloud, " * 2500

    async def long(asked: Asked) -> bytes:
        return chat(ramble + right(asked)[-20:].decode(errors="replace") + "\nThe answer is 7")

    with OddServer(long) as server:
        first = put(server, limit=12)
        again = put(server, limit=12)
        assert sum(server.asked.values()) == 12
    rows = list(read_rows(first.directory))
    assert all(row["output"].startswith(ramble) for row in rows)
    assert all(row["completion_tokens"] >= 10_000 for row in rows)
    assert [row["output"] for row in read_rows(again.directory)] == [r["output"] for r in rows]


def test_a_clock_that_jumps_changes_nothing(put, clean, monkeypatch):
    """The date goes back and forth by years: retries, deadlines and durations do not care."""
    real, calls = time.time, []

    def jumping() -> float:
        calls.append(None)
        return real() + (3e8 if len(calls) % 3 == 0 else -6e8)

    async def some_fail(asked: Asked) -> bytes:
        return (
            http("{}", status=503) if asked.times == 1 and asked.number % 5 == 0 else right(asked)
        )

    monkeypatch.setattr(time, "time", jumping)
    with OddServer(some_fail) as server:
        result = put(server, timeout=30.0)
    assert len(calls) > 10
    assert lasting(result) == clean
    assert all(row["latency_s"] < 30 for row in read_rows(result.directory))
    record = (result.directory / "run.json").read_text()
    assert '"status": "complete"' in record
    assert '"wall_s": -' not in record
