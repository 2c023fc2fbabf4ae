"""Judge files: all that ship load; every mistake names file, line, key, allowed and got."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import InvalidFile, UnknownName
from harness.judge.spec import find_judge, judge_names, judge_schema, load_judge

JUDGES = Path(__file__).parent.parent.parent / "tasks" / "judges"
GOOD = (
    "judge: mine\nmode: reference\nverdicts: {right: 1, wrong: 0}\n"
    'prompt: "{{ question }} {{ answer }} {{ verdicts }}"\n'
)


@pytest.mark.parametrize("name", judge_names([JUDGES]))
def test_every_judge_that_ships_loads_under_its_own_name(name):
    """File name and `judge:` agree; title and about are given."""
    found = find_judge(name, [JUDGES])
    assert found.name == name
    assert found.file.title
    assert found.file.about


def test_all_modes_ship():
    """There is a judge of each mode."""
    modes = {find_judge(name, [JUDGES]).mode for name in judge_names([JUDGES])}
    assert modes == {"reference", "rubric", "checklist", "pairwise", "expected", "panel"}


@pytest.mark.parametrize(
    ("change", "key", "message"),
    [
        (("judge: mine", "judg: mine"), None, "the first key says what a file is"),
        (("mode: reference", "mode: referense"), "mode", "Invalid enum value"),
        (("verdicts", "verdict"), "verdict", "did you mean 'verdicts'?"),
        (("right: 1", "right: 2"), "verdicts.right", "0 to 1"),
        (("{right: 1, wrong: 0}", "{}"), "verdicts", "mode reference needs it"),
        (("{{ answer }}", "{{ anwser }}"), "prompt", "did you mean 'answer'?"),
        (("{{ answer }}", "{{ answer_a }}"), "prompt", "unknown field 'answer_a'"),
        (("{{ answer }}", "{{ answer.__class__ }}"), "prompt", "internals"),
        (("mode: reference", "mode: reference\npositive: yes"), "positive", "right, wrong"),
        (("mode: reference", "mode: reference\nwords: {rite: [r]}"), "words", "mean 'right'?"),
        (("mode: reference", "mode: reference\ngeneration: {max_token: 3}"), "generation",
         "max_token"),
        (("mode: reference", "mode: rubric\nlevels: {a: b, c: d}"), "levels", "whole numbers"),
        (("mode: reference", "mode: panel\nmembers: {a: nobody}"), "members.a", "unknown judge"),
        (("mode: reference", "mode: checklist\nitems: [{name: a, ask: b, points: -1}]"), "items",
         "points over 0"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(tmp_path, change, key, message):
    """File, key and what is allowed; no traceback."""
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(InvalidFile, match=r"mine\.yaml") as caught:
        load_judge(path)
    assert message in str(caught.value)
    assert key is None or caught.value.key == key


def test_a_prompt_is_needed(tmp_path):
    """A judge without a prompt cannot ask."""
    path = tmp_path / "mine.yaml"
    path.write_text("judge: mine\nmode: pairwise\n")
    with pytest.raises(InvalidFile, match="needs it"):
        load_judge(path)


def test_a_panel_takes_single_judges_only(tmp_path):
    """A pairwise judge cannot sit beside one that grades."""
    path = tmp_path / "mine.yaml"
    path.write_text("judge: mine\nmode: panel\nmembers: {a: pairwise}\n")
    with pytest.raises(InvalidFile, match="cannot sit on a panel"):
        load_judge(path, [JUDGES])


def test_an_unknown_judge_gets_a_suggestion():
    """As with every other name."""
    with pytest.raises(UnknownName, match="did you mean 'correct'"):
        find_judge("corect", [JUDGES])
    with pytest.raises(UnknownName):
        find_judge("../judges/correct", [JUDGES])


def test_a_file_of_the_users_own_is_found_by_its_path(tmp_path):
    """A path that ends in .yaml is read as it is."""
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    assert find_judge(str(path), [JUDGES]).offered == ("right", "wrong")


def test_the_hash_covers_what_can_change_a_verdict(tmp_path):
    """The title does not; one word of the prompt does."""
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    before = load_judge(path).hash
    path.write_text(GOOD + "title: Another\n")
    assert load_judge(path).hash == before
    path.write_text(GOOD.replace("{{ verdicts }}", "{{ verdicts }}!"))
    assert load_judge(path).hash != before


def test_the_schema_for_editors_names_every_key():
    """`harness schema judge` is made from the same record."""
    text = str(judge_schema())
    assert all(key in text for key in ("verdicts", "members", "combine", "structured"))
