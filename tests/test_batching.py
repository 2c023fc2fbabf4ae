"""Plans answered by batch jobs that do as they are told: no server, no clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from harness import batching
from harness.backend.openai import open_openai
from harness.backend.openai.batch import Counts, Job, JobError, JobErrors, Trouble
from harness.batch_jobs import LeftRunning, Pace
from harness.batching import BatchRules, batched
from harness.errors import AuthenticationFailed, BackendError, ModelNotFound, UsageError
from harness.identity import request_hasher
from harness.records import Failure, Generation, Message, ModelSpec, Request, Response, Transcript
from harness.store.responses import SqliteResponses

PASSING = Trouble(Failure("server", "HTTP 503: busy", retryable=True, status=503))
LASTING = Trouble(Failure("refused", "HTTP 400: wrong"))
LOST = Trouble(Failure("connection", "the answer was lost", retryable=True))
"""Raised once the call has had its effect."""


def line(key: str, status: int = 200, text: str = "4") -> dict:
    """Return the line of an answer, or of an error."""
    body = {"choices": [{"message": {"content": text}}]} if status == 200 else {}
    return {"custom_id": key, "response": {"status_code": status, "body": body}}


class Server:
    """Jobs in memory; `answer(key, number of the job)` makes their lines.

    `trouble[call]` is raised by that call, in turn; `ends` are how jobs end, in turn.
    """

    def __init__(
        self, answer: Callable[[str, int], dict | None] = lambda key, _: line(key)
    ) -> None:
        self.answer = answer
        self.ends: list[str] = []
        self.trouble: dict[str, list[Exception]] = {}
        self.calls: list[str] = []
        self.asked: list[list[str]] = []
        """Keys, by job."""
        self._files: dict[str, bytes] = {}
        self._jobs: dict[str, Job] = {}
        self._tags: dict[str, str] = {}

    def open(self):
        """Return a backend whose batch jobs are done here."""
        spec = ModelSpec("openai", "m", base_url="http://127.0.0.1:1/v1")
        backend = open_openai(spec, timeout_s=1, connections=1)
        jobs = backend.batches()
        for name in ("upload", "create", "find", "look", "download"):
            setattr(jobs, name, self._called(name))
        backend.batches = lambda: jobs
        return backend

    def _called(self, name: str):
        async def call(*arguments):
            await asyncio.sleep(0)
            self.calls.append(name)
            waiting = self.trouble.get(name, [])
            trouble = waiting.pop(0) if waiting else None
            if trouble is not None and trouble is not LOST:
                raise trouble
            found = getattr(self, f"_{name}")(*arguments)
            if trouble is LOST:
                raise LOST
            return found

        return call

    def _upload(self, path: Path) -> str:
        name = f"file-{len(self._files)}"
        self._files[name] = path.read_bytes()
        return name

    def _create(self, file_id: str, endpoint: str, tag: str) -> Job:
        assert endpoint == "/v1/chat/completions"
        job = Job(f"batch_{len(self._jobs)}", "in_progress")
        self._jobs[job.id], self._tags[tag] = job, job.id
        lines = self._files[file_id].splitlines()
        self.asked.append([json.loads(one)["custom_id"] for one in lines])
        return job

    def _find(self, tag: str) -> Job | None:
        return self._jobs.get(self._tags.get(tag, ""))

    def _look(self, job_id: str) -> Job:
        job, number = self._jobs[job_id], int(job_id.removeprefix("batch_"))
        if job.ended:
            return job
        job.status = self.ends.pop(0) if self.ends else "completed"
        if job.status == "full":
            job.status = "failed"
            job.errors = JobErrors([JobError(code="token_limit_exceeded", message="later")])
        elif job.ended:
            told = [self.answer(key, number) for key in self.asked[number]]
            found = [json.dumps(one) + "\n" for one in told if one is not None]
            job.output_file_id = f"{job_id}-out"
            self._files[job.output_file_id] = "".join(found[::-1]).encode()
            job.request_counts = Counts(len(told), len(found), 0)
        return job

    def _download(self, file_id: str, path: Path) -> None:
        path.write_bytes(self._files[file_id])


def conversation(i: int, turns: int = 1, together: int = 0):
    """Ask `turns` times, each time with what was said before; the first may be asked in pairs."""
    said = []
    for turn in range(turns):
        text = f"question {i}, turn {turn}, after {[r.text for r in said]}"
        request = Request(messages=(Message("user", text),))
        if together and not turn:
            twin = Request(messages=(Message("user", f"beside {i}"),))
            said += yield (request, twin)
        else:
            said.append((yield request))
    return Transcript(tuple(said))


def asked_by(conversations: Iterable) -> list[Request]:
    """Return the first requests of conversations."""
    first = [next(one) for one in conversations]
    return [one for asked in first for one in ((asked,) if isinstance(asked, Request) else asked)]


@pytest.fixture
def fill(tmp_path):
    """Have a server answer a plan, and return the replies to its first requests."""

    def call(server: Server, plan=lambda: map(conversation, range(4)), **rules):
        told: list[str] = []
        rules = {"pace": Pace(first_s=0.0, patience=4), "tell": told.append, **rules}
        with (
            SqliteResponses(tmp_path / "responses.sqlite") as store,
            batched(server.open(), store, tmp_path, plan, BatchRules(**rules)) as collected,
        ):

            async def read():
                replies = await collected.answer(asked_by(plan()))
                await collected.close()
                return replies

            call.told = told
            return asyncio.run(read())

    return call


def test_every_request_of_a_plan_is_in_one_batch_and_has_its_answer(fill, tmp_path):
    """Twins are asked once; nothing is left behind where all was handed out."""
    server = Server(lambda key, _: line(key, text=key))
    replies = fill(server, lambda: map(conversation, (1, 2, 1)))
    assert [len(keys) for keys in server.asked] == [2]
    assert [reply.text for reply in replies] == [reply.request_key for reply in replies]
    assert replies[0] == replies[2]
    assert server.calls == ["upload", "create", "look", "download"]
    assert fill.told == [
        "batch batch_0: 2 requests submitted",
        "batch batch_0: completed, 2 of 2 done",
    ]
    assert not (tmp_path / "batches").exists()


def test_stored_answers_are_in_no_batch_but_with_fresh(fill, tmp_path):
    """What the store has is not asked; `fresh` asks all the same."""
    (request,) = asked_by([conversation(0)])
    key = request_hasher(Server().open().identity())(request)

    async def put():
        await store.put(key, Response(text="stored"))

    with SqliteResponses(tmp_path / "responses.sqlite") as store:
        asyncio.run(put())
    server = Server()
    fill(server)
    assert [len(keys) for keys in server.asked] == [3]
    assert key not in server.asked[0]
    again = Server()
    fill(again, fresh=True)
    assert [len(keys) for keys in again.asked] == [4]


def test_later_turns_and_requests_side_by_side_go_into_the_next_batch(fill):
    """A conversation goes on once all that it asked together is answered."""
    server = Server()
    fill(server, lambda: (conversation(i, turns=3, together=1) for i in range(2)))
    assert [len(keys) for keys in server.asked] == [4, 2, 2]


def test_what_fails_in_passing_is_asked_again_and_given_up_in_the_end(fill):
    """A request is in at most `max_attempts` batches; the others' answers stay."""
    server = Server()
    server.answer = lambda key, number: line(key, 500 if key == server.asked[0][0] else 200)
    replies = fill(server, max_attempts=3)
    assert [len(keys) for keys in server.asked] == [4, 1, 1]
    (failure,) = [reply for reply in replies if isinstance(reply, Failure)]
    assert (failure.kind, failure.attempts, failure.retryable) == ("server", 3, False)


