"""Pages under haste and damage: addresses that change while samples load, and broken pieces."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser


HOLD = """(name) => {
  const append = (node) => Element.prototype.append.call(document.head, node);
  window.held = [];
  const holds = (node) => node.src.endsWith(`/${name}.js`);
  document.head.append = (node) => (holds(node) ? held.push(node) : append(node));
  window.letGo = () => { delete document.head.append; held.forEach(append); };
}"""
WAIT = """async () => {
  for (let turn = 0; turn < 400 && !held.length; turn += 1) {
    await new Promise((done) => setTimeout(done, 5));
  }
  return held.length;
}"""


class Held:
    """A piece of a report that comes only when it is let go."""

    def __init__(self, page, name: str) -> None:
        self._page = page
        page.evaluate(HOLD, name)

    def wait(self) -> None:
        """Wait until the page has asked for the piece."""
        assert self._page.evaluate(WAIT) == 1

    def let_go(self) -> None:
        """Hand it over."""
        self._page.evaluate("letGo()")


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Path]:
    """Two runs of the same tasks, which came out otherwise."""
    from made_runs import Recipe, make_run

    root = tmp_path_factory.mktemp("hurry")
    recipes = (
        Recipe("embedded/mini", 0.9, "20260101T000000Z", per_cell=6),
        Recipe("embedded/micro", 0.3, "20260101T000100Z", per_cell=6),
    )
    return [make_run(root / "runs", recipe) for recipe in recipes]


@pytest.fixture
def index(runs, tmp_path, monkeypatch) -> Path:
    """Their report as a folder, ten samples to a block."""
    from harness.cli.report import write_report
    from harness.report import blocks, pages

    monkeypatch.setattr(blocks, "BLOCK_ROWS", 10)
    monkeypatch.setattr(pages, "SELF_CONTAINED", 5)
    return write_report(runs, tmp_path / "out")


def later(opened, address: str) -> None:
    """Change the address without waiting for what it shows."""
    opened.page.evaluate("(address) => { location.hash = address; }", address)


def pressed(page) -> str:
    """Return the kind of samples that the list shows."""
    return str(page.locator("[data-show][aria-pressed=true]").get_attribute("data-show"))


def test_the_last_address_wins_while_an_index_loads(open_page, index, runs):
    """Of two addresses of one run the later one is shown, though the samples came after both."""
    opened = open_page(index)
    page = opened.go()
    piece = Held(page, "r0-index")
    later(opened, f"view=run&run={runs[0].name}")
    piece.wait()
    later(opened, f"view=run&run={runs[0].name}&show=right")
    piece.let_go()
    opened.settled()
    assert pressed(page) == "right"
    assert all(row.startswith("✓") for row in opened.rows())


def test_a_run_that_comes_late_does_not_stand_in_another(open_page, index, runs):
    """The samples of a run left again before they had come are not shown as another run's."""
    opened = open_page(index)
    page = opened.go(f"#view=run&run={runs[1].name}&show=right")
    rows, detail = opened.rows(), page.locator("#detail").inner_text()
    opened.go()
    piece = Held(page, "r0-index")
    later(opened, f"view=run&run={runs[0].name}")
    piece.wait()
    page.keyboard.press("j")
    later(opened, f"view=run&run={runs[1].name}&show=right")
    page.locator("#detail .acts").wait_for()
    piece.let_go()
    opened.settled()
    page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    assert opened.rows() == rows
    assert page.locator("#detail").inner_text() == detail


def test_differences_are_found_though_the_address_changes_meanwhile(open_page, index, runs):
    """A filter set while two runs are compared leaves the comparison in force."""
    opened = open_page(index)
    whole = opened.go(f"#view=run&run={runs[0].name}&diff=any&show=right")
    wanted = whole.locator("#found").inner_text()
    page = opened.go()
    piece = Held(page, "r1-index")
    later(opened, f"view=run&run={runs[0].name}&diff=any")
    piece.wait()
    later(opened, f"view=run&run={runs[0].name}&diff=any&show=right")
    piece.let_go()
    opened.settled()
    assert page.locator("#found").inner_text() == wanted


