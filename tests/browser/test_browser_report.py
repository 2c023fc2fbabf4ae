"""The report in a browser, opened from disk: every view, every control, every hostile text."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent
CONTRAST = (SCRIPTS / "contrast.js").read_text(encoding="utf-8")
NAMELESS = (SCRIPTS / "nameless.js").read_text(encoding="utf-8")
pytestmark = pytest.mark.browser


def test_board_opens_with_its_sentence_and_numbers(opened):
    """The first screen has the sentence, the table, and no sideways scrolling of the page."""
    page = opened.go()
    assert "mean win rate" in page.locator(".story").first.inner_text()
    assert page.locator(".panel:visible table.board tbody tr").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.title().startswith("Board")


def test_a_number_leads_to_its_samples_and_back(opened):
    """Board → run → sample, one click each, and the trail leads back."""
    page = opened.go()
    page.locator(".panel:visible td[data-key='0'] a.v").first.click()
    opened.settled()
    assert "view=run" in page.url
    assert page.locator("#by-task").input_value() == "arithmetic/addition"
    page.locator("#rows .row").nth(3).click()
    opened.settled()
    assert "s=" in page.url
    page.locator("#trail a", has_text="arithmetic/addition").click()
    opened.settled()
    assert page.locator("h1:visible").inner_text() == "Multi-digit addition"
    page.locator("#trail a").first.click()
    opened.settled()
    assert page.locator("#board-title").is_visible()


def test_task_page_shows_its_pictures(opened):
    """Addition has lines and a heat map, Winograd its pairs and calibration, QA its dumbbells."""
    page = opened.go("#view=task&task=arithmetic%2Faddition")
    shown = page.locator(".view.on")
    assert shown.locator(".figure svg.chart").count() == 2
    assert shown.locator("table.heat:not(.steps)").count() == 3
    assert shown.locator("td.edge, td.fall").count() > 0
    assert "exact match by digits" in shown.locator("svg.chart").first.get_attribute("aria-label")
    page = opened.go("#view=task&task=winograd%2Fen")
    assert page.locator(".view.on svg.sb").count() == 2
    assert page.locator(".view.on .panels svg.chart").count() == 2
    page = opened.go("#view=task&task=qa%2Fen")
    assert page.locator(".view.on svg.db").count() == 4
    assert page.locator(".view.on ins").first.inner_text() == "capitla"


def test_a_heat_cell_leads_to_its_slice(opened):
    """A cell of a heat map opens the samples of exactly that slice."""
    page = opened.go("#view=task&task=arithmetic%2Faddition")
    page.locator(".view.on .heats table.heat td a").first.click()
    opened.settled()
    assert page.locator("#by-slice").inner_text().startswith("carries=0, digits=1")
    assert page.locator("#found").inner_text().startswith("6 of")
    page.locator("#by-slice").click()
    opened.settled()
    assert not page.locator("#by-slice").is_visible()


def test_filters_of_the_sample_list(opened):
    """All, wrong, failed, unparsed, right: each shows its own, the counts add up."""
    page = opened.go("#view=run&task=arithmetic%2Faddition")
    counts = {}
    for name in ("all", "wrong", "failed", "unparsed", "right"):
        button = page.locator(f'[data-show="{name}"]')
        counts[name] = int(button.locator(".count").inner_text())
        button.click()
        opened.settled()
        assert page.locator("#found").inner_text().startswith(f"{counts[name]} of")
    assert counts["all"] == sum(counts.values()) - counts["all"]
    assert counts["failed"] + counts["unparsed"] > 0


def test_failures_come_first(opened):
    """The list begins with what failed, then unparsed, then wrong, then right."""
    opened.go("#view=run")
    signs = [row[0] for row in opened.rows()]
    order = "⚠?✗~·✓"
    assert [order.index(sign) for sign in signs] == sorted(order.index(sign) for sign in signs)


def test_full_text_search(opened):
    """Search looks through the texts of all samples, prompts included; the address keeps it."""
    page = opened.go("#view=run")
    opened.search("capital of Kenya")
    assert "q=capital+of+Kenya" in page.url
    rows = opened.rows()
    assert rows
    assert all("Kenya" in row for row in rows)
    page = opened.go(page.url.partition("index.html")[2])
    assert page.locator("#search").input_value() == "capital of Kenya"


def test_permalink_opens_one_sample(opened):
    """An address with only a sample's id opens that sample."""
    page = opened.go("#view=run&task=qa%2Fen")
    page.locator("#rows .row").nth(2).click()
    opened.settled()
    wanted = page.locator("#detail .sub").inner_text()
    page = opened.go(f"#s={wanted}")
    assert page.locator("#detail .sub").inner_text() == wanted
    page = opened.go("#view=run&s=nothing")
    assert "not in the report" in page.locator("#detail").inner_text()


