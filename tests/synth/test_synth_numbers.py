"""Generators beside plain integers: balance, exactness, sameness, and what is refused."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from functools import cache
from math import gcd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InvalidFile
from harness.identity import CounterRandom, content_key
from harness.plugins import load
from harness.synth.arithmetic import count_borrows, count_carries
from harness.synth.bases import written
from harness.synth.carries import borrow_pattern, carry_pattern, longest_run
from harness.synth.cells import balanced, number_of
from harness.synth.expressions import MAX_VALUE, Node, grow, join
from harness.text.calculation import calculate
from harness.text.number_formats import FORMATS
from harness.text.numerals import canonical, parse_number

CELLS = {
    "carries": ("digits", "carries"),
    "negatives": ("operation", "digits", "signs"),
    "decimals": ("operation", "places"),
    "fractions": ("operation", "denominators"),
    "remainders": ("digits",),
    "residues": ("form", "digits"),
    "comparison": ("kind",),
    "sorting": ("kind", "length"),
    "bases": ("base", "operation", "digits"),
    "expressions": ("depth",),
    "number_formats": ("given", "asked", "digits"),
}

KEYS = {
    "carries": (1, "f115b0382099380f"),
    "negatives": (1, "8718cbb3da885511"),
    "decimals": (1, "b988f3f0c74f610f"),
    "fractions": (1, "526b3f14601ab35d"),
    "remainders": (1, "3d16ea024f7c10ec"),
    "residues": (1, "b1e757b7e86a626d"),
    "comparison": (1, "0b1da0a79f9578d1"),
    "sorting": (1, "1c3f8dba91894436"),
    "bases": (1, "d4a7f834e559e2b5"),
    "expressions": (1, "4375963f34239749"),
    "number_formats": (1, "e04f2ff81a18bfcb"),
}
"""Version and hash of the default rows."""


def made_anew(name, seed=0, **args):
    """A generator's rows as a list."""
    return list(load("generator", name)()(args, seed))


@cache
def default_rows(name):
    """The rows without arguments at seed 0, made once for all tests."""
    return made_anew(name)


def rows(name, **args):
    """A generator's rows at seed 0."""
    return made_anew(name, **args) if args else default_rows(name)


@pytest.mark.parametrize("name", CELLS)
def test_cells_have_100_rows_or_all_there_are(name):
    """Each cell has 100 rows; one that has fewer says of each row that the cell is whole."""
    cells = Counter(tuple(row[field] for field in CELLS[name]) for row in rows(name))
    whole = {tuple(row[field] for field in CELLS[name]) for row in rows(name) if row.get("whole")}
    assert {cell for cell, count in cells.items() if count < 100} == whole
    assert max(cells.values()) == 100


@pytest.mark.parametrize("name", CELLS)
def test_rows_are_distinct(name):
    """No row comes twice."""
    made = rows(name)
    assert len({content_key(row) for row in made}) == len(made)


@pytest.mark.parametrize("name", CELLS)
def test_same_seed_same_rows(name):
    """The same arguments and seed give the same rows; another seed gives others."""
    assert rows(name) == made_anew(name)
    assert rows(name) != made_anew(name, seed=1)


@pytest.mark.parametrize("name", CELLS)
def test_rows_stay_as_they_are(name):
    """All rows at seed 0 are fixed for ever: a change of them raises `version` and this key."""
    assert (load("generator", name).version, content_key(rows(name))[:16]) == KEYS[name]


@pytest.mark.parametrize("name", [n for n in CELLS if n not in ("remainders", "bases")])
def test_a_wrong_argument_is_named(name):
    """An unknown argument is refused with what is allowed."""
    with pytest.raises(InvalidFile, match="did you mean 'per_cell'"):
        rows(name, per_cel=3)
    with pytest.raises(InvalidFile, match="per_cell: wrong argument; allowed: a whole number"):
        rows(name, per_cell=0)


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("carries", {"operation": "divide"}, "allowed: one of add, subtract; got: 'divide'"),
        ("carries", {"digits": []}, "a list of whole numbers from 1 to 18; got: []"),
        ("carries", {"digits": [2, 2]}, "each once"),
        ("carries", {"digits": [True]}, "got: [True]"),
        ("carries", {"digits": 4}, "got: 4"),
        ("negatives", {"signs": ["+"]}, "a list of -+, +-, --, ++"),
        ("fractions", {"largest": 1}, "a whole number from 6 to 1000"),
        ("expressions", {"depths": [13]}, "from 1 to 12"),
    ],
)
def test_wrong_values_are_named(name, args, said):
    """A value of the wrong kind or range is refused with what is allowed and what came."""
    with pytest.raises(InvalidFile) as caught:
        rows(name, **args)
    assert said in str(caught.value)