def test_a_fast_change_of_tabs_shows_the_last_one(open_page, runs, tmp_path, monkeypatch):
    """A packed panel that opens late does not push aside the tab chosen after it."""
    from harness.cli.report import write_report
    from harness.report import parts

    monkeypatch.setattr(parts, "LARGE", 1)
    opened = open_page(write_report(runs, tmp_path / "out"))
    page = opened.go()
    page.evaluate(
        """() => { location.hash = "view=board&group=efficiency";
        setTimeout(() => { location.hash = "view=board&group=accuracy"; }, 0); }"""
    )
    page.wait_for_url("**group=accuracy")
    opened.settled()
    page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    assert page.locator("[role=tab][aria-selected=true]").get_attribute("data-group") == "accuracy"


@pytest.mark.parametrize("name", ["__proto__", "constructor", "hasOwnProperty"])
def test_no_filter_is_found_among_what_every_object_has(opened, name):
    """A filter that is none shows all samples."""
    page = opened.go(f"#view=run&show={name}")
    assert pressed(page) == "all"
    assert page.locator("#detail .acts").count() == 1


@pytest.mark.parametrize("rest", ["", 'harnessChunk("r0-0","H4sI', "missing"])
def test_a_broken_piece_is_named(chromium, index, rest):
    """A piece that is cut off or gone is named in place of the sample, and search ends."""
    piece = index.parent / "data" / "r0-0.js"
    if rest == "missing":
        piece.unlink()
    else:
        piece.write_text(rest, encoding="ascii")
    page = chromium.new_context().new_page()
    page.goto(index.as_uri() + "#view=run&q=say")
    page.locator("#detail .bad").wait_for()
    assert page.locator("#detail .bad").inner_text() == "data/r0-0.js cannot be read"
    page.locator("#samples:not([data-searching])").wait_for()
    assert "searching" not in page.locator("#found").inner_text()
    page.locator("#csv").click()
    page.locator("#live", has_text="data/r0-0.js cannot be read").wait_for(state="attached")
    page.context.close()


def test_an_export_is_of_one_run_though_another_is_opened(open_page, index, runs):
    """What is exported is what the list showed when it was asked for."""
    opened = open_page(index)
    page = opened.go(f"#view=run&run={runs[0].name}&show=right")
    keys = page.locator("[data-show=right] .count").inner_text()
    piece = Held(page, "r0-2")
    with page.expect_download() as saved:
        page.locator("#csv").click()
        piece.wait()
        later(opened, f"view=run&run={runs[1].name}&show=wrong")
        opened.settled()
        piece.let_go()
    assert saved.value.suggested_filename == f"{runs[0].name}.csv"
    lines = list(csv.DictReader(io.StringIO(saved.value.path().read_text(encoding="utf-8"))))
    assert len(lines) == int(keys)
    assert {line["score"] for line in lines} == {"1"}
    assert all(line["answer"] == line["wanted"] for line in lines)


def test_an_answer_is_shown_though_no_transcript_was_kept(open_page, runs, tmp_path):
    """Where a table keeps no turns, the output stands in the detail as what came."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from harness.cli.report import write_report

    run = shutil.copytree(runs[0], tmp_path / runs[0].name)
    table = pq.read_table(run / "samples.parquet")
    at = table.schema.get_field_index("transcript")
    field = table.schema.field(at)
    bare = table.set_column(at, field, pa.nulls(table.num_rows, field.type))
    pq.write_table(bare, run / "samples.parquet")
    opened = open_page(write_report([run], tmp_path / "out"))
    page = opened.go("#view=run&show=right&task=arithmetic/addition")
    said = page.locator("#rows .row").first.locator(".got").inner_text()
    came = page.locator("#detail dl.turns > div", has=page.locator("dt .en", has_text="came"))
    assert said in came.locator("dd").inner_text()


def test_names_of_models_hide_nothing_in_a_sample(open_page, tmp_path):
    """A mark that turns the writing direction stands as its code point, and turns nothing."""
    from made_runs import Recipe, make_run

    from harness.cli.report import write_report

    recipes = (
        Recipe("a/plain", 0.9, "20260101T000000Z", ("arithmetic/addition",), per_cell=2),
        Recipe("a/\u202elive", 0.3, "20260101T000100Z", ("arithmetic/addition",), per_cell=2),
    )
    runs = [make_run(tmp_path / "runs", recipe) for recipe in recipes]
    page = open_page(write_report(runs, tmp_path / "out")).go(f"#view=run&run={runs[0].name}")
    assert page.locator("#detail a", has_text="U+202Elive").count() == 1
