"""A recorded run as a model."""

from __future__ import annotations

import asyncio

from harness.backend.replay import open_replay
from harness.identity import request_hasher
from harness.records import Failure, ModelInfo, Request, Response

IDENTITY = {"provider": "toy", "model": "m"}
INFO = ModelInfo("toy/m")
KEY = request_hasher(IDENTITY)


def ask(recorded: dict[str, Response], request: Request, **more):
    """Return the reply of a replay of `recorded`."""
    backend = open_replay(recorded.get, identity=IDENTITY, info=INFO, **more)
    return asyncio.run(backend.answer([request]))[0]


def test_what_was_recorded_is_answered_and_marked():
    """The answer is the recorded one, said to be replayed, under its key."""
    request = Request(prompt="a", sample_id="any")
    reply = ask({KEY(request): Response("b")}, request)
    assert reply == Response("b", cached=True, request_key=KEY(request))


def test_what_was_not_recorded_is_a_failure():
    """A miss is not retried and is no answer."""
    failure = ask({}, Request(prompt="a"))
    assert isinstance(failure, Failure)
    assert failure.message.startswith("not recorded")
    assert not failure.retryable


def test_a_replay_offers_what_the_recorded_backend_did():
    """Capabilities and identity are those of then."""
    scored = Request(kind="loglikelihood", prompt="a", continuation="b")
    failure = ask({}, scored, capabilities=frozenset({"generate"}))
    assert (failure.kind, failure.message) == (
        "unsupported",
        "the recorded model offered no loglikelihood",
    )
    backend = open_replay({}.get, identity=IDENTITY, info=INFO)
    assert backend.identity() == IDENTITY
    assert backend.bypass_store
