"""The compare page and the accessibility of every view, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent
CONTRAST = (SCRIPTS / "contrast.js").read_text(encoding="utf-8")
NAMELESS = (SCRIPTS / "nameless.js").read_text(encoding="utf-8")
pytestmark = pytest.mark.browser

VIEWS = (
    "#view=board",
    "#view=board&group=efficiency",
    "#view=task&task=arithmetic%2Faddition",
    "#view=task&task=qa%2Fen",
    "#view=run",
    "#view=about",
)
COMPARED = ("#view=compare",)
RUN_AXE = (SCRIPTS / "run_axe.js").read_text(encoding="utf-8")


def test_it_opens_on_the_comparison(open_page, comparison):
    """The first screen has the sentence and a verdict a task; the page does not scroll sideways."""
    opened = open_page(comparison)
    page = opened.go()
    assert "comparisons" in page.locator(".story:visible").first.inner_text()
    assert page.locator(".verdict:visible").count() == 5
    assert page.title().startswith("strange/<b>name</b> against embedded/mini")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    table = page.locator(".versus").first
    assert table.evaluate("e => e.scrollWidth <= e.parentElement.clientWidth")


def test_flips_are_filtered_by_direction(open_page, comparison):
    """A direction shows its samples alone, and stands in the address."""
    opened = open_page(comparison)
    page = opened.go()
    shown = page.locator(".flip:visible")
    everything = shown.count()
    page.get_by_role("button", name="lost").click()
    opened.settled()
    assert "dir=lost" in page.url
    lost = shown.count()
    page = opened.go("#view=compare&dir=gained")
    assert 0 < shown.count() == everything - lost
    page.get_by_role("button", name="all").click()
    opened.settled()
    assert shown.count() == everything


def test_a_flip_leads_to_both_samples_and_back(open_page, comparison):
    """Each side of a flipped sample is a link to that sample in its run; the trail leads back."""
    opened = open_page(comparison)
    page = opened.go()
    page.locator(".flip a").first.click()
    opened.settled()
    assert page.locator("#detail dt").count() > 3
    assert "s=" in page.url
    page.locator("#trail a").first.click()
    opened.settled()
    assert page.locator(".verdict:visible").count() == 5
    page.get_by_role("link", name="Board", exact=True).first.click()
    opened.settled()
    assert page.locator("table.board:visible").count() == 1


def test_several_runs_have_a_table_of_all(open_page, several):
    """Three runs against a fourth: each task once with three verdicts, each leading to samples."""
    opened = open_page(several)
    page = opened.go()
    assert page.locator("h1:visible").inner_text() == "a/b, c/d and e/f against embedded/mini"
    matrix = page.locator(".matrix")
    assert matrix.locator("tbody tr").count() == 6
    assert matrix.locator("td.call").count() == 18
    matrix.locator("tbody tr", has_text="hostile/flips").locator("td a").first.click()
    opened.settled()
    assert page.locator("#rows .row").count() == 10
    assert "diff=" in page.url


def test_lines_are_filtered_by_verdict_and_flips_by_task(open_page, several, comparison):
    """A verdict shows its lines, a task its flipped samples; both stand in the address."""
    opened = open_page(several)
    page = opened.go("#view=compare&place=hostile%2Fflips&dir=lost")
    first = page.locator(".flips").first
    assert first.locator(".flip:visible").count() == 10
    assert first.locator(".by-place").input_value() == "hostile/flips"
    first.locator(".by-place").select_option("qa/en")
    opened.settled()
    assert "place=qa%2Fen" in page.url
    assert first.locator(".flip:visible").count() > 0
    page = opened.go("#view=compare&kind=regressed")
    kinds = page.locator(".versus tbody tr:visible").evaluate_all("e => e.map(r => r.dataset.kind)")
    assert set(kinds) == {"regressed"}
    page = opened.go("#view=compare&place=nothing")
    assert page.locator(".flips .none:visible").count() > 0


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_answers_side_by_side(open_page, several, width):
    """Scripts, handlers, bidi controls, emoji and a megabyte are text on both sides of a flip."""
    opened = open_page(several, viewport={"width": width, "height": 800})
    page = opened.go("#view=compare&place=hostile%2Fflips")
    assert page.evaluate("window.pwned") is None
    assert page.locator(".flip :is(img, script, svg, b)").count() == 0
    text = page.locator(".flips").first.inner_text()
    assert "U+202E" in text
    assert "👩‍👩‍👧‍👦 🇨🇳" in text
    assert "<script>window.pwned=1" in text
    assert page.locator(".flip:visible ins").first.inner_text().endswith("or so")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_control_is_reached_by_tab(open_page, comparison):
    """The tab key stops at every link, button and menu of the page, and each shows it."""
    opened = open_page(comparison)
    opened.go()
    missed, bare = opened.tabbed()
    assert missed == []
    assert bare == []


def test_hostile_names_and_answers_are_only_text(open_page, comparison):
    """Nothing that a model or a run says becomes an element of the compare page."""
    page = open_page(comparison).go()
    assert page.evaluate("window.pwned") is None
    assert page.locator('[data-view="compare"] b, .flip img, .flip script').count() == 0


def test_it_fits_a_phone(open_page, comparison):
    """At 390 pixels the page does not scroll sideways; the wide table does, in its own frame."""
    page = open_page(comparison, viewport={"width": 390, "height": 844}).go()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_text_has_enough_contrast(open_page, comparison, scheme):
    """Every text has a contrast of at least 4.5:1 in both themes, every control a name."""
    page = open_page(comparison, color_scheme=scheme).go()
    for fold in page.locator(".view.on details > summary").all():
        fold.click()
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(NAMELESS) == []


def test_other_rankings_are_behind_a_fold(open_page, report):
    """Borda points, coverage and places without one task open on demand, with their measure."""
    opened = open_page(report)
    page = opened.go()
    fold = page.locator(".vfold:visible")
    assert fold.count() == 1
    assert not fold.locator("table").is_visible()
    fold.locator("summary").click()
    assert "Borda points" in fold.inner_text()
    assert "3/4" in fold.inner_text() or "3/3" in fold.inner_text()
    page = opened.go("#view=board&group=robustness&measure=mean_drop")
    assert page.locator(".vfold:visible").get_attribute("data-measure") == "mean_drop"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(chromium, report, comparison, several, axe, scheme):
    """axe-core finds no breach of WCAG 2.2 AA on any view, folds open."""
    context = chromium.new_context(bypass_csp=True, color_scheme=scheme, locale="en-US")
    page = context.new_page()
    found = {}
    for index, views in ((report, VIEWS), (comparison, COMPARED), (several, COMPARED)):
        for view in views:
            page.goto("about:blank")
            page.goto(index.as_uri() + view)
            page.locator(f'html[data-settled="{view}"]').wait_for(state="attached")
            for fold in page.locator(".view.on details.more > summary").all():
                if fold.is_visible():
                    fold.click()
            page.evaluate(axe)
            if breaches := page.evaluate(RUN_AXE):
                found[view] = breaches
    context.close()
    assert found == {}
