"""Names that hide or never end, addresses that name nothing, arms, narrow screens, paper."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

LONG = "x" * 300
HIDING = "rtl/\u202elive"
SEEN = "U+202E"
FITS = "document.documentElement.scrollWidth <= innerWidth"
HIDDEN = r"""() => {
  const bad = /[\u200b\u202a-\u202e\u2066-\u2069]/;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (parentElement.tagName !== "SCRIPT" && bad.test(data)) found.push(data);
  }
  for (const node of document.querySelectorAll("[aria-label]")) {
    if (bad.test(node.ariaLabel)) found.push(node.ariaLabel);
  }
  return found;
}"""


@pytest.fixture(scope="session")
def named(tmp_path_factory) -> Path:
    """A report of two models, one whose name hides a character, one of 300; so is the task."""
    from test_board import cell
    from test_report_blocks import row
    from test_report_pages import report_of, run_data

    from harness.report.model import TaskText
    from harness.report.pages import write_pages

    task = f"\u202e{LONG}/{LONG}"
    cells = (
        cell(task, 0.7),
        *(cell(task, 0.2 * place, slice=f"digits={place}") for place in (1, 2, 3)),
        *(cell(task, 0.2, slice=f"{LONG}={place}") for place in (LONG, "\u202ey")),
        cell(task, 0.6, arm=f"\u202e{LONG}"),
        cell(task, 0.6, variant="typos"),
        cell(task, 2.0, metric="latency_s", group="efficiency", higher_is_better=False),
    )
    rows = [
        row(task=task, sample_id=f"{LONG}{place}", output="1", answer="1", target=["1"],
            scores=[("exact_match", 1.0)], prompt_tokens=9, completion_tokens=4)
        for place in range(3)
    ]  # fmt: skip
    manifest = {"tasks": {task: {"data": "dd"}}, "reason": LONG, "status": "partial"}
    runs = [
        run_data(f"run-{place}-{LONG}", model, cells=cells, rows=rows, manifest=manifest)
        for place, model in enumerate((HIDING, f"long/{LONG}"))
    ]
    texts = {task: TaskText(task, f"\u202e{LONG}", LONG, "en", "generate", (LONG,))}
    return write_pages(report_of(*runs, texts=texts), tmp_path_factory.mktemp("named"))


@pytest.fixture(scope="session")
def armed(tmp_path_factory) -> Path:
    """A report of one run whose task has two arms, and an id with capitals."""
    from test_board import cell
    from test_report_blocks import row
    from test_report_pages import report_of, run_data

    from harness.report.pages import write_pages

    cells = [
        cell("a/x", value, arm=arm, slice=part)
        for arm, value in (("default", 0.5), ("shots-4", 0.8))
        for part in (None, "kind=a", "kind=b")
    ]
    rows = [
        row(task="a/x", sample_id=f"Q{place}", arm=arm, output="1", answer="1", target=["1"],
            scores=[("exact_match", 1.0)], slices=[("kind", "ab"[place % 2])])
        for arm in ("default", "shots-4")
        for place in range(4)
    ]  # fmt: skip
    data = report_of(run_data(cells=tuple(cells), rows=rows))
    return write_pages(data, tmp_path_factory.mktemp("armed"))


def views(page) -> list[str]:
    """Return the address of every view of the page."""
    return page.evaluate("""() => [...document.querySelectorAll(".view")]
      .map((node) => "#" + new URLSearchParams({ ...node.dataset }))""")


def test_no_name_hides_a_character(open_page, named):
    """On every view, in titles, sentences, charts and labels, what is hidden is spelt out."""
    opened = open_page(named)
    for view in views(opened.go()):
        page = opened.go(view)
        assert page.evaluate(HIDDEN) == [], view
        assert SEEN in page.locator("main").inner_text()
        assert "\u202e" not in page.title()
    page = opened.go()
    assert SEEN in page.locator(".story").first.inner_text()
    assert page.locator(".panel:visible .board tbody th", has_text=f"{SEEN}live").count() == 1


def test_a_hidden_name_still_leads_to_its_pages(open_page, named):
    """The links and filters of a name that hides something go on working."""
    page = open_page(named).go()
    page.locator(".menu summary", has_text="model").click()
    page.locator(".menu label", has_text=f"{SEEN}live").locator("input").check()
    assert page.locator(".panel:visible table.board tbody tr:visible").count() == 1
    page.locator(".panel:visible th.task a").first.click()
    page.locator('.view.on[data-view="task"]').wait_for()


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_long_names_do_not_widen_the_page(open_page, named, width):
    """Three hundred letters without a space: no view scrolls sideways, menus and folds open."""
    opened = open_page(named, viewport={"width": width, "height": 800})
    for view in views(opened.go()):
        page = opened.go(view)
        for fold in page.locator(".view.on details.more > summary").all():
            if fold.is_visible():
                fold.click()
        assert page.evaluate(FITS), view


@pytest.mark.parametrize("width", [900, 390, 320])
def test_menus_and_charts_fit_narrow_screens(open_page, report, width):
    """Every filter menu opens within the screen, and charts scroll in frames of their own."""
    opened = open_page(report, viewport={"width": width, "height": 800})
    page = opened.go()
    for menu in page.locator(".menu summary").all():
        menu.click()
        assert page.evaluate(FITS)
        box = page.locator(".menu[open] .choices").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        menu.click()
    page = opened.go("#view=cost")
    assert page.locator(".charts figure svg").count() > 0
    assert page.evaluate(FITS)
    names = page.locator(".charts .scroll[tabindex='0']").evaluate_all(
        "e => e.map(n => n.ariaLabel)"
    )
    assert len(set(names)) == page.locator(".charts figure").count()


@pytest.mark.parametrize(
    ("address", "name"),
    [("#view=task&task=nope", "nope"), ("#view=run&run=gone", "gone"), ("#view=odd", "odd")],
)
def test_a_page_that_is_not_there_is_named(open_page, report, address, name):
    """The board appears with a note that names what is missing; the next page has no note."""
    opened = open_page(report)
    page = opened.go(address)
    note = page.locator("#missing[role=status]")
    assert f"no page “{name}”" in note.inner_text()
    assert page.locator("#board-title").is_visible()
    page.locator("#lang").click()
    assert f"没有“{name}”这一页" in note.inner_text()
    page.evaluate("location.hash = '#view=about'")
    opened.settled()
    assert not note.is_visible()


def test_the_trail_names_only_what_is_there(open_page, report):
    """An unknown task or sample is no step of the trail; a known one is."""
    opened = open_page(report)
    page = opened.go("#view=run&task=nope&show=nope&s=nothing")
    assert page.locator("#trail > *").count() == 2
    assert "nothing" not in page.title()
    page.locator("#rows .row").first.click()
    opened.settled()
    sample = page.locator("#detail .sub").inner_text()
    assert page.locator("#trail > *").all_inner_texts()[-1] == sample
    assert page.title().startswith(sample)


def test_a_copy_that_is_not_there_is_no_other_copy(open_page, report):
    """A sample named with its copy is that one or none; its id alone finds any."""
    opened = open_page(report)
    page = opened.go("#view=run&task=qa%2Fen")
    sample = page.locator("#detail .sub").inner_text()
    page = opened.go(f"#view=run&s={sample[:12]}")
    assert page.locator("#detail .sub").inner_text() == sample
    page = opened.go(f"#view=run&s={sample}&sv=nope")
    assert "not in the report" in page.locator("#detail").inner_text()


def test_an_arm_can_be_chosen(open_page, armed):
    """The address and a menu narrow the list to one arm, and numbers of an arm lead to its own."""
    opened = open_page(armed)
    page = opened.go("#view=run&arm=shots-4")
    assert page.locator("#found").inner_text().startswith("4 of 8")
    assert page.locator("#by-arm").input_value() == "shots-4"
    page.locator("#by-arm").select_option("")
    opened.settled()
    assert page.locator("#found").inner_text().startswith("8 ")
    page = opened.go("#view=task&task=a%2Fx")
    page.locator(".view.on table.by-model a", has_text="0.5").first.click()
    opened.settled()
    assert "arm=default" in page.url
    assert page.locator("#found").inner_text().startswith("2 of 8")
    page = opened.go("#view=run")
    page.locator(".view.on details.slices summary").click()
    page.locator(".view.on details.slices tbody a").last.click()
    opened.settled()
    assert page.locator("#found").inner_text().startswith("2 of 8")


def test_one_arm_needs_no_menu(opened):
    """Where all samples have one arm the list has no menu of arms."""
    assert not opened.go("#view=run").locator("#by-arm").is_visible()


def test_ids_are_found_in_any_case(open_page, armed):
    """The search finds an id with capitals, typed as it is or small."""
    opened = open_page(armed)
    for query in ("Q3", "q3"):
        page = opened.go("#view=run")
        opened.search(query)
        assert page.locator("#found").inner_text().startswith("2 of 8")


def test_changed_space_can_be_seen(open_page, tmp_path):
    """A copy that differs in space alone shows its spaces, tabs and line ends as signs."""
    from test_report_blocks import row
    from test_report_pages import report_of, run_data

    from harness.report.pages import write_pages

    spans = [
        {"start": 1, "end": 3, "original": " "},
        {"start": 4, "end": 5, "original": "\n"},
        {"start": 6, "end": 6, "original": "\t"},
    ]
    rows = [row(task="a/x", sample_id="q", variant="spaces", input="a  b c", output="1",
                spans=spans)]  # fmt: skip
    page = open_page(write_pages(report_of(run_data(rows=rows)), tmp_path)).go("#view=run")
    told = page.locator("#detail div:has(> .was)").all_inner_texts()
    assert told == ["␣ → ␣␣", "↵ → ␣", "⇥ → ∅"]


def test_forced_colours_show_what_is_chosen(open_page, report):
    """In a forced palette only the chosen tab has a line, and a pressed button its outline."""
    page = open_page(report, forced_colors="active").go()
    line = "e => getComputedStyle(e).borderBottomColor"
    chosen = page.locator('[role="tab"][aria-selected="true"]').evaluate(line)
    others = page.locator('[role="tab"][aria-selected="false"]').evaluate_all(
        f"all => all.map({line})"
    )
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert chosen != ground
    assert set(others) == {ground}
    outline = "e => getComputedStyle(e).outlineStyle"
    assert page.locator("#tint[aria-pressed=true]").evaluate(outline) == "solid"


def test_a_comparison_on_paper_is_short(open_page, several):
    """Only the first flipped samples are printed, with a line that says so; the screen has all."""
    page = open_page(several).go()
    everything = page.locator(".flip:visible").count()
    assert everything > 24
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator(".flip:visible").count() <= 21
    notes = page.locator(".paper:visible").all_inner_texts()
    assert notes
    assert all("On paper: the first 7 of" in note for note in notes)
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".flip:visible").count() == everything
    assert page.locator(".paper:visible").count() == 0