def test_a_request_that_no_batch_speaks_of_is_a_timeout_in_the_end(fill):
    """Silence is no answer."""
    server = Server()
    server.answer = lambda key, _: None if key == server.asked[0][0] else line(key)
    replies = fill(server, max_attempts=2)
    (failure,) = [reply for reply in replies if isinstance(reply, Failure)]
    assert (failure.kind, failure.message) == ("timeout", "2 batches ended without an answer")
    assert [len(keys) for keys in server.asked] == [4, 1]


def test_what_will_not_pass_is_asked_once_a_process(fill):
    """A refusal is final in this run, and no answer for the next one."""
    server = Server(lambda key, _: line(key, 400))
    assert {reply.kind for reply in fill(server)} == {"refused"}
    assert len(server.asked) == 1
    server.answer = lambda key, _: line(key)
    assert all(isinstance(reply, Response) for reply in fill(server))
    assert len(server.asked) == 2


@pytest.mark.parametrize(("status", "error"), [(404, ModelNotFound), (401, AuthenticationFailed)])
def test_what_speaks_of_the_whole_model_ends_the_run_but_not_the_next(fill, status, error):
    """An unknown model raises; once it is there, everything is asked anew."""
    server = Server(lambda key, _: line(key, status))
    with pytest.raises(error):
        fill(server)
    server.answer = lambda key, _: line(key)
    assert all(isinstance(reply, Response) for reply in fill(server))


