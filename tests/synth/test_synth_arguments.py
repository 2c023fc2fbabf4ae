"""Arguments of generators: defaults, limits, and messages that name what is wrong."""

from __future__ import annotations

import pytest

from harness.errors import InvalidFile, UsageError
from harness.synth.arguments import Arguments

KNOWN = ("digits", "kinds", "per_cell")


def read_all(args):
    """Read every argument."""
    given = Arguments(args, KNOWN)
    given.integers("digits", 1, 9, (2,))
    given.names("kinds", ("a", "b"))
    given.per_cell()


def test_absent_arguments_have_defaults():
    """What is not said is the default; all names where a list of names has none."""
    given = Arguments({}, KNOWN)
    assert given.per_cell() == 100
    assert given.integers("digits", 1, 9, (2, 3)) == [2, 3]
    assert given.names("kinds", ("a", "b")) == ["a", "b"]
    assert given.names("kinds", ("a", "b"), ["b"]) == ["b"]
    assert given.name("kinds", ("a", "b"), "a") == "a"


def test_given_arguments_are_taken():
    """What is said stands, in the order in which it is said."""
    given = Arguments({"digits": (5, 1), "kinds": ["b", "a"], "per_cell": 7}, KNOWN)
    assert given.per_cell() == 7
    assert given.integers("digits", 1, 9, (2,)) == [5, 1]
    assert given.names("kinds", ("a", "b")) == ["b", "a"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"digit": 1}, "digit: unknown argument (did you mean 'digits'?); allowed: digits, kinds"),
        ({"digits": [0]}, "digits: wrong argument; allowed: a list of whole numbers from 1 to 9"),
        ({"digits": [1, 1]}, "each once; got: [1, 1]"),
        ({"digits": "12"}, "got: '12'"),
        ({"digits": [1.0]}, "got: [1.0]"),
        ({"kinds": ["c"]}, "a list of a, b; got: ['c']"),
        ({"kinds": [["a"]]}, "got: [['a']]"),
        ({"kinds": None}, "got: None"),
        ({"per_cell": True}, "whole number from 1 to 100000; got: True"),
        ({"per_cell": 10**9}, "got: 1000000000"),
    ],
)
def test_wrong_arguments_are_named(args, said):
    """The message has the argument's name, what is allowed and what came."""
    with pytest.raises(InvalidFile) as caught:
        read_all(args)
    assert said in str(caught.value)
    assert isinstance(caught.value, UsageError)


def test_one_name_must_be_one_of_those_allowed():
    """A list where one name is wanted, and an unknown one, are refused."""
    for wrong in (["a"], "c", 1):
        with pytest.raises(InvalidFile, match="one of a, b"):
            Arguments({"kinds": wrong}, KNOWN).name("kinds", ("a", "b"), "a")
