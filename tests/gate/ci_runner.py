"""What a CI platform does with a workflow: its contexts, its steps, its caches, its comments."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
TERM = re.compile(r"([\w.-]+)\s*(==|!=)\s*'([^']*)'")
BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
"""How the platform starts a step with `shell: bash`."""


# ---- comments -------------------------------------------------------------------------------


@dataclass
class Comments:
    """A code host's comments on one request, over HTTP on the loopback."""

    kind: str
    """github or gitlab."""
    token: str = "secret"
    app: bool = True
    """Whether the token is an app's, which may not ask who it is."""
    held: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""
    broken: bool = False

    def author(self, name: str, kind: str = "User") -> dict[str, Any]:
        if self.kind == "gitlab":
            return {"author": {"username": name}}
        return {"user": {"login": name, "type": kind}}

    def add(self, body: str, name: str, kind: str = "User") -> dict[str, Any]:
        found = {"id": len(self.held) + 1, "body": body, **self.author(name, kind)}
        self.held.append(found)
        return found

    def answer(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
        """Return status and JSON."""
        self.asked.append(f"{method} {path}")
        given = headers.get("Private-Token") or headers.get("Authorization", "")
        if self.broken or not given.endswith(self.token):
            return 403, {"message": "no"}
        place, _, query = path.partition("?")
        if place == "/user":
            us = {"login": "me", "username": "me"}
            return (403, {}) if self.app else (200, us)
        if method == "GET":
            numbers = dict(part.split("=") for part in query.split("&"))
            begin = (int(numbers["page"]) - 1) * int(numbers["per_page"])
            return 200, self.held[begin : begin + int(numbers["per_page"])]
        if method == "POST":
            us = ("github-actions[bot]", "Bot") if self.app else ("me", "User")
            return 201, self.add(body["body"], *us)
        number = int(place.rsplit("/", 1)[1])
        found = next(one for one in self.held if one["id"] == number)
        found["body"] = body["body"]
        return 200, found


@contextmanager
def serving(comments: Comments) -> Iterator[Comments]:
    """Serve comments until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            headers = {name.title(): value for name, value in self.headers.items()}
            status, said = comments.answer(self.command, self.path, body, headers)
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    for method in ("GET", "POST", "PATCH", "PUT"):
        setattr(Handler, f"do_{method}", Handler.handle_any)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    comments.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield comments
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# ---- a job ----------------------------------------------------------------------------------


@dataclass
class Finished:
    """How a job ended."""

    ok: bool
    outputs: dict[str, str]
    log: str
    summary: str

    @property
    def errors(self) -> list[str]:
        """The annotations of the log."""
        return [line for line in self.log.splitlines() if line.startswith("::error")]


@dataclass
class Platform:
    """Runs the steps of composite actions and workflows in a workspace."""

    workspace: Path
    caches: Path
    comments: Comments
    event: str = "pull_request"
    jobs: int = 0
    secrets: Mapping[str, str] = field(default_factory=dict)

    def action(self, path: Path, inputs: Mapping[str, str]) -> Finished:
        """Run a composite action with its inputs."""
        described = yaml(path)
        defaults = {name: str(one.get("default", "")) for name, one in described["inputs"].items()}
        unknown = set(inputs) - set(defaults)
        assert not unknown, unknown
        return self.steps(described["runs"]["steps"], {**defaults, **inputs}, path.parent)

    def steps(
        self, steps: list[dict[str, Any]], inputs: Mapping[str, str], action: Path | None = None
    ) -> Finished:
        """Run steps in order; a failed one ends the job, but for those that always run."""
        self.jobs += 1
        files = self.caches / f"job-{self.jobs}"
        files.mkdir(parents=True)
        context = {
            "inputs": dict(inputs), "secrets": dict(self.secrets), "steps": {},
            "github": self._github(action),
        }  # fmt: skip
        context["inputs"] = {k: filled(v, context) for k, v in context["inputs"].items()}
        ok, log = True, ""
        for number, step in enumerate(steps):
            if not chosen(str(step.get("if", "")), context, ok=ok):
                continue
            if "uses" in step:
                self._uses(step, context)
                continue
            out = files / f"output-{number}"
            out.touch()
            done = self._run(step, context, files, out)
            log += done.stdout
            ok = ok and done.returncode == 0
            told = dict(line.split("=", 1) for line in out.read_text().splitlines())
            context["steps"][step.get("id", str(number))] = {"outputs": told}
        outputs = {k: v for one in context["steps"].values() for k, v in one["outputs"].items()}
        summary = files / "summary.md"
        return Finished(ok, outputs, log, summary.read_text() if summary.exists() else "")

    def _github(self, action: Path | None) -> dict[str, Any]:
        return {
            "action_path": str(action or ""), "token": self.comments.token, "job": "gate",
            "run_id": str(1000 + self.jobs), "run_attempt": "1", "repository": "acme/app",
            "server_url": "https://git.example", "event_name": self.event,
        }  # fmt: skip

    def _run(
        self, step: Mapping[str, Any], context: Mapping[str, Any], files: Path, out: Path
    ) -> subprocess.CompletedProcess[str]:
        assert "${{" not in step["run"], "no input is ever the text of a script"
        (files / "event.json").write_text(json.dumps({"pull_request": {"number": 7}}))
        own = {name: filled(str(value), context) for name, value in step.get("env", {}).items()}
        environment = {
            **clean_environment(files), "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(out),
            "GITHUB_STEP_SUMMARY": str(files / "summary.md"), "GITHUB_REPOSITORY": "acme/app",
            "GITHUB_EVENT_PATH": str(files / "event.json"), "GITHUB_API_URL": self.comments.url,
            **own,
        }  # fmt: skip
        (files / "step.sh").write_text(step["run"])
        return subprocess.run(
            [*BASH, str(files / "step.sh")],
            cwd=self.workspace,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _uses(self, step: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        what = step["uses"].partition("@")[0]
        given = {name: filled(str(v), context) for name, v in step.get("with", {}).items()}
        if what == "actions/cache/restore":
            self._restore(given)
        elif what == "actions/cache/save":
            source = self.workspace / given["path"]
            if source.is_file():
                shutil.copyfile(source, self.caches / slug(given["key"]))
        else:
            assert what in ("actions/checkout", "actions/setup-python"), what

    def _restore(self, given: Mapping[str, str]) -> None:
        kept = sorted(self.caches.glob("cache-*"), key=lambda path: -path.stat().st_mtime_ns)
        for prefix in [given["key"], *given["restore-keys"].split("\n")]:
            for path in kept:
                if prefix.strip() and path.name.startswith(slug(prefix.strip())):
                    target = self.workspace / given["path"]
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
                    return


def slug(key: str) -> str:
    """Return a file's name for a cache key; prefixes stay prefixes."""
    return "cache-" + re.sub(r"[^\w-]", "_", key)


def yaml(path: Path) -> Any:
    """Read YAML."""
    from yaml import safe_load

    return safe_load(path.read_text(encoding="utf-8"))


def filled(text: str, context: Mapping[str, Any]) -> str:
    """Return text with its expressions replaced."""

    def value(found: re.Match[str]) -> str:
        here: Any = context
        for step in found[1].split("."):
            here = here.get(step, "") if isinstance(here, Mapping) else ""
        return str(here)

    return EXPRESSION.sub(value, text)


def chosen(condition: str, context: Mapping[str, Any], *, ok: bool) -> bool:
    """Say whether a step runs: terms joined by &&, and no failure before unless always()."""
    terms = [term.strip() for term in condition.split("&&") if term.strip()]
    if "always()" in terms:
        terms.remove("always()")
    elif not ok:
        return False
    for term in terms:
        found = TERM.fullmatch(term)
        assert found, f"a condition that this runner cannot read: {term}"
        same = filled("${{ " + found[1] + " }}", context) == found[3]
        if same != (found[2] == "=="):
            return False
    return True


def clean_environment(files: Path) -> dict[str, str]:
    """Return an environment with the harness as a command, and nothing of the CI we run in."""
    shims = files / "bin"
    shims.mkdir(exist_ok=True)
    for name, module in (("harness", "-m harness"), ("pip", "-c 'pass'")):
        (shims / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
        (shims / name).chmod(0o755)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GITHUB_", "CI_", "GITLAB_", "HARNESS_", "PYTEST_"))
    }
    path = f"{shims}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "120"}