def test_a_spent_quota_ends_the_run(fill):
    """More batches would meet the same."""
    spent = {"error": {"message": "pay", "code": "insufficient_quota"}}
    server = Server(
        lambda key, _: {"custom_id": key, "response": {"status_code": 429, "body": spent}}
    )
    with pytest.raises(BackendError, match="pay"):
        fill(server)


def test_a_request_that_can_be_in_no_batch_has_the_failure_of_the_direct_way(fill):
    """The others of the plan are asked all the same."""

    def odd():
        generation = Generation(extra={"n": 2})
        yield Request(messages=(Message("user", "?"),), generation=generation)

    server = Server()
    replies = fill(server, lambda: [conversation(0), odd()])
    assert isinstance(replies[0], Response)
    assert replies[1].kind == "unsupported"
    assert [len(keys) for keys in server.asked] == [1]


def test_a_request_that_the_plan_did_not_show_is_a_failure(tmp_path):
    """It is never asked the direct way, at another price."""

    async def ask():
        return await collected.answer(asked_by([conversation(9)]))

    server, rules = Server(), BatchRules(pace=Pace(first_s=0))
    with (
        SqliteResponses(tmp_path / "s.sqlite") as store,
        batched(server.open(), store, tmp_path, lambda: [conversation(1)], rules) as collected,
    ):
        (reply,) = asyncio.run(ask())
    assert (reply.kind, reply.message) == ("internal", "no batch job was asked this request")
    assert collected.capabilities >= {"chat"}


def test_a_lost_answer_to_a_submission_is_looked_up_and_not_submitted_again(fill):
    """The job is found by its tag."""
    server = Server()
    server.trouble = {"create": [LOST]}
    fill(server)
    assert len(server.asked) == 1
    assert server.calls[:4] == ["upload", "create", "find", "look"]
    assert any("trying again" in said for said in fill.told)


def test_a_submission_that_never_arrived_is_made_again(fill):
    """Where no job bears the tag there is none."""
    server = Server()
    server.trouble = {"create": [PASSING]}
    fill(server)
    assert server.calls[:4] == ["upload", "create", "find", "create"]
    assert len(server.asked) == 1


def test_trouble_in_passing_is_waited_out_and_lasting_trouble_is_not(fill):
    """Each call may be repeated; what will not pass raises at once."""
    server = Server()
    server.trouble = {name: [PASSING] for name in ("upload", "look", "download")}
    assert all(isinstance(reply, Response) for reply in fill(server))
    server.trouble = {"look": [LASTING]}
    with pytest.raises(BackendError, match="HTTP 400"):
        fill(server, lambda: [conversation(7)])
    assert all(isinstance(reply, Response) for reply in fill(server, lambda: [conversation(7)]))
    assert [len(keys) for keys in server.asked] == [4, 1]


def test_a_server_that_never_answers_is_given_up(fill):
    """Sooner where it has never been reached."""
    never = Server()
    never.trouble = {"upload": [PASSING] * 9}
    with pytest.raises(BackendError, match="HTTP 503"):
        fill(never, max_attempts=2)
    assert never.calls == ["upload"] * 2
    gone = Server()
    gone.trouble = {"look": [PASSING] * 9}
    with pytest.raises(BackendError, match="HTTP 503"):
        fill(gone)
    assert gone.calls.count("look") == 4