# ---- carries ----------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["add", "subtract"])
def test_carries_are_as_the_cell_says(operation):
    """Counted by the generator of plain integers, the carries are those of the cell."""
    count = count_carries if operation == "add" else count_borrows
    for row in rows("carries", operation=operation, digits=[1, 3, 7], per_cell=40):
        a, b = row["a"], row["b"]
        assert count(a, b) == row["carries"]
        assert len(str(a)) == len(str(b)) == row["digits"]
        assert row["answer"] == str(a + b if operation == "add" else a - b)
        pattern = carry_pattern(a, b) if operation == "add" else borrow_pattern(a, b)
        assert longest_run(pattern) == row["chain"] <= row["carries"]


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_patterns_count_as_carries_do(a, b):
    """A pattern has as many carries as are counted one by one."""
    assert sum(carry_pattern(a, b)) == count_carries(a, b)
    a, b = max(a, b), min(a, b)
    assert sum(borrow_pattern(a, b)) == count_borrows(a, b)


def test_longest_chain():
    """95 + 7 carries twice in a row; 5050 + 5050 twice, apart."""
    assert longest_run(carry_pattern(95, 7)) == 2
    assert longest_run(carry_pattern(5050, 5050)) == 1
    assert longest_run([]) == 0


# ---- exactness --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["negatives", "decimals", "fractions", "expressions"])
def test_answers_are_those_of_the_expression(name):
    """The expression as written comes to the answer, by a parser that knows no generator."""
    for row in rows(name):
        assert calculate(row["expression"]) == Fraction(row["answer"])
        assert canonical(Fraction(row["answer"])) == row["answer"] or "/" in row["answer"]


def test_negatives_have_the_signs_of_their_cell():
    """Signs are the operands'; with two positive ones the difference lies below zero."""
    for row in rows("negatives"):
        assert "".join("-" if row[x] < 0 else "+" for x in "ab") == row["signs"]
        assert row["signs"] != "++" or row["answer"].startswith("-")


def test_decimals_have_their_places():
    """Operand a has its cell's places; unaligned operands have unlike ones; none ends in 0."""
    seen = Counter()
    for row in rows("decimals"):
        places = [len(row[x].partition(".")[2]) for x in "ab"]
        if row["operation"] != "divide":
            assert places[0] == row["places"]
        if "aligned" in row:
            assert (places[0] == places[1]) == (row["aligned"] == "yes")
            seen[row["aligned"]] += 1
        assert not any(row[x].endswith("0") and "." in row[x] for x in "ab")
    assert min(seen.values()) > 200


def test_fractions_are_in_lowest_terms():
    """Operands are proper and reduced, answers reduced, and denominators as the cell says."""
    for row in rows("fractions"):
        (p, q), (r, s) = (map(int, row[x].split("/")) for x in "ab")
        assert p < q
        assert r < s
        assert gcd(p, q) == gcd(r, s) == 1
        assert str(Fraction(row["answer"])) == row["answer"]
        kind = row["denominators"]
        assert (kind == "same") <= (q == s)
        assert (kind == "multiple") <= (q != s and (q % s == 0 or s % q == 0))
        assert (kind == "unlike") <= (q % s != 0 and s % q != 0)


def test_remainders_are_exact():
    """Divisor times quotient plus remainder is the dividend, and the remainder is not zero."""
    for row in rows("remainders"):
        assert divmod(row["a"], row["b"]) == (row["quotient"], row["remainder"])
        assert row["remainder"] > 0
        assert row["answer"] == f"{row['quotient']} remainder {row['remainder']}"


def test_residues_are_exact():
    """The expression modulo the modulus is the answer."""
    for row in rows("residues"):
        assert calculate(row["expression"]) % row["modulus"] == int(row["answer"])


# ---- comparison and sorting -------------------------------------------------------------------


def test_the_answer_is_the_larger_number():
    """The answer is one of the two, larger than the other, and first in half of each cell."""
    first = Counter()
    for row in rows("comparison"):
        assert {row["answer"], row["other"]} == {row["a"], row["b"]}
        assert Fraction(row["answer"]) > Fraction(row["other"])
        assert (row["a"] == row["answer"]) == (row["first"] == "larger")
        first[row["kind"], row["first"]] += 1
    assert set(first.values()) == {50}


def test_kinds_of_comparison_are_what_they_say():
    """Longer decimals are smaller or larger as their cell says."""
    for row in rows("comparison"):
        more, less = row["answer"], row["other"]
        if row["kind"] == "longer-is-smaller":
            assert len(less) > len(more)
            assert int(less.partition(".")[2]) > int(more.partition(".")[2])
        elif row["kind"] == "longer-is-larger":
            assert len(more) > len(less)
        elif row["kind"] == "neighbours":
            assert len(more) == len(less)
        elif row["kind"] == "negative":
            assert more.startswith("-")
            assert less.startswith("-")


