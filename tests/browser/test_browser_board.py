"""The board in a browser: tabs, sorting, filters and their addresses, what stays in sight."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent
CONTRAST = (SCRIPTS / "contrast.js").read_text(encoding="utf-8")
NAMELESS = (SCRIPTS / "nameless.js").read_text(encoding="utf-8")
RUN_AXE = (SCRIPTS / "run_axe.js").read_text(encoding="utf-8")
pytestmark = pytest.mark.browser

SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
ROWS = ".panel:visible table.board tbody tr:visible"
HEADS = ".panel:visible th.task:visible"


@pytest.fixture(scope="session")
def sized(tmp_path_factory) -> Path:
    """A board of three models of different size, one of them closed, one with no facts."""
    from made_runs import Recipe, make_run

    from harness.cli.report import write_report

    root = tmp_path_factory.mktemp("sized")
    facts = {
        "embedded/mini": {"parameters": 1_500_000},
        "hf/org/large-70b": {"parameters": 70_000_000_000},
        "openai/one": {"weights": "closed"},
    }
    runs = []
    for place, (model, known) in enumerate(facts.items()):
        recipe = Recipe(model, 0.3 + 0.2 * place, f"2026010{place + 1}T000000Z", per_cell=4)
        run = make_run(root / "runs", recipe)
        record = json.loads((run / "run.json").read_text("utf-8"))
        record["model"] = {"name": model, **known}
        (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
        runs.append(run)
    return write_report(runs, root / "out")


@pytest.fixture(scope="session")
def packed(tmp_path_factory) -> Path:
    """The same runs twice over, so large by decree that views wait packed."""
    from made_runs import Recipe, make_run

    from harness.cli.report import write_report
    from harness.report import parts

    root = tmp_path_factory.mktemp("packed")
    recipes = (Recipe(per_cell=2), Recipe("embedded/micro", 0.4, "20260101T000100Z", per_cell=2))
    runs = [make_run(root / "runs", recipe) for recipe in recipes]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "LARGE", 1)
        return write_report(runs, root / "out")


def test_tabs_lead_to_each_group(opened):
    """A tab shows its group, names it in the address, and moves by arrow keys."""
    page = opened.go()
    for name in ("Calibration", "Robustness", "Fairness", "Efficiency"):
        page.get_by_role("tab", name=name).click()
        opened.settled()
        assert page.locator(".panel:visible").count() == 1
        assert f"group={name.lower()}" in page.url
    page.get_by_role("tab", name="Bias").click()
    opened.settled()
    note = page.locator("#panel-bias .nothing")
    assert note.inner_text().startswith("Nothing in these runs")
    for key, name in (("ArrowLeft", "Fairness"), ("End", "Efficiency"), ("Home", "Accuracy")):
        page.keyboard.press(key)
        opened.settled()
        tab = page.get_by_role("tab", name=name)
        assert tab.get_attribute("aria-selected") == "true"
        assert tab.evaluate("e => e === document.activeElement")


def test_measures_of_a_group_change_the_table(opened):
    """Within a group another measure can be chosen; the address keeps it."""
    page = opened.go("#view=board&group=robustness")
    page.get_by_role("button", name="mean drop").click()
    opened.settled()
    assert "measure=mean_drop" in page.url
    assert page.locator(".panel:visible .scroll[data-measure=mean_drop]").is_visible()


def test_columns_sort_both_ways(opened):
    """A click on a head sorts by it, a second one turns it round; blanks stay last."""
    page = opened.go()
    head = page.locator(".panel:visible th.task", has_text="addition").first
    column = head.get_attribute("data-c")

    def values():
        cells = page.locator(f'.panel:visible table.board tbody [data-key="{column}"]')
        return [cell.get_attribute("data-v") for cell in cells.all()]

    head.locator(".sort").click()
    opened.settled()
    down = [float(value) for value in values()]
    assert down == sorted(down, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    head.locator(".sort").click()
    opened.settled()
    assert [float(value) for value in values()] == sorted(down)
    assert "sort=arithmetic%2Faddition&order=up" in page.url
    page.locator(".panel:visible [data-sort=model]").click()
    opened.settled()
    names = page.locator(".panel:visible table.board tbody th").all_inner_texts()
    assert names == sorted(names)
    assert page.locator(".panel:visible [aria-sort]").count() == 1


def test_a_sorted_board_has_an_address(open_page, sized):
    """The address of a sorted board opens it sorted; an unknown column is as if none were named."""
    opened = open_page(sized)
    page = opened.go("#view=board&sort=qa%2Fen&order=up")
    head = page.locator(".panel:visible th[aria-sort]")
    assert head.get_attribute("data-task") == "qa/en"
    assert head.get_attribute("aria-sort") == "ascending"
    names = page.locator(f"{ROWS} th").all_inner_texts()
    assert names[0].startswith("mini")
    page = opened.go("#view=board&sort=nothing")
    assert page.locator(".panel:visible th[aria-sort] [data-sort=rate]").count() == 1


def test_filters_hide_rows_and_columns(opened):
    """A model filter hides rows, a tag filter hides columns; the page says it is filtered."""
    page = opened.go()
    page.locator(".menu summary", has_text="model").click()
    page.locator('input[value="embedded/mini"]').check()
    opened.settled()
    assert page.locator(ROWS).count() == 1
    assert page.locator(".filtered").inner_text().startswith("1 of 3 models, 4 of 4 tasks")
    page.locator('input[value="embedded/mini"]').uncheck()
    opened.settled()
    assert page.locator(ROWS).count() == 3
    assert not page.locator(".filtered").is_visible()
    page.locator(".menu summary", has_text="tag").click()
    page.locator('input[data-filter="tag"][value="arithmetic"]').check()
    opened.settled()
    assert page.locator(HEADS).count() == 1
    page.locator(".filtered .clear").click()
    opened.settled()
    assert page.locator(HEADS).count() == 4
    assert "tag=" not in page.url


@pytest.mark.parametrize(
    ("address", "models", "tasks"),
    [
        ("size=large", ["large-70b"], 3),
        ("size=unknown", ["one"], 3),
        ("weights=closed", ["one"], 3),
        ("weights=open&size=small", ["mini"], 3),
        ("model=openai%2Fone&model=embedded%2Fmini", ["mini", "one"], 3),
        ("family=qa&family=winograd", ["large-70b", "mini", "one"], 2),
        ("size=large&weights=closed", [], 3),
    ],
)
def test_filters_have_addresses(open_page, sized, address, models, tasks):
    """Each filter stands in the address, and the address alone brings its rows and columns."""
    page = open_page(sized).go(f"#view=board&{address}")
    names = [name.split("\n")[0] for name in page.locator(f"{ROWS} th").all_inner_texts()]
    assert sorted(names) == models
    assert page.locator(HEADS).count() == tasks
    assert page.locator("[data-filter]:checked").count() == len(address.split("&"))
    if not models:
        assert "No model fits" in page.locator(".filtered").inner_text()


def test_a_filter_holds_on_every_tab_and_on_the_way_back(open_page, sized):
    """Another group is filtered alike; the trail of a task page leads back to what was left."""
    opened = open_page(sized)
    page = opened.go("#view=board&size=large")
    page.get_by_role("tab", name="Efficiency").click()
    opened.settled()
    assert page.locator(ROWS).count() == 1
    page.locator(f"{HEADS} a").first.click()
    opened.settled()
    page.locator("#trail a").first.click()
    opened.settled()
    assert page.locator(ROWS).count() == 1
    assert page.get_by_role("tab", name="Efficiency").get_attribute("aria-selected") == "true"


def test_families_fold(opened):
    """A family folds to one narrow column and opens again."""
    page = opened.go()
    before = page.locator(".panel:visible th.task:visible").count()
    fold = page.locator(".panel:visible .fold", has_text="arithmetic")
    fold.click()
    opened.settled()
    assert "fold=arithmetic" in page.url
    assert page.locator(".panel:visible th.task:visible").count() == before - 1
    assert page.locator(".panel:visible th.pad").count() == 1
    fold.click()
    opened.settled()
    assert page.locator(".panel:visible th.task:visible").count() == before


def test_tooltip_answers_to_the_keyboard(opened):
    """A number that has the focus tells its interval, n and failures; Escape hides it."""
    page = opened.go()
    page.locator(".panel:visible td[data-key='0'] a.v").first.focus()
    tip = page.locator("#tip")
    assert "95 % interval" in tip.inner_text()
    assert "n 1" in tip.inner_text()
    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_blank_cells_say_why(opened):
    """A blank cell has a word, and a sentence for who asks."""
    page = opened.go()
    blank = page.locator(".panel:visible .blank", has_text="unable").first
    blank.focus()
    assert "log-likelihoods" in page.locator("#tip").inner_text()


def test_heads_say_their_whole_name(opened):
    """A long title is cut in the head; its tooltip has all of it, the metric and the direction."""
    page = opened.go()
    page.locator(f"{HEADS} a").first.focus()
    assert page.locator("#tip").inner_text() == (
        "Multi-digit addition (arithmetic/addition): exact match, higher is better"
    )


def test_titles_follow_the_language(opened):
    """Heads, headings, the window's title, and what screen readers hear turn Chinese and back."""
    page = opened.go()
    head = page.locator(f"{HEADS} a").first
    region = page.locator(".panel:visible > .scroll").first
    page.locator("#lang").click()
    assert head.inner_text().startswith("多位数加法")
    assert region.get_attribute("aria-label") == "主要得分"
    head.focus()
    assert (
        page.locator("#tip").inner_text() == "多位数加法（arithmetic/addition）：精确匹配，越高越好"
    )
    page = opened.go("#view=task&task=arithmetic/addition")
    assert page.locator(".view.on h1").inner_text() == "多位数加法"
    assert page.locator("#trail span:visible").last.inner_text() == "多位数加法"
    assert page.title().startswith("多位数加法 - 榜单")
    page.locator("#lang").click()
    assert page.title().startswith("Multi-digit addition - Board")
    assert page.locator(".view.on h1").inner_text() == "Multi-digit addition"