def test_a_full_queue_is_waited_out_where_the_batch_is_small(fill):
    """It is submitted again, without another upload."""
    server = Server()
    server.ends = ["full", "full", "completed"]
    assert all(isinstance(reply, Response) for reply in fill(server))
    assert [len(keys) for keys in server.asked] == [4, 4, 4]
    assert server.calls.count("upload") == 1
    assert "the server's queue is full; trying again" in fill.told


def test_a_full_queue_halves_a_large_batch_and_waits_for_other_batches(fill, monkeypatch):
    """No request is answered by two of the pieces."""
    monkeypatch.setattr("harness.batch_jobs.LEAST_HALVED", 2)
    monkeypatch.setattr(batching, "MOST_REQUESTS", 4)
    server = Server()
    server.ends = ["in_progress", "full", "completed", "full"]
    plan = lambda: map(conversation, range(8))  # noqa: E731
    assert all(isinstance(reply, Response) for reply in fill(server, plan))
    assert [len(keys) for keys in server.asked] == [4, 4, 4, 2, 2]


def test_files_that_cannot_be_read_are_not_taken_for_silence(fill):
    """A proxy's page in the place of the answers ends the run; the next one finds them."""
    server = Server()
    download = server._download
    server._download = lambda _, path: path.write_bytes(b"<html>log in</html>")
    with pytest.raises(BackendError, match="batch batch_0: its files cannot be read"):
        fill(server)
    server._download = download
    assert all(isinstance(reply, Response) for reply in fill(server))
    assert len(server.asked) == 1


def test_a_job_that_the_server_does_not_know_is_named_with_what_to_do(fill, tmp_path):
    """It may belong to another key; nothing is submitted in its place."""
    server = Server()
    server.trouble = {"look": [UsageError("HTTP 404")]}
    with pytest.raises(BackendError, match=r"batch batch_0: HTTP 404.*another key.*remove .*m-"):
        fill(server)
    assert len(server.asked) == 1


def test_what_one_run_submitted_serves_another(fill):
    """A larger plan asks only for what is under way in no batch."""
    server = Server()
    server.trouble = {"look": [LASTING]}
    with pytest.raises(BackendError):
        fill(server)
    replies = fill(server, lambda: map(conversation, range(6)))
    assert all(isinstance(reply, Response) for reply in replies)
    assert [len(keys) for keys in server.asked] == [4, 2]


def test_a_smaller_plan_waits_for_no_batch_that_it_does_not_need(fill):
    """What it does not ask for stays under way, and is there for whoever does."""
    server = Server()
    server.trouble = {"look": [LASTING]}
    with pytest.raises(BackendError):
        fill(server, lambda: [conversation(8), conversation(9)])
    looked = server.calls.count("look")
    fill(server, lambda: [conversation(1)])
    assert server.calls.count("look") == looked + 1
    fill(server, lambda: [conversation(9)])
    assert [len(keys) for keys in server.asked] == [2, 1]


def test_an_interrupt_says_what_goes_on_at_the_server(fill):
    """Before anything is submitted there is nothing to say."""
    server = Server()
    server.trouble = {
        "upload": [asyncio.CancelledError()],
        "look": [asyncio.CancelledError()],
    }
    with pytest.raises(LeftRunning, match="before a batch was submitted"):
        fill(server)
    with pytest.raises(LeftRunning, match=r"1 batch job\(s\) go on at the server \(batch_0\)"):
        fill(server)
    assert all(isinstance(reply, Response) for reply in fill(server))
    assert len(server.asked) == 1


def test_lines_are_thrown_away_where_the_plan_cannot_be_read_to_its_end(fill, tmp_path):
    """An error in the middle of a plan leaves neither a file nor a job."""

    def broken():
        yield conversation(1)
        raise BackendError("the plan broke off")

    server = Server()
    with pytest.raises(BackendError, match="broke off"):
        fill(server, broken)
    assert server.calls == []
    assert not (tmp_path / "batches").exists()
