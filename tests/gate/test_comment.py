"""harness comment: one comment a gate, found again, never somebody else's."""

from __future__ import annotations

import json

import pytest
from ci_runner import Comments, serving
from click.testing import CliRunner

from harness.cli.comment import body_of, command, host_of
from harness.errors import StoreError, UsageError
from harness.gate.markdown import MARKER

CI = (
    "GITHUB_REPOSITORY", "GITHUB_REF", "GITHUB_EVENT_PATH", "GITHUB_TOKEN", "GH_TOKEN",
    "GITHUB_API_URL", "CI_MERGE_REQUEST_IID", "CI_API_V4_URL", "CI_PROJECT_ID", "GITLAB_TOKEN",
)  # fmt: skip


@pytest.fixture
def file(tmp_path):
    """A comment as the gate writes it."""
    path = tmp_path / "gate.md"
    path.write_text(f"{MARKER}\n### Gate passed\n")
    return path


def github(comments: Comments, **more: str) -> dict[str, str]:
    """Return the variables of a GitHub Actions job for pull request 7."""
    usual = {
        "GITHUB_REPOSITORY": "acme/app", "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_TOKEN": comments.token, "GITHUB_API_URL": comments.url,
    }  # fmt: skip
    return {**usual, **more}


def gitlab(comments: Comments) -> dict[str, str]:
    """Return the variables of a GitLab job for merge request 7."""
    return {
        "CI_MERGE_REQUEST_IID": "7", "CI_API_V4_URL": comments.url, "CI_PROJECT_ID": "5",
        "GITLAB_TOKEN": comments.token,
    }  # fmt: skip


def call(file, environment, *more):
    """Run the verb with these variables of CI and no others."""
    found = dict.fromkeys(CI) | environment
    done = CliRunner().invoke(command, [str(file), *more], env=found, standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.output.strip()


@pytest.mark.parametrize(("kind", "app"), [("github", True), ("github", False), ("gitlab", False)])
def test_a_comment_is_posted_once_and_then_renewed(file, kind, app):
    """The second run finds the first's comment, by its marker and its author."""
    with serving(Comments(kind, app=app)) as comments:
        environment = github(comments) if kind == "github" else gitlab(comments)
        assert call(file, environment) == "a comment is posted"
        file.write_text(f"{MARKER}\n### Gate regressed\n")
        assert call(file, environment) == "the comment is renewed"
        assert [one["body"] for one in comments.held] == [f"{MARKER}\n### Gate regressed\n"]
        place = "/repos/acme/app/issues/7/comments" if kind == "github" else (
            "/projects/5/merge_requests/7/notes")  # fmt: skip
        assert f"POST {place}" in comments.asked


@pytest.mark.parametrize("app", [True, False])
def test_nobody_elses_comment_is_believed(file, app):
    """A stranger who wrote our marker first could change what we say: we write our own."""
    with serving(Comments("github", app=app)) as comments:
        forged = f"{MARKER}\nGate passed"
        comments.add(forged, "stranger")
        assert call(file, github(comments)) == "a comment is posted"
        assert [one["body"] for one in comments.held] == [forged, f"{MARKER}\n### Gate passed\n"]


def test_names_tell_gates_apart(file):
    """Two gates of one request keep a comment each."""
    with serving(Comments("github")) as comments:
        for name in ("mini", "micro"):
            assert call(file, github(comments), "--name", name) == "a comment is posted"
        assert call(file, github(comments), "--name", "mini") == "the comment is renewed"
        assert [one["body"].splitlines()[0] for one in comments.held] == [
            "<!-- harness gate: mini -->", "<!-- harness gate: micro -->",
        ]  # fmt: skip


def test_the_event_names_the_pull_request(file, tmp_path):
    """Its file comes before the ref; a job for no request is told."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 12}}))
    job = {"GITHUB_REPOSITORY": "a/b", "GH_TOKEN": "t", "GITHUB_EVENT_PATH": str(event)}
    found = host_of({**job, "GITHUB_REF": "refs/pull/7/merge"})
    assert found.comments == "https://api.github.com/repos/a/b/issues/12/comments"
    event.write_text("[]")
    with pytest.raises(UsageError, match="not for one"):
        host_of({**job, "GITHUB_REF": "refs/heads/main"})


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "no pull request"),
        (
            {"GITHUB_REPOSITORY": "a/b", "GITHUB_REF": "refs/pull/7/merge"},
            "GITHUB_TOKEN is missing",
        ),
        ({"CI_MERGE_REQUEST_IID": "7"}, "GITLAB_TOKEN is missing"),
    ],
)
def test_what_is_missing_is_named(environment, said):
    """Outside a request, or without a token, nothing is asked."""
    with pytest.raises(UsageError, match=said):
        host_of(environment)


def test_only_the_gates_own_text_is_posted(tmp_path, file):
    """A file without the marker, none at all, bytes, and a name that would end the marker."""
    other = tmp_path / "other.md"
    other.write_text("hello")
    with pytest.raises(UsageError, match="not written by harness gate"):
        body_of(other, "")
    other.write_bytes(b"\xff")
    for path in (tmp_path / "none.md", other):
        with pytest.raises(UsageError, match="cannot be read"):
            body_of(path, "")
    for name in ("--><b>", "a--b", "-a", "é"):
        with pytest.raises(UsageError, match="--name: allowed"):
            body_of(file, name)
    assert body_of(file, "qa/en v1.2-b").startswith("<!-- harness gate: qa/en v1.2-b -->\n")


def test_a_host_that_refuses_or_is_no_http_is_named(file):
    """The address and its answer are told, never the token."""
    with serving(Comments("github", broken=True)) as comments:
        with pytest.raises(StoreError, match="403") as told:
            call(file, github(comments))
        assert comments.token not in str(told.value)
        gone = github(comments)
    with pytest.raises(StoreError, match="GET http://127"):
        call(file, gone)
    with pytest.raises(UsageError, match="not an http address"):
        call(file, github(comments, GITHUB_API_URL="file:///etc"))