def test_intervals_and_n_as_figures(opened):
    """A switch writes interval and n into every cell, and is remembered."""
    page = opened.go()
    figure = page.locator(".panel:visible td .ci").last
    assert not figure.is_visible()
    page.locator("#figures").click()
    assert figure.is_visible()
    page = opened.go()
    assert page.locator("#figures").get_attribute("aria-pressed") == "true"
    assert " n " in page.locator(".panel:visible td[data-key='0'] .ci").first.inner_text()


def test_head_and_first_column_stay_in_sight(open_page, report):
    """On a phone the table scrolls both ways under its head and beside the models' names."""
    opened = open_page(report, viewport={"width": 390, "height": 500})
    page = opened.go()
    frame = page.locator(".panel:visible > .scroll").first
    frame.evaluate("e => { e.scrollLeft = 300; e.scrollTop = 60; }")
    box = frame.bounding_box()
    name = page.locator(".panel:visible tbody .stick").last.bounding_box()
    assert name["x"] == pytest.approx(box["x"], abs=1)
    assert name["width"] < box["width"] / 2
    head = page.locator(".panel:visible table.board thead").bounding_box()
    assert head["y"] == pytest.approx(box["y"], abs=1)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("address", ["", "#view=task&task=qa%2Fen", "#view=run", "#view=about"])
