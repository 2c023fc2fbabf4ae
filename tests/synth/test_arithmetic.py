"""Arithmetic rows: balance, exactness, sameness, and what is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InvalidFile, UsageError
from harness.synth.arithmetic import Arithmetic, count_borrows, count_carries

TASKS = Path(__file__).parent.parent.parent / "tasks" / "arithmetic"
OPERATIONS = ("add", "subtract", "multiply", "divide")
SMALL_CELLS = {"add": 100, "subtract": 55, "multiply": 100, "divide": 90}
FIRST_SUMS = [(216, 409), (918, 849), (779, 895)]
FIRST_QUOTIENTS = [(4606, 49), (1598, 34), (728, 56)]
numbers = st.integers(0, 10**9)


def rows(operation, digits=(1, 2, 3), per_cell=100, seed=0):
    """The generator's rows as a list."""
    return list(
        Arithmetic()({"operation": operation, "digits": list(digits), "per_cell": per_cell}, seed)
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_cells_are_balanced(operation):
    """Each cell has `per_cell` rows; the one-digit cell has all its items where they are fewer."""
    cells = Counter(row["digits"] for row in rows(operation))
    assert cells == {1: SMALL_CELLS[operation], 2: 100, 3: 100}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("per_cell", [1, 40, 99, 10_000])
def test_rows_of_a_cell_are_distinct(operation, per_cell):
    """No pair of operands comes twice in a cell, whether it is sampled or run whole."""
    pairs = [(row["a"], row["b"], row["digits"]) for row in rows(operation, (1, 2), per_cell)]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("digits", [1, 2, 3, 7, 19])
@pytest.mark.parametrize(
    ("operation", "symbol"), [("add", "+"), ("subtract", "-"), ("multiply", "*")]
)
def test_operands_have_the_digits_of_their_cell(operation, symbol, digits):
    """Both operands have exactly d digits, and the answer is the exact integer."""
    for row in rows(operation, [digits], 30):
        assert len(str(row["a"])) == len(str(row["b"])) == row["digits"] == digits
        assert row["operator"] == symbol
        exact = {"+": row["a"] + row["b"], "-": row["a"] - row["b"], "*": row["a"] * row["b"]}
        assert row["answer"] == str(exact[symbol])


@pytest.mark.parametrize("digits", [1, 2, 5])
def test_division_is_exact(digits):
    """Divisor and quotient have d digits, the divisor is not zero, and nothing remains."""
    for row in rows("divide", [digits]):
        assert row["b"] > 0
        assert divmod(row["a"], row["b"]) == (int(row["answer"]), 0)
        assert len(str(row["b"])) == len(row["answer"]) == digits


def test_subtraction_never_goes_below_zero():
    """In every subtraction a >= b."""
    assert all(row["a"] >= row["b"] for row in rows("subtract"))


@given(numbers, numbers)
def test_carries_by_digit_sums(a, b):
    """By Kummer's count: each carry takes nine from the sum of the digits."""

    def digit_sum(number):
        return sum(map(int, str(number)))

    assert 9 * count_carries(a, b) == digit_sum(a) + digit_sum(b) - digit_sum(a + b)


@given(numbers, numbers)
def test_borrows_are_the_carries_of_the_sum_back(a, b):
    """Taking b from a borrows exactly where adding b back to the difference carries."""
    a, b = max(a, b), min(a, b)
    assert count_borrows(a, b) == count_carries(a - b, b)


def test_carries_stand_only_where_columns_carry():
    """Rows of add and subtract have `carries`; multiply and divide have not."""
    assert rows("add", [2])[0]["carries"] in (0, 1, 2)
    assert "carries" in rows("subtract", [2])[0]
    assert not any("carries" in row for row in rows("multiply") + rows("divide"))


def test_same_seed_same_rows():
    """The same arguments and seed give the same rows; another seed gives others."""
    assert rows("add", [4]) == rows("add", [4])
    assert rows("add", [4]) != rows("add", [4], seed=1)


def test_rows_stay_as_they_are():
    """The first rows at seed 0 are fixed for ever: a change of them raises `version`."""
    assert Arithmetic.version == 1
    assert [(row["a"], row["b"]) for row in rows("add", [3])[:3]] == FIRST_SUMS
    assert [(row["a"], row["b"]) for row in rows("divide", [2])[:3]] == FIRST_QUOTIENTS


def test_a_cell_does_not_depend_on_its_neighbours():
    """Leaving cells out changes nothing in the others."""
    assert rows("multiply", [3]) == [r for r in rows("multiply", [1, 3, 5]) if r["digits"] == 3]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"operation": "root"}, "operation: wrong argument; allowed: add, subtract"),
        ({"operation": ["add"]}, "operation: wrong argument"),
        ({"digits": []}, "digits: wrong argument; allowed: a list"),
        ({"digits": 3}, "got: 3"),
        ({"digits": [0]}, "whole numbers from 1 to 19; got: [0]"),
        ({"digits": [True]}, "got: [True]"),
        ({"digits": ["2"]}, "got: ['2']"),
        ({"digits": [20]}, "got: [20]"),
        ({"digits": [2, 2]}, "each number once"),
        ({"per_cell": 0}, "per_cell: wrong argument"),
        ({"per_cell": 1.5}, "got: 1.5"),
        ({"per_cell": True}, "got: True"),
        ({"digit": [2]}, "digit: unknown argument (did you mean 'digits'?)"),
    ],
)
def test_wrong_arguments_are_named(change, said):
    """An unknown or wrong argument is refused with its name, what is allowed and what came."""
    args = {"operation": "add", "digits": [2], "per_cell": 5} | change
    with pytest.raises(InvalidFile) as caught:
        Arithmetic()(args, 0)
    assert said in str(caught.value)
    assert isinstance(caught.value, UsageError)


def test_missing_arguments_are_named():
    """A missing operation is said to be missing; per_cell has a default of 100."""
    with pytest.raises(InvalidFile, match="got: nothing"):
        Arithmetic()({"digits": [1]}, 0)
    assert len(list(Arithmetic()({"operation": "add", "digits": [2]}, 0))) == 100


@pytest.mark.parametrize("name", ["addition", "subtraction", "multiplication", "division"])
def test_task_files_fit_the_generator(name):
    """Each task's arguments are accepted, and its slices are fields of every row."""
    task = yaml.safe_load((TASKS / f"{name}.yaml").read_text(encoding="utf-8"))
    made = list(Arithmetic()(task["data"]["args"], task["data"]["seed"]))
    single = [name for name in task["slices"] if isinstance(name, str)]
    assert all(name in row for row in made for name in single)
    assert f" {made[0]['operator']} " in task["prompt"]
    assert task["task"] == f"arithmetic/{name}"
