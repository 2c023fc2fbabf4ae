"""The judges' and the cost page in a browser, a judged sample, and samples compared across runs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent
CONTRAST = (SCRIPTS / "contrast.js").read_text(encoding="utf-8")
NAMELESS = (SCRIPTS / "nameless.js").read_text(encoding="utf-8")
PAGES = ("#view=judges", "#view=cost", "#view=about", "#view=run&task=free%2Fshort")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def judged(tmp_path_factory) -> Path:
    """A report of two judged, labelled and corrected runs."""
    from judged_runs import judged_run

    from harness.cli.report import write_report

    root = tmp_path_factory.mktemp("judged")
    runs = [judged_run(root / "runs", f"p/{name}", labels=150) for name in ("one", "two")]
    return write_report(runs, root / "report")


@pytest.fixture
def opened(open_page, judged):
    """That report, opened from disk; ends without a word on its console."""
    return open_page(judged)


def test_the_pages_are_one_click_away_and_named_in_the_address(opened):
    """From any page to judges and cost, with a trail back and a title."""
    page = opened.go()
    for name, view in (("Judges", "judges"), ("Cost", "cost"), ("Reproduce", "about")):
        page.locator(".tools a", has_text=name).click()
        opened.settled()
        assert page.url.endswith(f"#view={view}")
        assert page.locator(".view.on").count() == 1
        assert page.title().split(" - ")[0] == page.locator("h1:visible").inner_text()
    page.locator("#trail a").first.click()
    opened.settled()
    assert page.locator("#board-title").is_visible()


def test_the_judges_page_answers_on_its_first_screen(opened):
    """A sentence with counts, then the mark of unreliability, raw and corrected scores."""
    page = opened.go("#view=judges")
    shown = page.locator(".view.on")
    story = shown.locator(".story").inner_text()
    assert "verdicts" in story
    assert "by PPI++" in story
    assert "unreliable" in shown.locator("p.bad").first.inner_text().lower()
    assert shown.locator("svg.chart").count() == 1
    assert "raw:" in shown.locator("svg.chart").get_attribute("aria-label")
    assert shown.locator("th", has_text="worth labels").count() == 2


def test_a_disputed_sample_is_one_click_away(opened):
    """From the disagreements to the sample, with verdict, reasons and the person's label."""
    page = opened.go("#view=judges")
    page.locator(".view.on summary", has_text="Where label and judge differ").click()
    page.locator(".view.on details[open] tbody a").first.click()
    opened.settled()
    detail = page.locator("#detail")
    told = dict(
        zip(
            detail.locator("dl.turns > div > dt").all_inner_texts(),
            detail.locator("dl.turns > div > dd").all_inner_texts(),
            strict=True,
        )
    )
    assert "p/judge" in told["judge"]
    assert "VERDICT:" in told["judge"]
    assert detail.locator(".verdict pre").is_visible()
    assert told["label"] in ("0", "1")


def test_samples_without_a_verdict_say_why(opened):
    """The list of missing verdicts has reasons and counts, and leads to the samples."""
    page = opened.go("#view=judges")
    page.locator(".view.on summary", has_text="Samples without a verdict").click()
    fold = page.locator(".view.on details[open]")
    assert "no verdict is announced" in fold.locator("table").first.inner_text()
    fold.locator("table").last.locator("a").first.click()
    opened.settled()
    assert "no verdict: no verdict is announced" in page.locator("#detail .verdict").inner_text()
    assert "Hard to say." in page.locator("#detail .verdict pre").inner_text()


def test_the_count_of_missing_verdicts_leads_to_them(opened):
    """The failed samples of that task, and nothing else, are listed."""
    page = opened.go("#view=judges")
    link = page.locator(".view.on table td a[href*='show=failed']").first
    count = int(link.inner_text())
    link.click()
    opened.settled()
    assert page.locator("#found").inner_text().startswith(f"{count} of")


def test_the_cost_page_has_its_table_and_frontier(opened):
    """One row a model and their sum; charts with the frontier; each task in a fold."""
    page = opened.go("#view=cost")
    shown = page.locator(".view.on")
    assert shown.locator("table").first.locator("tbody tr").count() == 2
    assert shown.locator("tfoot").first.is_visible()
    assert shown.locator("svg.chart").count() >= 1
    shown.locator("summary").first.click()
    assert shown.locator("details[open] tbody tr").count() == 2