def test_variants_have_addresses_of_their_own(opened):
    """A perturbed copy is another sample than its original, and shows what was changed."""
    page = opened.go("#view=run&task=qa%2Fen&variant=typos")
    page.locator("#rows .row").first.click()
    opened.settled()
    assert "sv=typos" in page.url
    assert page.locator("#detail ins").first.inner_text() == "capitla"
    assert "capital →" in page.locator("#detail").inner_text()


def test_keyboard_walks_the_list(opened):
    """The keys j and k move; the arrow keys too when the list has the focus; the detail follows."""
    page = opened.go("#view=run")
    first = page.locator("#detail .sub").inner_text()
    page.keyboard.press("j")
    opened.settled()
    second = page.locator("#detail .sub").inner_text()
    assert first != second
    page.keyboard.press("k")
    opened.settled()
    assert page.locator("#detail .sub").inner_text() == first
    page.locator("#list").focus()
    page.keyboard.press("End")
    opened.settled()
    assert page.locator('.row[aria-selected="true"]').is_visible()


def test_detail_tells_the_whole_story(opened):
    """Sent, came, read as, wanted, scores and usage; the difference is marked by character."""
    page = opened.go("#view=run&task=arithmetic%2Faddition&show=wrong")
    page.locator("#rows .row").first.click()
    opened.settled()
    labels = page.locator("#detail dt").all_inner_texts()
    assert labels[:4] == ["sent", "came", "read as", "wanted"]
    assert page.locator("#detail .diff ins").count() + page.locator("#detail .diff del").count() > 0
    assert "rule: last number" in page.locator("#detail").inner_text()
    assert "tokens" in page.locator("#detail").inner_text()


def test_choices_show_their_log_likelihoods(opened):
    """A ranked sample lists its options with log-likelihoods, the chosen and the right one."""
    page = opened.go("#view=run&task=winograd%2Fen")
    page.locator("#rows .row").first.click()
    opened.settled()
    table = page.locator("#detail table")
    assert "-4.000" in table.inner_text()
    assert "chosen" in table.inner_text()
    assert "right" in table.inner_text()


def test_reasoning_is_folded(opened):
    """A model's thinking is there, closed until asked for."""
    page = opened.go("#view=run&task=qa%2Fen&q=let+me+think")
    page.locator("#samples:not([data-searching])").wait_for()
    page.locator("#rows .row").first.click()
    opened.settled()
    thought = page.locator("#detail details.thought")
    assert not thought.locator("pre").first.is_visible()
    thought.locator("summary").click()
    assert "it is a city" in thought.inner_text()


def test_rerun_command_names_the_sample(opened):
    """The copied command runs this very sample again."""
    page = opened.go("#view=run&task=qa%2Fen")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy rerun command").click()
    page.locator("#live", has_text="Copied").wait_for(state="attached")
    copied = page.evaluate("navigator.clipboard.readText()")
    sample = page.locator("#detail .sub").inner_text()
    assert copied == f"harness run qa/en --model embedded/mini --sample {sample}"


def test_export_follows_the_filter(opened):
    """CSV and JSONL hold what the list shows; no cell starts a formula."""
    page = opened.go("#view=run&task=hostile%2Fecho&run=" + _run_of(opened, "strange"))
    with page.expect_download() as download:
        page.locator("#csv").click()
    text = download.value.path().read_text("utf-8")
    csv.field_size_limit(2_000_000)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 10
    assert '\'=HYPERLINK("http://evil")' in [row["answer"] for row in rows]
    assert all(row["output"] or row["error"] for row in rows)
    with page.expect_download() as download:
        page.locator("#jsonl").click()
    lines = [json.loads(line) for line in download.value.path().read_text("utf-8").splitlines()]
    assert {line["task"] for line in lines} == {"hostile/echo"}


def _run_of(opened, part: str) -> str:
    page = opened.page
    page.goto(opened.index)
    names = page.locator('[data-view="run"]').evaluate_all("all => all.map(e => e.dataset.run)")
    return next(name for name in names if part in name)


def test_hostile_outputs_do_nothing(opened):
    """Script, handlers, closing tags, bidi, nulls and a line of a megabyte are only text."""
    run = _run_of(opened, "strange")
    page = opened.go(f"#view=run&run={run}&task=hostile%2Fecho")
    for place in range(page.locator("#rows .row").count()):
        page.locator("#rows .row").nth(place).click()
        opened.settled()
        assert page.locator("#detail dt").count() > 3
    assert page.evaluate("window.pwned") is None
    assert page.locator("#detail script, #detail img, #detail svg, h1 b").count() == 0
    assert page.locator("h1:visible").inner_text() == "strange/<b>name</b>"
    assert "pwned" not in page.title()


def test_hidden_characters_become_visible(opened):
    """Bidi controls and nulls stand as code points, so that nothing hides in an answer."""
    run = _run_of(opened, "strange")
    page = opened.go(f"#view=run&run={run}&task=hostile%2Fecho")
    text = page.locator("#rows").inner_text()
    assert "U+202E" in text
    assert "U+0000" in text