def test_sorting_is_ascending_and_was_not():
    """The answer is the same numbers in ascending order; they were in neither order."""
    for row in rows("sorting"):
        given_, answer = row["numbers"].split(", "), row["answer"].split(", ")
        values = [Fraction(item) for item in answer]
        assert sorted(given_) == sorted(answer)
        assert values == sorted(values)
        assert len(set(values)) == row["length"]
        assert given_ not in (answer, answer[::-1])
        assert row["reverse"].split(", ") == answer[::-1]


# ---- bases ------------------------------------------------------------------------------------


@given(st.integers(0, 10**12), st.integers(2, 16))
def test_what_is_written_in_a_base_is_read_back(value, base):
    """Python's own reader undoes the writing."""
    assert int(written(value, base), base) == value


def test_bases_are_exact():
    """Read, written and added numbers agree with Python's reader; the wrong answer is wrong."""
    for row in rows("bases"):
        found = re.findall(r"(?<![-\w])[0-9a-f]+(?=[ .])", row["question"].split("number")[1])
        base, answer = row["base"], row["answer"]
        if row["operation"] == "read":
            assert int(found[0], base) == int(answer)
        elif row["operation"] == "write":
            assert int(answer, base) == int(found[0])
        else:
            assert int(row["a"], base) + int(row["b"], base) == int(answer, base)
        assert row["wrong"] != answer


# ---- expressions ------------------------------------------------------------------------------


def depth_of(text):
    """The depth of an expression by counting: brackets within each other, and one more."""
    depth = deepest = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        deepest = max(deepest, depth)
    return deepest + 1


def test_depth_is_the_nesting_of_brackets():
    """Depth d has d-1 brackets within each other, and small numbers throughout."""
    for row in rows("expressions"):
        assert depth_of(row["expression"]) == row["depth"]
        assert abs(int(row["answer"])) <= MAX_VALUE
        assert len(re.findall(r" [-+*] ", row["expression"])) == row["operations"]
        assert max(map(int, re.findall(r"[0-9]+", row["expression"]))) <= 9


def test_too_large_a_value_is_no_expression():
    """An operation whose result leaves the range is refused."""
    nine = Node(90, "90", 0, 0)
    assert join(nine, "*", nine) is None
    assert join(nine, "-", nine).value == 0


def test_depths_stay_cheap():
    """An expression of the greatest depth is found."""
    assert grow(CounterRandom(0), 12).depth == 12


# ---- formats ----------------------------------------------------------------------------------


def test_formats_say_the_same_numbers():
    """Operands and answer are written in the formats named, and read back as themselves."""
    every = list(FORMATS)
    for row in rows("number_formats", given=every, asked=["words", "spaced"], per_cell=5):
        assert FORMATS[row["given"]].fits(row["x"])
        assert parse_number(row["x"], spaced=True) == row["a"]
        assert parse_number(row["y"], spaced=True) == row["b"]
        assert FORMATS[row["asked"]].fits(row["written"])
        assert parse_number(row["written"], spaced=True) == int(row["answer"])
        assert parse_number(row["wrong"], spaced=True) == int(row["answer"]) + 1


def test_formats_share_their_pairs():
    """Every format has the same operands, so that formats compare as pairs."""
    made = rows("number_formats", given=["words", "chinese"], operation="subtract", per_cell=20)
    pairs = [[row["pair"] for row in made if row["given"] == name] for name in ("words", "chinese")]
    assert pairs[0] == pairs[1]
    assert all(int(row["answer"]) >= 0 for row in made)


def test_formats_are_asked_for_in_the_language_of_the_task():
    """The words that ask for a format are Chinese for a Chinese task."""
    (english,) = rows("number_formats", per_cell=1)
    (chinese,) = rows("number_formats", per_cell=1, language="zh")
    assert english["how"].isascii()
    assert not chinese["how"].isascii()


# ---- cells ------------------------------------------------------------------------------------


def test_a_small_cell_comes_whole():
    """All ten digits are found, each once, and marked as all there are."""
    made = list(
        balanced(CounterRandom(0), lambda rng: {"n": rng.below(10)}, 50, key=lambda row: row["n"])
    )
    assert sorted(row["n"] for row in made) == list(range(10))
    assert all(row["whole"] for row in made)


def test_a_cell_without_items_is_empty():
    """Draws that never make an item come to an end."""
    assert list(balanced(CounterRandom(0), lambda rng: None, 5, key=id)) == []


@given(st.integers(1, 19), st.integers(0, 100))
def test_numbers_have_their_digits(digits, seed):
    """A drawn number has exactly so many digits."""
    assert len(str(number_of(CounterRandom(seed), digits))) == digits
