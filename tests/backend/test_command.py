"""A program as a model: answers, crashes, silence and nonsense."""

from __future__ import annotations

import asyncio
import sys

import pytest
from msgspec.structs import replace

from harness.backend.command import open_command
from harness.errors import ModelNotFound, UsageError
from harness.records import Failure, Message, ModelSpec, Request, Response

ECHO = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    said = asked["messages"][-1]["content"] if asked["messages"] else asked["prompt"]
    if said == "crash":
        sys.exit("out of luck")
    if said == "silence":
        continue
    if said == "nonsense":
        print("no json", flush=True)
        continue
    answer = {"id": asked["id"], "text": f"You said: {said}"}
    if said == "error":
        answer = {"id": asked["id"], "error": "too busy", "retryable": True}
    if said == "nothing":
        answer = {"id": asked["id"]}
    if asked["kind"] != "generate":
        answer |= {"loglikelihood": -1.5, "tokens": 3}
    print(json.dumps({"id": 10**6, "text": "nobody asked"}))
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def program(tmp_path):
    """A script that says what it heard, or misbehaves when asked to."""
    path = tmp_path / "echo.py"
    path.write_text(ECHO)
    return path


def opened(path, **arguments):
    """Open the backend on a script."""
    return open_command(ModelSpec("command", sys.executable, {"args": f"-u {path}", **arguments}))


def ask(path, *texts, **arguments):
    """Return the replies to chats of one line each, asked one after the other."""

    async def once():
        backend = opened(path, **arguments)
        try:
            return [
                (await backend.answer([Request(messages=(Message("user", text),))]))[0]
                for text in texts
            ]
        finally:
            await backend.close()

    return asyncio.run(once())


def test_the_programs_text_is_the_answer(program):
    """Lines go in and come out by id; an answer to nobody is dropped."""
    replies = ask(program, "hello", "四")
    assert [reply.text for reply in replies] == ["You said: hello", "You said: 四"]


def test_many_requests_are_out_at_once(program):
    """Each of a hundred concurrent requests gets its own answer."""

    async def many():
        backend = opened(program)
        requests = [Request(prompt=str(i)) for i in range(100)]
        replies = await asyncio.gather(*(backend.answer([r]) for r in requests))
        await backend.close()
        return [reply.text for (reply,) in replies]

    assert asyncio.run(many()) == [f"You said: {i}" for i in range(100)]


def test_a_crash_is_a_failure_and_the_next_request_starts_the_program_again(program):
    """The failure holds the exit code and the end of stderr, and may be tried again."""
    crashed, after = ask(program, "crash", "hello")
    assert isinstance(crashed, Failure)
    assert (crashed.kind, crashed.retryable) == ("connection", True)
    assert "ended with 1" in crashed.message
    assert "out of luck" in crashed.message
    assert after.text == "You said: hello"


def test_silence_is_a_timeout(program):
    """A request that is not answered in time fails; the program goes on."""
    silent, after = ask(program, "silence", "hello", timeout=1)
    assert (silent.kind, silent.retryable) == ("timeout", True)
    assert isinstance(after, Response)


def test_nonsense_is_malformed(program):
    """A line that is no answer ends the program, which is started anew."""
    broken, after = ask(program, "nonsense", "hello")
    assert broken.kind == "malformed"
    assert "no json" in broken.message
    assert after.text == "You said: hello"


def test_what_the_program_reports_is_a_failure(program):
    """An error in its own words, and an answer without text."""
    busy, empty = ask(program, "error", "nothing")
    assert (busy.kind, busy.message, busy.retryable) == ("server", "too busy", True)
    assert empty.kind == "malformed"


def test_log_likelihoods_where_the_program_has_them(program):
    """-M loglikelihood=true says so; a value that is no logarithm is refused."""
    score = Request(kind="loglikelihood", prompt="a", continuation="b")

    async def once(**arguments):
        backend = opened(program, **arguments)
        try:
            return (await backend.answer([score, replace(score, prompt="nothing")]))[0]
        finally:
            await backend.close()

    assert asyncio.run(once()).kind == "unsupported"
    assert asyncio.run(once(loglikelihood=True)).loglikelihood == -1.5


def test_the_scripts_content_is_in_the_key(program):
    """An edited script is another model, and so is another -M version."""
    before = opened(program).identity()
    assert before == opened(program, timeout=5).identity()
    assert before != opened(program, version="2").identity()
    program.write_text(ECHO + "\n# edited\n")
    assert before != opened(program).identity()


@pytest.mark.parametrize(
    "arguments", [{"timeout": 0}, {"timeout": "soon"}, {"arg": "x"}, {"args": "'open"}]
)
def test_wrong_arguments_are_refused(program, arguments):
    """The message names the argument."""
    with pytest.raises(UsageError, match=next(iter(arguments))):
        opened(program, **arguments)


def test_a_long_word_among_the_arguments_is_no_file():
    """A program given as text on the command line is started like any other."""
    code = "import sys  # " + "x" * 5000
    spec = ModelSpec("command", sys.executable, {"args": f"-c '{code}'"})
    assert open_command(spec).identity()["source"]


def test_a_program_that_is_not_there():
    """It is found before anything is asked."""
    with pytest.raises(ModelNotFound, match="no program"):
        open_command(ModelSpec("command", "no-such-program"))