def test_a_long_answer_opens_on_demand(opened):
    """Of a megabyte only the start is drawn until someone asks for the rest."""
    run = _run_of(opened, "strange")
    page = opened.go(f"#view=run&run={run}&task=hostile%2Fecho")
    page.locator("#rows .row", has_text="xxxxxxxx").click()
    opened.settled()
    button = page.get_by_role("button", name="Show all 1,000,000 characters").first
    button.click()
    longest = page.locator("#detail pre").evaluate_all(
        "all => Math.max(...all.map(e => e.textContent.length))"
    )
    assert longest == 1_000_000


def test_language_switch(opened):
    """The interface turns Chinese and back, without loading anything, and is remembered."""
    page = opened.go()
    page.locator("#lang").click()
    assert page.locator("#board-title").inner_text().startswith("榜单")
    assert page.evaluate("document.documentElement.lang") == "zh"
    page = opened.go("#view=run")
    assert page.locator("#samples-title").inner_text().startswith("样本")
    assert "搜索" in page.locator("#search").get_attribute("placeholder")
    page.locator("#lang").click()
    assert page.locator("#samples-title").inner_text().startswith("Samples")


def test_dark_by_preference_and_by_switch(open_page, report):
    """Dark follows the system, and the switch goes over it."""
    opened = open_page(report, color_scheme="dark")
    page = opened.go()
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(22, 24, 28)"
    page.locator("#theme").click()
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


def test_tint_can_be_turned_off(opened):
    """Without tint the numbers stand on plain ground."""
    page = opened.go()
    cell = page.locator(".panel:visible td.t7").first
    painted = cell.evaluate("e => getComputedStyle(e).backgroundColor")
    page.locator("#tint").click()
    plain = cell.evaluate("e => getComputedStyle(e).backgroundColor")
    assert painted != plain == "rgba(0, 0, 0, 0)"


def test_phone_width(open_page, report):
    """On a phone no view is wider than the screen, and the detail stands under the list."""
    opened = open_page(report, has_touch=True)
    opened.page.set_viewport_size({"width": 390, "height": 844})
    for address in ("", "#view=task&task=arithmetic%2Faddition", "#view=run", "#view=about"):
        page = opened.go(address)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    page = opened.go("#view=run")
    upper, lower = page.locator("#list").bounding_box(), page.locator("#detail").bounding_box()
    assert lower["y"] >= upper["y"] + upper["height"] - 1


def test_slices_of_a_run_come_when_asked_for(opened):
    """All cells of a run, slices included, are drawn when the fold is opened."""
    page = opened.go("#view=run")
    page.locator(".view.on details.slices summary").click()
    page.wait_for_selector(".view.on details.slices table")
    assert page.locator(".view.on details.slices tbody tr").count() > 20


def test_print_shows_intervals_and_hides_controls(opened):
    """On paper the intervals stand in the cells, the buttons are gone."""
    page = opened.go()
    page.emulate_media(media="print")
    assert page.locator(".panel:visible .ci").first.is_visible()
    assert not page.locator(".tabs").is_visible()


def test_many_samples_lie_beside_the_page(open_page, tmp_path, monkeypatch):
    """Beyond the limit the samples are scripts beside index.html, loaded when wanted."""
    from made_runs import Recipe, make_run

    from harness.cli.report import write_report
    from harness.report import pages

    monkeypatch.setattr(pages, "SELF_CONTAINED", 100)
    run = make_run(tmp_path / "runs", Recipe(tasks=("qa/en", "hostile/echo"), per_cell=30))
    index = write_report([run], tmp_path / "out")
    assert len(list((tmp_path / "out" / "data").glob("*.js"))) > 2
    opened = open_page(index)
    page = opened.go("#view=run")
    assert page.locator("#detail dt").count() > 3
    opened.search("capital of Peru")
    assert opened.rows()
    assert page.evaluate("window.pwned") is None


def test_readable_without_scripts(chromium, report):
    """With scripts off, board and tasks are still there to read."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("table.board").first.is_visible()
    assert page.locator("h1", has_text="Multi-digit addition").is_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(open_page, report, scheme):
    """Every visible text of every view has a contrast of at least 4.5:1 (WCAG 2.2 AA)."""
    opened = open_page(report, color_scheme=scheme)
    for address in ("", "#view=task&task=arithmetic%2Faddition", "#view=run", "#view=about"):
        page = opened.go(address)
        assert page.evaluate(CONTRAST) == [], address


def test_everything_can_be_operated_by_name(opened):
    """Every control on every view has a name, and every table head a scope."""
    for address in ("", "#view=task&task=arithmetic%2Faddition", "#view=run", "#view=about"):
        page = opened.go(address)
        nameless = page.evaluate(NAMELESS)
        assert nameless == [], address
