"""Full-text search over packed blocks: what is found, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

SAID = (
    "plain words",
    'a "quoted" word',
    "back\\slash and \\no newline",
    "one line\nnext line",
    "brackets [x] (y) {z} $5 ^a* a|b . ?",
    "ÜBER Größe ΣΑΣ",
    "汉字 and ｆｕｌｌ width",
    "tab\there",
    "role user text",
    "12345",
)


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Path:
    """A report in a folder, three samples to a block, of ten answers with odd characters."""
    import made_runs

    from harness.cli.report import write_report
    from harness.report import blocks, pages

    root = tmp_path_factory.mktemp("search")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made_runs, "HOSTILE", SAID)
        patch.setattr(blocks, "BLOCK_ROWS", 3)
        patch.setattr(pages, "SELF_CONTAINED", 5)
        recipe = made_runs.Recipe("embedded/mini", 0.9, tasks=("hostile/flips",))
        run = made_runs.make_run(root, recipe)
        return write_report([run], root / "out")


def test_the_samples_lie_in_blocks_beside_the_page(index):
    """Ten samples in blocks of three are four scripts, and an index."""
    names = sorted(path.name for path in (index.parent / "data").iterdir())
    assert names == ["r0-0.js", "r0-1.js", "r0-2.js", "r0-3.js", "r0-cells.js", "r0-index.js"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("plain", [0]),
        ("PLAIN Words", [0]),
        ('"quoted"', [1]),
        ("\\slash", [2]),
        ("\\no", [2]),
        ("(y) {z} $5 ^a*", [4]),
        ("a|b . ?", [4]),
        ("über GRÖSSE", []),
        ("über größe", [5]),
        ("汉字", [6]),
        ("role user", [8]),
        ("12345", [9]),
        ("say this", list(range(10))),
        ("attempts", []),
        ("next line", [3]),
        ("nnext", []),
        ("nothing of the kind", []),
    ],
)
def test_search_finds_texts_and_nothing_else(open_page, index, query, found):
    """Letters fold, signs mean themselves, and the names of fields are not text."""
    opened = open_page(index)
    page = opened.go("#view=run")
    opened.search(query)
    assert page.locator("#found").inner_text() == f"{len(found)} of 10"
    assert page.locator("#rows .row").count() == len(found)
    if len(found) == 1:
        page.locator("#rows .row").first.click()
        opened.settled()
        assert SAID[found[0]].split("\n")[0] in page.locator("#detail dd pre").all_inner_texts()[1]


def test_a_sample_of_any_block_opens(open_page, index):
    """First, middle and last line of blocks decode to their own sample."""
    opened = open_page(index)
    page = opened.go("#view=run")
    for place in range(10):
        row = page.locator("#rows .row").nth(place)
        label = row.locator("span").nth(1).inner_text()
        row.click()
        opened.settled()
        assert label.split()[0] in page.locator("#detail").inner_text()


def test_an_id_is_found_too(open_page, index):
    """The beginning of a sample's id finds it."""
    opened = open_page(index)
    page = opened.go("#view=run")
    first = page.locator("#detail .sub").inner_text()
    opened.search(first[:8])
    assert page.locator("#found").inner_text() == "1 of 10"
