"""The rows of tasks/qa: a table of facts written by hand, checked for what each field promises."""

import itertools
import json
import re
import unicodedata
from pathlib import Path

import pytest
import yaml

QA = Path(__file__).parents[2] / "tasks" / "qa"
LANGUAGES = ("en", "zh")
AT_LEAST = {"en": 400, "zh": 200}
ARTICLES = {"a", "an", "the"}
TEXTS = ("id", "question", "statement", "misleading", "wrong", "distractor", "domain", "source")
SCHEMA = {
    **dict.fromkeys(TEXTS, (str,)),
    "answers": (list,),
    "premise": (str, type(None)),
    "level": (int,),
}
PASSAGES = {
    "": (),
    "-open": ("distractor", "statement"),
    "-misled": ("distractor", "misleading"),
    "-distracted": ("distractor",),
}


def load(language):
    """The rows of one language, in file order."""
    lines = (QA / "rows" / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


ROWS = {language: load(language) for language in LANGUAGES}
EACH = [
    pytest.param(language, row, id=row["id"]) for language in LANGUAGES for row in ROWS[language]
]


def words(text, language):
    """English as lower-case words without articles; Chinese as characters without punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if language == "zh":
        return re.findall(r"[^\W_]", folded)
    plain = folded.replace("'s", " ").replace(",", "")
    return [word for word in re.findall(r"[^\W_]+", plain) if word not in ARTICLES]


def occurs(answer, text, language):
    """Whether the answer stands in the text as a run of whole words (zh: of characters)."""
    needle, hay = words(answer, language), words(text, language)
    assert needle, answer
    return any(hay[i : i + len(needle)] == needle for i in range(len(hay) - len(needle) + 1))


def tokens(question, language):
    """What two questions are compared by: words, or in Chinese pairs of characters."""
    parts = words(question, language)
    return frozenset(parts if language == "en" else itertools.pairwise(parts))


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_rows_of_every_level(language):
    """Each language has its full table, and each of the three levels at least a fifth of it."""
    rows = ROWS[language]
    assert len(rows) >= AT_LEAST[language]
    for level in (1, 2, 3):
        assert sum(row["level"] == level for row in rows) >= len(rows) / 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_ids_are_unique_and_say_the_language(language):
    """Ids are the language and a number, and no two rows share one."""
    ids = [row["id"] for row in ROWS[language]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(rf"{language}-\d{{4}}", identity) for identity in ids)


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_rows_in_five_have_a_premise(language):
    """At least 40% of the rows carry a question with a false premise."""
    rows = ROWS[language]
    assert sum(row["premise"] is not None for row in rows) >= 0.4 * len(rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_domain_is_large_enough_to_be_a_slice(language):
    """No domain has fewer than five rows, so each slice can be read."""
    domains = [row["domain"] for row in ROWS[language]]
    assert min(domains.count(domain) for domain in set(domains)) >= 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_questions_are_alike(language):
    """No two questions share more than 0.8 of their tokens (Jaccard), nor a premise."""
    rows = ROWS[language]
    asked = [(row["id"], tokens(row["question"], language)) for row in rows]
    for (one, a), (other, b) in itertools.combinations(asked, 2):
        assert len(a & b) <= 0.8 * len(a | b), (one, other)
    premises = [row["premise"] for row in rows if row["premise"]]
    assert len(set(premises)) == len(premises)


@pytest.mark.parametrize(("language", "row"), EACH)
def test_a_row_has_exactly_the_declared_fields(language, row):
    """Each row has the same keys, typed, with no empty text and no stray space."""
    assert row.keys() == SCHEMA.keys()
    for key, kinds in SCHEMA.items():
        assert type(row[key]) in kinds, key
    assert row["level"] in {1, 2, 3}
    assert row["answers"]
    assert len(set(row["answers"])) == len(row["answers"])
    texts = [row[key] for key in TEXTS] + row["answers"] + [row["premise"] or "-"]
    assert all(text and text == text.strip() and "\n" not in text for text in texts)
    ends = {"en": ("?", "."), "zh": ("？", "。")}[language]
    assert row["question"].endswith(ends[0])
    assert (row["premise"] or ends[0]).endswith(ends[0])
    for key in ("statement", "misleading", "distractor"):
        assert row[key].endswith(ends[1])


@pytest.mark.parametrize(("language", "row"), EACH)
def test_passages_say_what_their_field_promises(language, row):
    """The statement holds the answer; the misleading and distracting ones hold none."""
    assert occurs(row["answers"][0], row["statement"], language)
    assert occurs(row["wrong"], row["misleading"], language)
    assert not occurs(row["wrong"], row["distractor"], language)
    for answer in row["answers"]:
        assert not occurs(answer, row["misleading"], language), answer
        assert not occurs(answer, row["distractor"], language), answer


@pytest.mark.parametrize(("language", "row"), EACH)
def test_the_wrong_answer_is_wrong(language, row):
    """The wrong answer is no accepted answer, and the false premise is another question."""
    accepted = [words(answer, language) for answer in row["answers"]]
    assert words(row["wrong"], language) not in accepted
    assert words(row["premise"] or "-1", language) != words(row["question"], language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("variant", PASSAGES)
def test_a_task_shows_the_passage_its_name_says(language, variant):
    """The four tasks of a language share rows and target, and differ in the passage alone."""
    name = f"{language}{variant}"
    task = yaml.safe_load((QA / f"{name}.yaml").read_text(encoding="utf-8"))
    assert task["task"] == f"qa/{name}"
    assert task["language"] == language
    assert task["data"] == {"file": f"rows/{language}.jsonl"}
    assert task["target"] == "{{ answers }}"
    assert task["wrong"] == "{{ wrong }}"
    assert task["metrics"][0] == "quasi_exact_match"
    assert ("core" in task["tags"]) == (not variant)
    shown = re.findall(r"{{ (\w+) }}", task["prompt"])
    assert shown == [*PASSAGES[variant], "question"]
