"""harness frontier: the level that a model still masters."""

from __future__ import annotations

import json


def test_the_search_names_the_grids_level_with_less(harness):
    """By a search, at most 30 % of the items; by a run, all of them; the same level."""
    arguments = ["arithmetic/addition", "--model", "embedded/mini"]
    (found,) = json.loads(harness("frontier", *arguments, "--json").out)
    assert found["asked"] <= 0.3 * found["items"]
    harness("run", *arguments)
    (grid,) = json.loads(harness("frontier", "--json").out)
    assert found["frontier"] == grid["frontier"]
    assert grid["levels"][grid["frontier"]][0] >= 90
    assert grid["effects"][0]["name"] == "digits"
    assert "frontier digits = " in harness("frontier").out


def test_a_model_that_masters_nothing_has_none(harness):
    """The wrong model's frontier is none, the oracle's the last level."""
    for model, level in (("wrong", None), ("oracle", "6")):
        done = harness("frontier", "arithmetic/addition", "--model", f"scripted/{model}", "--json")
        (found,) = json.loads(done.out)
        assert found["frontier"] == level


def test_a_field_that_is_not_there_is_named(harness):
    """Levels need a field; exit 2 says which one is missing."""
    done = harness("frontier", "qa/en", "--model", "scripted/oracle")
    assert done.code == 2
    assert "no field 'digits'" in done.err


def test_the_report_says_what_the_command_says(harness, tmp_path):
    """Headline and `harness frontier` name one level, by the intervals of the run's cells."""
    harness("run", "arithmetic/addition", "--model", "embedded/mini", "--limit", "300")
    (found,) = json.loads(harness("frontier", "--json").out)
    harness("report", "-o", "pages")
    page = next(tmp_path.rglob("pages/index.html")).read_text(encoding="utf-8")
    assert f"Its addition holds to {found['frontier']} digits" in page
    cells = json.loads(next(tmp_path.rglob("scores.json")).read_text(encoding="utf-8"))["cells"]
    lows = {cell["slice"]: cell["low"] for cell in cells if cell["slice"]}
    assert lows[f"digits={found['frontier']}"] >= 0.9
    assert lows[f"digits={int(found['frontier']) + 1}"] < 0.9
