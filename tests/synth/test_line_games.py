"""Drawn games, judged a second time by a referee that knows nothing but the rules in words."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations

import pytest

from harness.errors import InvalidFile
from harness.synth.apart import CLOSEST, bag, overlap
from harness.synth.line_game import Game, Move, Rule, after, moved
from harness.synth.line_games import QUESTIONS, LineGames

STEP = re.compile(
    r"- (\w) moves exactly (\d) cells? to (the left|the right|either side), onto an empty cell\."
    r"(?: (Pieces in|All cells|At least).*)?"
)
SWAP = re.compile(r"- (\w) changes places with the piece on (its left|its right|either side),.*")
SIDES = {"left": (-1,), "right": (1,), "side": (-1, 1)}


def rows(question, language="en", seed=0, per_cell=20):
    return list(
        LineGames()({"question": question, "language": language, "per_cell": per_cell}, seed)
    )


class Referee:
    """Reads the English rules, and judges moves by them."""

    def __init__(self, text):
        self.ring = "The line is a ring" in text
        assert self.ring != ("The line ends at cell 1 and at cell 8" in text)
        barred = re.search(r"No move may end on cell (\d)", text)
        self.barred = int(barred[1]) if barred else None
        self.alternate = "may not move twice running" in text
        self.rules = {}
        for line in text.splitlines():
            if step := STEP.fullmatch(line):
                sides = SIDES[step[3].split()[-1]]
                self.rules[step[1]] = ("step", int(step[2]), sides, (step[4] or "")[:3])
            elif swap := SWAP.fullmatch(line):
                self.rules[swap[1]] = ("swap", 1, SIDES[swap[2].split()[-1]], "")

    def legal(self, row, start, end, last):
        letter = row[start - 1]
        if letter == "-" or end == self.barred or (self.alternate and letter == last):
            return False
        kind, distance, sides, between = self.rules[letter]
        if (row[end - 1] == "-") != (kind == "step"):
            return False
        for sign in sides:
            cells = [start + sign * i for i in range(1, distance + 1)]
            if self.ring:
                cells = [(cell + 7) % 8 + 1 for cell in cells]
            if cells[-1] != end:
                continue
            pieces = sum(row[cell - 1] != "-" for cell in cells[:-1])
            if {"": True, "Pie": True, "All": not pieces, "At ": pieces > 0}[between]:
                return True
        return False


def parsed(text):
    return [] if text == "-" else [tuple(map(int, m.split("-"))) for m in text.split(", ")]


def judged(row):
    """Return which moves of a row are legal, and the position and last letter at the end."""
    referee, now, last, verdicts = Referee(row["rules"]), row["row"], None, []
    for start, end in parsed(row["moves"]):
        verdicts.append(referee.legal(now, start, end, last))
        last, cells = now[start - 1], list(now)
        cells[start - 1], cells[end - 1] = cells[end - 1], cells[start - 1]
        now = "".join(cells)
    return verdicts, now, last


@pytest.mark.parametrize("seed", range(3))
def test_legality_is_what_a_referee_says(seed):
    """Every single move is judged alike from the rules in words."""
    found = rows("legality", seed=seed)
    for row in found:
        verdicts, _, _ = judged(row)
        assert verdicts == [row["answer"] == "legal"], row
        assert row["gold"] == 1 - row["legal"]
    assert Counter(row["answer"] for row in found) == {"legal": 20, "illegal": 20}


@pytest.mark.parametrize("seed", range(3))
def test_the_first_illegal_move_is_the_referees(seed):
    """All moves before it are legal, it is not; 0 where all are."""
    found = rows("first_illegal", seed=seed)
    for row in found:
        verdicts, _, _ = judged(row)
        wanted = verdicts.index(False) + 1 if False in verdicts else 0
        assert (row["answer"], row["illegal"]) == (str(wanted), wanted)
        assert len(verdicts) == 4
    assert set(Counter(row["illegal"] for row in found).values()) == {20}


@pytest.mark.parametrize("seed", range(3))
def test_positions_are_the_referees(seed):
    """All moves are legal, and lead to the answer, which is not where they began."""
    for row in rows("position", seed=seed):
        verdicts, now, _ = judged(row)
        assert all(verdicts)
        assert len(verdicts) == row["plies"]
        assert now == row["answer"] != row["wrong"] == row["row"]


@pytest.mark.parametrize("seed", range(3))
def test_accepted_moves_are_all_the_legal_ones(seed):
    """Neither more nor fewer are accepted, at most six; the wrong one is illegal."""
    for row in rows("move", seed=seed):
        _, now, last = judged(row)
        referee = Referee(row["rules"])
        legal = {
            f"{start}-{end}"
            for start in range(1, 9)
            for end in range(1, 9)
            if start != end and referee.legal(now, start, end, last)
        }
        assert set(row["accepted"]) == legal
        assert 1 <= len(legal) <= 6
        assert row["wrong"] not in legal


@pytest.mark.parametrize("question", QUESTIONS)
def test_both_languages_get_the_same_games(question):
    """Rows differ in the words of the rules alone."""
    english, chinese = rows(question), rows(question, "zh")
    for left, right in zip(english, chinese, strict=True):
        assert {**left, "rules": ""} == {**right, "rules": ""}
        assert len(left["rules"].splitlines()) == len(right["rules"].splitlines())
        assert not re.search("[a-z]", right["rules"])


@pytest.mark.parametrize("question", QUESTIONS)
def test_games_stand_apart(question):
    """No two rows share more than 0.8 of the words of their rules, position and moves."""
    bags = [bag(f"{r['rules']} {r['row']} {r['moves']}", "en") for r in rows(question)]
    assert max(overlap(a, b) for a, b in combinations(bags, 2)) <= CLOSEST


def test_illegal_moves_break_different_rules():
    """At least four different reasons occur."""
    found = rows("first_illegal") + rows("legality")
    assert len({row["reason"] for row in found} - {"legal"}) >= 4


GAME = Game(
    rules=(
        Rule("A", "step", "right", 3, "some"),
        Rule("B", "swap", "left", 1, "any"),
        Rule("C", "step", "either", 2, "none"),
    ),
    ring=False,
    barred=8,
    alternate=True,
)


@pytest.mark.parametrize(
    ("row", "move", "last", "fault"),
    [
        ("AB------", (1, 4), None, None),
        ("AB------", (3, 4), None, "empty"),
        ("AB------", (1, 4), "A", "repeat"),
        ("----AB--", (5, 8), None, "barred"),
        ("AB------", (1, 3), None, "distance"),
        ("-A------", (2, 7), None, "distance"),
        ("AB-C----", (1, 4), None, "target"),
        ("A-------", (1, 4), None, "between"),
        ("AB------", (2, 1), None, None),
        ("-B------", (2, 1), None, "target"),
        ("--C-----", (3, 1), None, None),
        ("-BC-----", (3, 1), None, "between"),
        ("C-------", (1, 7), None, "distance"),
    ],
)
def test_faults_are_named(row, move, last, fault):
    """The first rule that a move breaks is its fault; none for a legal move."""
    assert GAME.fault(row, Move(*move), last) == fault


def test_a_ring_leads_round():
    """On a ring cell 1 follows cell 8."""
    ring = Game(rules=(Rule("C", "step", "right", 2, "none"),), ring=True, barred=None,
                alternate=False)  # fmt: skip
    assert ring.legal("-------C") == [Move(8, 2)]
    assert ring.legal("C------C") == [Move(1, 3)]


def test_a_move_exchanges_two_cells():
    """A step leaves an empty cell behind, a swap the other piece."""
    assert moved("AB------", Move(1, 4)) == "-B-A----"
    assert after("AB------", [Move(2, 1), Move(2, 5)]) == ("B---A---", "A")
    assert after("AB------", []) == ("AB------", None)


@pytest.mark.parametrize(
    ("args", "key"),
    [({"question": "chess"}, "question"), ({"language": "fr"}, "language"), ({"n": 1}, "n")],
)
def test_wrong_arguments_are_named(args, key):
    """The error names the argument."""
    with pytest.raises(InvalidFile, match=key):
        list(LineGames()(args, 0))
