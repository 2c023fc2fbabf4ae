"""The labelling page, in a browser: keys, what is kept, the export, and what becomes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

TASK = """\
task: {name}
data: {{file: {name}.jsonl}}
prompt: "{{{{ question }}}}"
target: "{{{{ answers }}}}"
extract: [text]
metrics: [judged]
judge: {judge}
oracle: "{{{{ say }}}}"
"""
HOSTILE = "</script><img src=x onerror=pwned=1> 7"
COUNT = 8


def call(folder: Path, *arguments: str | Path) -> str:
    """Run the command line in a folder, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", *map(str, arguments)],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def made(folder: Path, name: str, judge: str) -> Path:
    """Make a run of eight answers, every other one right, and its labelling page."""
    rows = [
        {"question": f"What is {i}?", "answers": [f"number {i}"],
         "say": f"surely number {i}" if i % 2 else f"{HOSTILE} {i}"}
        for i in range(COUNT)
    ]  # fmt: skip
    (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / f"{name}.yaml").write_text(TASK.format(name=name, judge=judge))
    out = call(folder, "run", f"{name}.yaml", "--model", "scripted/oracle", "--json",
               "--judge", f"{judge}=scripted/lenient")  # fmt: skip
    run = folder / json.loads(out)["run"]
    call(folder, "label", run, "--n", str(COUNT))
    return run


def pressed(page, right: str, wrong: str) -> None:
    """Label every answer truly, by keys alone."""
    for _ in range(COUNT):
        told = page.locator("#answer").inner_text()
        for key in right if "surely" in told else wrong:
            page.keyboard.press(key)


def exported(page, path: Path) -> list[dict[str, object]]:
    """Export by key, and return the rows of the file."""
    with page.expect_download() as download:
        page.keyboard.press("e")
    assert download.value.suggested_filename == "labels.jsonl"
    download.value.save_as(path)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_answers_are_labelled_by_keys_exported_and_correct_the_score(open_page, tmp_path):
    """Eight keys and an E; the file goes into `harness judge correct` as it is."""
    run = made(tmp_path, "grades", "correct")
    page = open_page(run / "label.html").page
    page.goto((run / "label.html").as_uri())
    assert page.locator("#choices button").all_inner_texts() == [
        "1correct", "2incorrect", "3not attempted", "4cannot tell",
    ]  # fmt: skip
    pressed(page, "1", "2")
    assert "8 labelled. All are labelled" in page.locator("#count").inner_text()
    rows = exported(page, tmp_path / "labels.jsonl")
    assert sorted(row["label"] for row in rows) == [0, 0, 0, 0, 1, 1, 1, 1]
    call(tmp_path, "judge", "correct", run, "--labels", tmp_path / "labels.jsonl")
    cells = json.loads((run / "scores.json").read_text())["cells"]
    (corrected,) = [cell for cell in cells if cell["estimate"] == "ppi++"]
    assert corrected["value"] == pytest.approx(0.5)


def test_labels_are_kept_until_exported_and_stay_with_their_run(open_page, tmp_path):
    """A reload goes on at the first unlabelled answer; another run's page starts empty."""
    first, second = made(tmp_path, "grades", "correct"), made(tmp_path, "grades", "correct")
    page = open_page(first / "label.html").page
    page.goto((first / "label.html").as_uri())
    for key in ("1", "2", "4", "ArrowRight"):
        page.keyboard.press(key)
    assert page.locator("#count").inner_text().strip().startswith("5 of 8; 3 labelled")
    page.reload()
    assert page.locator("#count").inner_text().strip().startswith("4 of 8; 3 labelled")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#choices [aria-pressed=true]").inner_text() == "4cannot tell"
    assert len(exported(page, tmp_path / "labels.jsonl")) == 2
    page.goto((second / "label.html").as_uri())
    assert page.locator("#count").inner_text().strip().startswith("1 of 8; 0 labelled")
    done = subprocess.run(
        [sys.executable, "-m", "harness", "judge", "correct", str(second), "--labels",
         "labels.jsonl"], cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "labels of another run" in done.stderr


def test_a_checklist_is_labelled_check_by_check(open_page, tmp_path):
    """Yes to all but the last, a penalty, is full marks; the label is the judge's own formula."""
    run = made(tmp_path, "checks", "summary")
    page = open_page(run / "label.html").page
    page.goto((run / "label.html").as_uri())
    assert page.locator("fieldset").count() == 5
    assert page.locator("fieldset.now").count() == 1
    pressed(page, "11112", "22221")
    assert "All are labelled" in page.locator("#count").inner_text()
    while "surely" not in page.locator("#answer").inner_text():
        page.keyboard.press("ArrowLeft")
    facts = page.locator("fieldset").nth(2).get_by_role("button")
    facts.nth(1).click()  # not all key facts, after all: a point of six is lost
    rows = exported(page, tmp_path / "labels.jsonl")
    labels = sorted(row["label"] for row in rows)
    assert labels == pytest.approx([0, 0, 0, 0, 5 / 6, 1, 1, 1])


def test_levels_are_shown_with_their_anchors(open_page, tmp_path):
    """A rubric's page says what each level means; its label is the level's score."""
    run = made(tmp_path, "levels", "explanation")
    page = open_page(run / "label.html").page
    page.goto((run / "label.html").as_uri())
    assert "Right and clear" in page.locator("#choices button").nth(4).inner_text()
    pressed(page, "4", "2")
    rows = exported(page, tmp_path / "labels.jsonl")
    assert {row["label"] for row in rows} == {0.25, 0.75}


def test_the_page_is_blind_and_texts_are_only_text(open_page, tmp_path):
    """Neither model nor judge nor score is in the file; what a model said does not run."""
    run = made(tmp_path, "grades", "correct")
    text = (run / "label.html").read_text(encoding="utf-8")
    for secret in ("scripted", "oracle", "lenient", run.name):
        assert secret not in text
    page = open_page(run / "label.html").page
    page.goto((run / "label.html").as_uri())
    pressed(page, "1", "1")
    assert page.evaluate("window.pwned") is None
    assert page.locator("main img").count() == 0


def test_it_speaks_chinese_and_fits_a_phone(open_page, tmp_path):
    """A Chinese browser gets Chinese words; nothing is wider than 390 pixels, nor nameless."""
    run = made(tmp_path, "checks", "summary")
    opened = open_page(run / "label.html", locale="zh-CN", viewport={"width": 390, "height": 800})
    page = opened.page
    page.goto((run / "label.html").as_uri())
    assert page.locator("h1").inner_text() == "标注回答"
    assert page.evaluate("document.documentElement.lang") == "zh"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert all(text.strip() for text in page.locator("button").all_inner_texts())