def test_nothing_shifts_while_it_loads(open_page, report, width, address):
    """No view moves what is already drawn (cumulative layout shift 0)."""
    opened = open_page(report, viewport={"width": width, "height": 800})
    opened.page.add_init_script(SHIFTS)
    page = opened.go(address)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.shifted") < 0.01


@pytest.mark.parametrize("address", ["", "#view=task&task=qa%2Fen", "#view=run"])
def test_every_control_is_reached_by_tab_and_shows_it(opened, address):
    """The tab key stops at every control in turn, and each then has a visible outline."""
    opened.go(address)
    missed, bare = opened.tabbed()
    assert missed == []
    assert bare == []


def test_views_of_a_large_board_wait_packed(open_page, packed):
    """Task pages, runs and other tabs are unpacked when their address is opened, hostile or not."""
    opened = open_page(packed)
    page = opened.go()
    assert page.locator("table.board").count() == 1
    assert page.locator(".view[data-view=task] h1").count() == 0
    page.get_by_role("tab", name="Efficiency").click()
    opened.settled()
    assert page.locator(ROWS).count() == 2
    page = opened.go("#view=task&task=qa%2Fen")
    assert page.locator(".view.on h1").inner_text() == "Short facts, from memory"
    page.locator("#lang").click()
    assert page.locator(".view.on .story .zh").first.is_visible()
    page = opened.go("#view=run&task=qa%2Fen")
    assert page.locator(".view.on h1").inner_text() == "embedded/mini"
    assert page.locator("#detail dt").count() > 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_filters_and_figures_have_contrast_and_names(open_page, sized, scheme):
    """A filtered board with an open menu and figures in its cells: contrast 4.5:1, all named."""
    page = open_page(sized, color_scheme=scheme).go("#view=board&size=large&size=small")
    page.locator("#figures").click()
    page.locator(".menu summary").first.click()
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(NAMELESS) == []


