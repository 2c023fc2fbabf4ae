"""The rows and tasks of tasks/winograd: twins written by hand, checked for what a pair promises."""

import gzip
import itertools
import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from harness.template import compile_template

WINOGRAD = Path(__file__).parents[2] / "tasks" / "winograd"
PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "xwinograd" / "dataset.tsv.gz"
LANGUAGES = ("en", "zh")
AT_LEAST = {"en": 140, "zh": 90}
SCHEMA = {
    "pair": str,
    "twin": int,
    "domain": str,
    "prefix": str,
    "pronoun": str,
    "suffix": str,
    "candidates": list,
    "answer": int,
    "special": str,
}
POSSESSIVE = {"his", "hers", "its", "theirs"}
SCALE = {"-partial": "rank", "": "rank", "-choose": "choose"}
# What a comparison of content leaves out: words that any two sentences may share.
FUNCTION_WORDS = re.compile(
    r"an?|the|and|or|but|so|because|since|al?though|even|while|until|when|if|as|to|of|in|on|at|for"
    r"|with|from|by|into|than|too|very|such|had|has|have|was|were|is|are|been?|did|do|not|no|its?"
    r"|him|his|s?he|hers?|they|them|their|that|which|who|could|would|will|up|out|off|over|all|more"
)


def load(language):
    """The rows of one language, in file order."""
    lines = (WINOGRAD / "rows" / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


ROWS = {language: load(language) for language in LANGUAGES}
PAIRS = {
    language: {
        name: list(rows)
        for name, rows in itertools.groupby(ROWS[language], key=lambda row: row["pair"])
    }
    for language in LANGUAGES
}
TASKS = [
    pytest.param(language, kind, id=f"{language}{kind}") for language in LANGUAGES for kind in SCALE
]


def sentence(row):
    """The sentence as a reader sees it."""
    return row["prefix"] + row["pronoun"] + row["suffix"]


def units(text, language):
    """Every word of an English text; every character of a Chinese one."""
    return re.findall(r"[a-z']+" if language == "en" else r"[\u4e00-\u9fff]", text.lower())


def content(text, language):
    """Content words of an English text; pairs of neighbouring characters of a Chinese one."""
    found = units(text, language)
    if language == "zh":
        return {"".join(pair) for pair in itertools.pairwise(found)}
    return {word for word in found if not FUNCTION_WORDS.fullmatch(word) and len(word) > 1}


def overlap(one, other):
    """Jaccard similarity of two sets."""
    return len(one & other) / max(1, len(one | other))


def task(language, kind):
    """One task file, as plain data."""
    return yaml.safe_load((WINOGRAD / f"{language}{kind}.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_pairs(language):
    """Each language has at least the promised number of pairs, numbered without gaps."""
    names = list(PAIRS[language])
    assert len(names) >= AT_LEAST[language]
    assert names == [f"{language}-{number:03d}" for number in range(1, len(names) + 1)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_row_has_the_fields_of_a_twin(language):
    """A row has exactly the fields of a twin, each of its type, and no stray space."""
    for row in ROWS[language]:
        assert {key: type(value) for key, value in row.items()} == SCHEMA
        assert row["answer"] in {0, 1}
        assert len(set(row["candidates"])) == 2
        assert all(text and text == text.strip() for text in [*row["candidates"], row["pronoun"]])
        assert "  " not in sentence(row)
        assert sentence(row).endswith("." if language == "en" else "。")


def test_english_parts_carry_the_space_between_them():
    """A prefix ends with a space; a suffix begins with a space or a mark."""
    for row in ROWS["en"]:
        assert row["prefix"].endswith(" "), row["pair"]
        assert row["suffix"][0] in " ,.", row["pair"]


def test_chinese_has_neither_space_nor_ascii():
    """Chinese sentences are written with full-width marks and without spaces."""
    assert [row["pair"] for row in ROWS["zh"] if re.search(r"[\s\x00-\x7f]", sentence(row))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pronoun_is_unmistakable(language):
    """The pronoun occurs once, so that a question can name it by itself."""
    for row in ROWS[language]:
        text = units(sentence(row), language) if language == "en" else sentence(row)
        assert text.count(row["pronoun"].lower()) == 1, row["pair"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_candidates_stand_in_the_sentence_in_order(language):
    """Both candidates are mentioned before the pronoun, the first one first."""
    for row in ROWS[language]:
        first, second = (row["prefix"].lower().find(head(text)) for text in row["candidates"])
        assert 0 <= first < second, row["pair"]


def head(candidate):
    """What of a candidate the sentence itself says: no article, no ending, no "one"."""
    return re.sub(r"\Athe |'s\Z| ones?(?:'s)?\Z", "", candidate.lower())


def test_candidates_of_a_possessive_are_possessive():
    """A candidate that stands for a possessive pronoun is one itself."""
    rows = [row for row in ROWS["en"] if row["pronoun"] in POSSESSIVE]
    assert rows
    assert all(text.endswith("'s") for row in rows for text in row["candidates"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_phrase_turns_the_referent_round(language):
    """Twins differ in the special phrase alone, and in their answers."""
    for name, (one, other) in PAIRS[language].items():
        assert [one["twin"], other["twin"]] == [1, 2], name
        assert {one["answer"], other["answer"]} == {0, 1}, name
        assert all(one[key] == other[key] for key in ("domain", "pronoun", "candidates")), name
        assert one["special"] != other["special"], name
        assert sentence(one) in swapped(other, one["special"]), name


def swapped(row, phrase):
    """The sentence with `phrase` for the special phrase, once for each place where that occurs."""
    text, special = sentence(row), row["special"]
    places = [match.start() for match in re.finditer(re.escape(special), text)]
    return [text[:place] + phrase + text[place + len(special) :] for place in places]


@pytest.mark.parametrize("language", LANGUAGES)
def test_neither_position_is_favoured(language):
    """The first candidate is right in half of all twins, and in half of the first twins."""
    rows = ROWS[language]
    assert sum(row["answer"] for row in rows) * 2 == len(rows)
    first = [row["answer"] for row in rows if row["twin"] == 1]
    assert abs(sum(first) * 2 - len(first)) <= 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_pair_repeats_another(language):
    """No two pairs share more than 0.8 of their words."""
    bags = [(row["pair"], set(units(sentence(row), language))) for row in ROWS[language]]
    close = [
        (one, other)
        for (one, left), (other, right) in itertools.combinations(bags, 2)
        if one != other and overlap(left, right) > 0.8
    ]
    assert close == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_domains_are_varied(language):
    """At least ten domains, none of which holds a quarter of the pairs."""
    domains = Counter(row["domain"] for row in ROWS[language])
    assert len(domains) >= 10
    assert max(domains.values()) * 4 < len(ROWS[language])


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published schemas are not at hand")
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_close_to_a_published_one(language):
    """No sentence shares more than half of its content words with one of XWinograd."""
    with gzip.open(PUBLISHED, "rt", encoding="utf-8") as lines:
        fields = [line.split("\t") for line in lines]
    known = [content(row[3], language) for row in fields if row[0] == language]
    assert known
    for row in ROWS[language]:
        ours = content(sentence(row), language)
        assert max(overlap(ours, theirs) for theirs in known) <= 0.5, row["pair"]


@pytest.mark.parametrize(("language", "kind"), TASKS)
def test_a_task_says_what_it_is(language, kind):
    """A task is named by its path, tagged by its part, and clusters twins by pair."""
    data = task(language, kind)
    assert data["task"] == f"winograd/{language}{kind}"
    assert next(iter(data)) == "task"
    assert data["language"] == language
    assert data["method"] == SCALE[kind]
    assert data["data"] == {"file": f"rows/{language}.jsonl"}
    assert data["tags"] == (["winograd"] if kind == "-partial" else ["core", "winograd"])
    assert data["cluster"] == "{{ pair }}"
    assert data["metrics"] == ["accuracy", "pair_accuracy"]
    assert data["chance"] == 0.5


@pytest.mark.parametrize(("language", "kind"), TASKS)
def test_the_prompt_shows_the_whole_sentence(language, kind):
    """The rendered prompt holds the sentence as a reader sees it."""
    template = compile_template(task(language, kind)["prompt"])
    assert all(sentence(row) in template.render(row) for row in ROWS[language])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["", "-partial"])
def test_context_and_text_make_the_sentence_with_the_candidate(language, kind):
    """Scored after its context, each option is the sentence with a candidate for the pronoun."""
    options = [
        [compile_template(option[part]) for part in ("context", "text")]
        for option in task(language, kind)["choices"]
    ]
    for row in ROWS[language]:
        for candidate, (context, text) in zip(row["candidates"], options, strict=True):
            whole = row["prefix"] + candidate + row["suffix"]
            assert context.render(row) + text.render(row) == whole
            assert (text.render(row) == row["suffix"]) == (kind == "-partial")


@pytest.mark.parametrize("language", LANGUAGES)
def test_targets_name_the_right_candidate(language):
    """Rank tasks give its index, choose tasks the candidate itself."""
    index = compile_template(task(language, "")["target"])
    name = compile_template(task(language, "-choose")["target"])
    for row in ROWS[language]:
        assert index.render(row) == str(row["answer"])
        assert name.render(row) == row["candidates"][row["answer"]]