def test_samples_that_differ_between_runs(opened):
    """Only samples whose outcome is another in the other run; the address keeps the choice."""
    page = opened.go("#view=run&task=qa%2Fen")
    everything = int(page.locator("#found").inner_text().split()[0])
    page.locator("#by-other").select_option("any")
    opened.settled()
    assert "diff=any" in page.url
    shown = int(page.locator("#found").inner_text().split()[0])
    assert 0 < shown < everything
    others = page.locator("#detail dt", has_text="other runs")
    others.wait_for()
    told = page.locator("#detail dl.turns > div").last
    assert told.locator("b").count() == 1
    told.locator("a").click()
    opened.settled()
    assert page.locator("h1:visible").inner_text() == "p/two"
    page = opened.go("#view=run&task=qa%2Fen&diff=" + _other_run(page))
    assert page.locator("#by-other").input_value() != "any"
    assert int(page.locator("#found").inner_text().split()[0]) == shown


def _other_run(page) -> str:
    names = page.locator('.view[data-view="run"]').evaluate_all("a => a.map(e => e.dataset.run)")
    return names[1]


def test_what_differs_can_be_exported(opened):
    """The export holds what the list shows, with the judge's verdicts and the label."""
    page = opened.go("#view=run&task=free%2Fshort&diff=any")
    shown = int(page.locator("#found").inner_text().split()[0])
    with page.expect_download() as download:
        page.locator("#jsonl").click()
    lines = [json.loads(line) for line in download.value.path().read_text("utf-8").splitlines()]
    assert len(lines) == shown
    assert any("verdicts" in line for line in lines)
    with page.expect_download() as download:
        page.locator("#csv").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert len(rows) == shown
    assert {row["verdict"] for row in rows} <= {"correct", "incorrect", "unsure", ""}, rows[0]
    assert any(row["verdict"] and row["reason"] for row in rows)


def test_texts_that_have_little_in_common_are_not_marked(opened):
    """A difference by character helps only where most of the text is the same."""
    page = opened.go("#view=run&task=free%2Fshort&show=wrong")
    assert page.evaluate("document.querySelectorAll('#detail .diff ins').length") < 12


def test_both_languages(opened):
    """Titles, tables and the charts' text alternatives turn Chinese."""
    page = opened.go("#view=judges")
    page.locator("#lang").click()
    assert page.locator("h1:visible").inner_text() == "评审"
    assert "原始" in page.locator(".view.on svg.chart").get_attribute("aria-label")
    assert "相当于标签" in page.locator(".view.on").inner_text()
    page = opened.go("#view=cost")
    assert page.locator("h1:visible").inner_text() == "开销"


@pytest.mark.parametrize("address", PAGES)
def test_no_page_is_wider_than_a_phone(open_page, judged, address):
    """Tables scroll within themselves; charts fit."""
    opened = open_page(judged, has_touch=True)
    opened.page.set_viewport_size({"width": 390, "height": 844})
    page = opened.go(address)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    widths = page.locator(".view.on svg.chart").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().width)"
    )
    assert all(width <= 358 for width in widths)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", PAGES)
def test_text_has_enough_contrast(open_page, judged, scheme, address):
    """4.5:1 at least, with every fold open."""
    page = open_page(judged, color_scheme=scheme).go(address)
    page.evaluate("document.querySelectorAll('.view.on details').forEach(d => { d.open = true; })")
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("address", PAGES)
def test_everything_has_a_name(opened, address):
    """Every control and region of these pages is named."""
    assert opened.go(address).evaluate(NAMELESS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", PAGES)
def test_axe_finds_nothing(open_page, judged, axe, address, scheme):
    """axe-core, WCAG 2.2 A and AA and best practices."""
    opened = open_page(judged, color_scheme=scheme, bypass_csp=True)
    page = opened.go(address)
    page.evaluate("document.querySelectorAll('.view.on details').forEach(d => { d.open = true; })")
    page.evaluate(axe)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
    told = [(one["id"], [node["html"][:120] for node in one["nodes"]][:3])
            for one in found["violations"]]  # fmt: skip
    assert told == []


def test_on_paper_nothing_is_cut_off(opened):
    """Tables do not scroll on paper, so they must not hide what lies beyond an edge."""
    for address in ("#view=judges", "#view=cost"):
        page = opened.go(address)
        page.emulate_media(media="print")
        hidden = page.locator(".view.on .scroll").evaluate_all(
            "all => all.filter(e => getComputedStyle(e).overflowX !== 'visible').length"
        )
        assert hidden == 0


def test_hostile_questions_do_nothing(opened):
    """The made questions hold a script: it stays text on every page."""
    for address in PAGES:
        page = opened.go(address)
        assert page.evaluate("window.pwned") is None
    assert "pwned" not in page.title()
