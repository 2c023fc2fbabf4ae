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
