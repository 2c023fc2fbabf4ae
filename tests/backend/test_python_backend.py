"""A user's function as a model."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from harness.backend.python import open_python
from harness.errors import UnknownName, UsageError
from harness.records import Failure, Message, Request, Response, Tool

SOURCE = '''
"""An application."""


def echo(messages):
    return " / ".join(f"{m['role']}: {m['content']}" for m in messages)


async def later(messages):
    return messages[-1]["content"].upper()


def broken(messages):
    raise ValueError("no rows\\n\\x1b[31mat all")


def number(messages):
    return 4


class Model:
    async def __call__(self, messages):
        return "called"

    def method(self, messages):
        return "method"


model = Model()
constant = 3
'''


@pytest.fixture
def app(tmp_path, monkeypatch):
    """A module in the working directory, forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some_app.py").write_text(SOURCE)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def ask(name: str, request: Request | None = None):
    """Return the reply of a function of the module."""
    request = request or Request(messages=(Message("system", "s"), Message("user", "hi")))

    async def once():
        backend = open_python(f"some_app:{name}", {})
        try:
            return (await backend.answer([request]))[0]
        finally:
            await backend.close()

    return asyncio.run(once())


def test_messages_go_in_and_text_comes_out(app):
    """Plain functions, async ones, objects and their methods are called alike."""
    assert ask("echo").text == "system: s / user: hi"
    assert ask("later").text == "HI"
    assert ask("model").text == "called"
    assert ask("model.method").text == "method"


def test_a_prompt_is_one_user_message(app):
    """A function always gets messages."""
    assert ask("echo", Request(prompt="go on")).text == "user: go on"


def test_a_plain_function_runs_off_the_event_loop(app):
    """Slow code of a user's holds nothing up."""
    (app / "where.py").write_text(
        "import threading\ndef ask(messages):\n    return threading.current_thread().name\n"
    )
    backend = open_python("where:ask", {})
    (reply,) = asyncio.run(backend.answer([Request(prompt="?")]))
    asyncio.run(backend.close())
    assert isinstance(reply, Response)
    assert reply.text != threading.main_thread().name


def test_an_exception_is_a_failure_with_its_place(app):
    """Class, text and line stand in the message, on one line."""
    failure = ask("broken")
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.retryable) == ("internal", False)
    line = SOURCE.splitlines().index('    raise ValueError("no rows\\n\\x1b[31mat all")') + 1
    assert failure.message == f"ValueError: no rows [31mat all at some_app.py:{line}"


def test_anything_but_text_is_a_failure(app):
    """A number is no answer."""
    assert "returned int; expected text" in ask("number").message


@pytest.mark.parametrize(
    "request_",
    [
        Request(kind="loglikelihood", prompt="a", continuation="b"),
        Request(prompt="a", logprobs=True),
        Request(prompt="a", tools=(Tool("t", "", {}),)),
        Request(prompt="a", schema={}),
        Request(),
    ],
)
def test_what_a_function_cannot_do_is_unsupported(app, request_):
    """Only text for messages is offered."""
    assert ask("echo", request_).kind == "unsupported"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("some_app", "expected python/package.module:function"),
        ("some_app:", "expected python/package.module:function"),
        ("some-app:echo", "expected python/package.module:function"),
        ("nowhere_app:f", "no module 'nowhere_app'"),
        ("some_app.inner:f", "no module 'some_app.inner'"),
        ("some_app:ecko", r"no 'ecko' \(did you mean 'echo'\?\)"),
        ("some_app:constant", "'constant' is int, no function"),
        ("sys:exit", "no source file"),
        ("needs_app:f", "needs 'surely_missing', not installed"),
        ("fails_app:f", "importing fails_app failed: ZeroDivisionError: division by zero at fails"),
    ],
)
def test_a_wrong_name_is_a_usage_error_that_says_what_is_wrong(app, name, message):
    """Module, function and the module's own needs are told apart."""
    (app / "needs_app.py").write_text("import surely_missing\n")
    (app / "fails_app.py").write_text("1 / 0\n")
    with pytest.raises(UsageError, match=message):
        open_python(name, {})


def test_arguments_are_refused(app):
    """A function has no -M."""
    with pytest.raises(UnknownName, match="temperature"):
        open_python("some_app:echo", {"temperature": 1})


def test_the_identity_follows_the_source(app):
    """An edited module is another model; the working directory does not stay on the path."""
    before = open_python("some_app:echo", {}).identity()
    assert open_python("some_app:echo", {}).identity() == before
    (app / "some_app.py").write_text(SOURCE + "# edited\n")
    assert open_python("some_app:echo", {}).identity() != before
    assert str(app) not in sys.path
