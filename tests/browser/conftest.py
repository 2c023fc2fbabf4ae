"""A report on disk, and a browser that opens it; skipped where there is no browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "report"))


CONTROLS = """() => [...document.querySelectorAll(
  "a[href], button, input, select, summary, [tabindex='0']")]
  .filter((e) => e.checkVisibility() && !e.closest("#list") && e.tabIndex >= 0 && !e.disabled)"""
STOP = """() => {
  const at = document.activeElement;
  at.dataset.tabbed = "yes";
  const style = at === document.body ? "page" : getComputedStyle(at).outlineStyle;
  return [style, at.outerHTML.slice(0, 80)];
}"""


@dataclass
class Opened:
    """A page, what it said on its console, and what it asked of the network."""

    page: Any
    index: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def go(self, address: str = "") -> Any:
        """Open an address of the report afresh and wait until it has settled."""
        self.page.goto("about:blank")
        self.page.goto(self.index + address)
        self.settled()
        return self.page

    def settled(self) -> None:
        """Wait until the page has answered to its address."""
        hash_now = json.dumps(self.page.evaluate("location.hash"))
        self.page.locator(f"html[data-settled={hash_now}]").wait_for(state="attached")

    def search(self, text: str) -> None:
        """Type into the search and wait until it has looked through everything."""
        self.page.keyboard.press("/")
        self.page.keyboard.type(text)
        self.page.wait_for_url("**q=**")
        self.settled()
        self.page.locator("#samples:not([data-searching])").wait_for()

    def tabbed(self) -> tuple[list[str], list[str]]:
        """Press Tab through the page; return controls it missed, and stops without an outline."""
        count = self.page.evaluate(f"({CONTROLS})().length")
        bare = []
        for _ in range(count + 2):
            self.page.keyboard.press("Tab")
            style, shown = self.page.evaluate(STOP)
            if style == "none":
                bare.append(shown)
        missed = f"({CONTROLS})().filter((e) => !e.dataset.tabbed)"
        return self.page.evaluate(f"{missed}.map((e) => e.outerHTML.slice(0, 80))"), bare

    def rows(self) -> list[str]:
        """Return the texts of the list that are drawn."""
        return self.page.locator("#rows .row").all_inner_texts()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless chromium; ended with the module, for its event loop lives in this thread."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("HARNESS_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on this machine")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Path:
    """A report of three runs, one of them hostile, as one file."""
    from made_runs import Recipe, make_run

    from harness.cli.report import write_report

    root = tmp_path_factory.mktemp("made")
    reason = "gives no log-likelihoods, which method rank needs"
    recipes = (
        Recipe("embedded/mini", 0.75, "20260101T000000Z", per_cell=6),
        Recipe("embedded/micro", 0.5, "20260101T000100Z", per_cell=6),
        Recipe(
            "strange/<b>name</b>",
            0.3,
            "20260101T000200Z",
            tasks=("arithmetic/addition", "hostile/echo"),
            per_cell=6,
            skipped={"winograd/en": reason},
        ),
    )
    return write_report([make_run(root, recipe) for recipe in recipes], root / "report")


@pytest.fixture
def opened(open_page, report) -> Opened:
    """The report, opened from disk in a fresh profile; ends without a word on its console."""
    return open_page(report)


@pytest.fixture
def open_page(chromium) -> Iterator[Callable[..., Opened]]:
    """Open pages, each in a fresh profile; at the end none has said or asked anything."""
    with ExitStack() as stack:

        def opener(index: Path, **options: Any) -> Opened:
            return stack.enter_context(_opened(chromium, index, options))

        yield opener


@contextmanager
def _opened(browser: Any, index: Path, options: dict[str, Any]) -> Iterator[Opened]:
    size = {"width": 1280, "height": 800}
    settings = {"viewport": size, "locale": "en-US", "accept_downloads": True, **options}
    context = browser.new_context(**settings)
    page = context.new_page()
    opened = Opened(page, index.as_uri())
    page.on("console", lambda message: opened.said.append(message.text))
    page.on("pageerror", lambda error: opened.said.append(str(error)))
    page.on("request", lambda request: opened.asked.append(request.url))
    yield opened
    context.close()
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("file:", "blob:", "about:"))] == []


@pytest.fixture(scope="session")
def comparison(tmp_path_factory) -> Path:
    """The page of two runs compared, one of them hostile."""
    from made_runs import Recipe, make_run

    from harness.cli.compare_page import write_compare
    from harness.compare import compare

    root = tmp_path_factory.mktemp("compared")
    tasks = ("arithmetic/addition", "qa/en", "hostile/echo")
    recipes = (
        Recipe("embedded/mini", 0.75, "20260101T000000Z", tasks=tasks, per_cell=4),
        Recipe("strange/<b>name</b>", 0.4, "20260101T000100Z", tasks=tasks, per_cell=4),
    )
    runs = [make_run(root / "runs", recipe) for recipe in recipes]
    return write_compare(compare(runs), runs, root / "out")


@pytest.fixture(scope="session")
def several(tmp_path_factory) -> Path:
    """The page of three runs compared with a fourth, where every hostile answer flipped."""
    from made_runs import Recipe, make_run

    from harness.cli.compare_page import write_compare
    from harness.compare import compare

    root = tmp_path_factory.mktemp("several")
    tasks = ("arithmetic/addition", "qa/en", "winograd/en", "hostile/flips")
    models = (("embedded/mini", 0.8), ("a/b", 0.4), ("c/d", 0.85), ("e/f", 0.2))
    runs = [
        make_run(root / "runs", Recipe(model, skill, f"2026010{place}T000000Z", tasks, per_cell=4))
        for place, (model, skill) in enumerate(models)
    ]
    return write_compare(compare(runs), runs, root / "out")


@pytest.fixture(scope="session")
def axe(tmp_path_factory) -> str:
    """The axe-core script, fetched by npm into a folder that goes away."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm to fetch axe-core with")
    folder = tmp_path_factory.mktemp("axe")
    arguments = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "axe-core@4"]
    try:
        done = subprocess.run(arguments, cwd=folder, capture_output=True, timeout=90, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not answer in time")
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if done.returncode or not script.is_file():
        pytest.skip("npm could not install axe-core")
    return script.read_text(encoding="utf-8")