def test_touch_targets_are_large_enough(open_page, sized):
    """On a phone every control of the board is at least 24 pixels high (WCAG 2.2, 2.5.8)."""
    page = open_page(sized, viewport={"width": 390, "height": 844}, has_touch=True).go()
    low = page.evaluate("""() => [...document.querySelectorAll(
      ".bar button, .bar summary, .tools *, .sort, .fold, .measures button")]
      .filter((e) => e.checkVisibility() && e.matches("a, button, summary"))
      .filter((e) => e.getBoundingClientRect().height < 24).map((e) => e.outerHTML.slice(0, 80))""")
    assert low == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_boards(chromium, sized, packed, axe, scheme):
    """axe-core finds no breach on filtered, sorted, empty, folded and unpacked boards."""
    context = chromium.new_context(bypass_csp=True, color_scheme=scheme, locale="en-US")
    page = context.new_page()
    found = {}
    views = (
        (sized, "#view=board&size=large&sort=qa%2Fen&order=up"),
        (sized, "#view=board&model=nothing"),
        (sized, "#view=board&group=bias"),
        (sized, "#view=board&fold=qa"),
        (packed, "#view=board&group=efficiency"),
        (packed, "#view=task&task=qa%2Fen"),
    )
    for index, view in views:
        page.goto("about:blank")
        page.goto(index.as_uri() + view)
        page.locator(f'html[data-settled="{view}"]').wait_for(state="attached")
        for menu in page.locator(".view.on .menu > summary").all():
            menu.click()
        page.evaluate(axe)
        if breaches := page.evaluate(RUN_AXE):
            found[view] = breaches
    context.close()
    assert found == {}


def test_a_wide_board_is_printed_whole(open_page, tmp_path):
    """On paper a board of 20 tasks stands as tables of eight; screen and paper do not mix."""
    from click.testing import CliRunner

    from harness.cli.board import command

    names = [f"task{number:02}" for number in range(20)]
    for place, model in enumerate(("org__one", "org__two")):
        folder = tmp_path / "results" / model / "v1"
        folder.mkdir(parents=True)
        scores = ",".join(str((number + place) / 25) for number in range(20))
        (folder / "scores.csv").write_text(f"model,{','.join(names)}\n{model},{scores}\n")
    out = tmp_path / "out"
    arguments = [str(tmp_path / "results"), "-o", str(out)]
    CliRunner().invoke(command, arguments, catch_exceptions=False)
    opened = open_page(out / "index.html")
    page = opened.go()
    assert page.locator("table.sheet").count() == 0
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    sheets = page.locator("table.board:visible")
    assert sheets.count() == 3
    heads = sheets.locator("th.task a span").all_inner_texts()
    assert heads == names
    titles = [sheet.locator("thead th").all_inner_texts() for sheet in sheets.all()]
    assert [sum("mean win" in head for head in heads) for heads in titles] == [1, 0, 0]
    assert [sum("errors" in head for head in heads) for heads in titles] == [0, 0, 1]
    for sheet, heads in zip(sheets.all(), titles, strict=True):
        cells = sheet.locator("tbody tr").first.locator("> *")
        assert cells.count() == len(heads)
    second = sheets.nth(1).locator("tbody tr").first.locator("td").first
    assert second.inner_text().startswith("0.36")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.locator("table.board:visible").count() == 1
    assert page.locator(HEADS).count() == 20
