"""harness comment: one comment on a pull request, kept up to date from run to run."""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

from harness.errors import StoreError, UsageError

TIMEOUT_S = 30.0
PAGE = 100
"""Comments asked for at once: the most that either host gives."""
_NAME = re.compile(r"[\w ./]+(-[\w ./]+)*", re.ASCII)
"""What may stand in a marker: two hyphens would end it."""


class Host(NamedTuple):
    """Where comments are, and how they are changed."""

    comments: str
    """Address of the request's comments."""
    one: str
    """Address of one comment, up to its number."""
    user: str
    """Address that tells who we are."""
    edit: str
    """HTTP method that changes a comment."""
    author: tuple[str, str]
    """Where a comment says who wrote it: key, and key of the name."""
    headers: dict[str, str]


@click.command("comment")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", default="", help="Tells several gates of one request apart.")
def command(file: Path, name: str) -> None:
    """Post FILE, as `harness gate --comment FILE` wrote it, on the request that a CI job is for.

    A comment that an earlier run posted is renewed. In GitHub Actions it takes GITHUB_TOKEN
    (pull-requests: write), in GitLab CI GITLAB_TOKEN (scope api).
    """
    click.echo(post(body_of(file, name), host_of(os.environ)))


def body_of(file: Path, name: str) -> str:
    """Return what is posted; its first line is the marker by which it is found again."""
    from harness.gate.markdown import MARKER

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from error
    first, _, rest = text.partition("\n")
    if first != MARKER:
        raise UsageError(f"{file}: not written by harness gate --comment")
    if name and not _NAME.fullmatch(name):
        raise UsageError(f"--name: allowed: letters, digits, spaces, . / _ -; got: {name!r}")
    marker = MARKER.replace(" -->", f": {name} -->") if name else MARKER
    return f"{marker}\n{rest}"


def host_of(environment: Mapping[str, str]) -> Host:
    """Return the host and request that a CI job is for; UsageError where it is for none."""
    if "CI_MERGE_REQUEST_IID" in environment:
        return _gitlab(environment)
    if environment.get("GITHUB_REPOSITORY"):
        return _github(environment)
    raise UsageError("no pull request: run this in GitHub Actions or GitLab CI, for a request")


def _github(environment: Mapping[str, str]) -> Host:
    token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN")
    if not token:
        raise UsageError("GITHUB_TOKEN is missing: pass ${{ github.token }} to this step")
    base = environment.get("GITHUB_API_URL") or "https://api.github.com"
    issues = f"{base}/repos/{environment['GITHUB_REPOSITORY']}/issues"
    return Host(
        comments=f"{issues}/{_number(environment)}/comments",
        one=f"{issues}/comments/",
        user=f"{base}/user",
        edit="PATCH",
        author=("user", "login"),
        headers={"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
    )


def _number(environment: Mapping[str, str]) -> int:
    """Return the number of the pull request, from the event or the name of its ref."""
    try:
        event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        return int(event["pull_request"]["number"])
    except (KeyError, OSError, ValueError, TypeError):
        found = re.match(r"refs/pull/(\d+)/", environment.get("GITHUB_REF", ""))
    if not found:
        raise UsageError("no pull request: this job is not for one")
    return int(found[1])


def _gitlab(environment: Mapping[str, str]) -> Host:
    token = environment.get("GITLAB_TOKEN")
    if not token:
        raise UsageError("GITLAB_TOKEN is missing: a project access token with the scope api")
    base, project = environment["CI_API_V4_URL"], environment["CI_PROJECT_ID"]
    number = environment["CI_MERGE_REQUEST_IID"]
    notes = f"{base}/projects/{project}/merge_requests/{number}/notes"
    return Host(
        comments=notes,
        one=f"{notes}/",
        user=f"{base}/user",
        edit="PUT",
        author=("author", "username"),
        headers={"PRIVATE-TOKEN": token},
    )


def post(body: str, host: Host) -> str:
    """Renew our comment of the same marker, or write the first; return what was done."""
    marker = body.partition("\n")[0]
    us = _us(host)
    for comment in _comments(host):
        # somebody else's comment may bear our marker; its author could change what it says
        if _is_ours(comment, us, host) and comment["body"].partition("\n")[0].strip() == marker:
            _ask(host, host.edit, f"{host.one}{int(comment['id'])}", body)
            return "the comment is renewed"
    _ask(host, "POST", host.comments, body)
    return "a comment is posted"


def _us(host: Host) -> str | None:
    """Return our name; None for a token of an app, which may not ask."""
    try:
        name = _ask(host, "GET", host.user)[host.author[1]]
    except StoreError:
        return None
    return str(name)


def _is_ours(comment: Mapping[str, Any], us: str | None, host: Host) -> bool:
    author = comment.get(host.author[0]) or {}
    if us is not None:
        return bool(author.get(host.author[1]) == us)
    return bool(author.get("type") == "Bot")


def _comments(host: Host) -> Iterator[dict[str, Any]]:
    for page in range(1, 1000):
        found = _ask(host, "GET", f"{host.comments}?per_page={PAGE}&page={page}")
        yield from found
        if len(found) < PAGE:
            return


def _ask(host: Host, method: str, address: str, body: str | None = None) -> Any:
    if not address.startswith(("https://", "http://")):
        raise UsageError(f"{address}: not an http address")
    data = None if body is None else json.dumps({"body": body}).encode()
    headers = {**host.headers, "Content-Type": "application/json", "User-Agent": "harness"}
    request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310 - checked
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return json.loads(answer.read())
    except (OSError, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise StoreError(f"{method} {address}: {error}") from error
