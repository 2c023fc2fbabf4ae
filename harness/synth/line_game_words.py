"""The rules of a drawn game in words, English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from harness.synth.line_game import CELLS, Game, Rule

_side = MappingProxyType({
    "en": {"left": "to the left", "right": "to the right", "either": "to either side"},
    "zh": {"left": "向左", "right": "向右", "either": "向左或向右"},
})  # fmt: skip
_next = MappingProxyType({
    "en": {"left": "on its left", "right": "on its right", "either": "on either side"},
    "zh": {"left": "左边", "right": "右边", "either": "左边或右边"},
})  # fmt: skip
_between = MappingProxyType({
    "en": {
        "any": " Pieces in between do not matter.",
        "none": " All cells in between must be empty.",
        "some": " At least one piece must stand in between.",
    },
    "zh": {
        "any": "中间有没有棋子都可以。",
        "none": "中间的格子必须全空。",
        "some": "中间至少要有一枚棋子。",
    },
})  # fmt: skip


def rules_text(game: Game, language: str) -> str:
    """Return the rules of a game as lines of text."""
    write = _chinese if language == "zh" else _english
    lines = [write(rule) for rule in game.rules]
    lines += [text.format(cell=game.barred, cells=CELLS) for text in _general(game, language)]
    return "\n".join(f"- {line}" for line in lines)


def _english(rule: Rule) -> str:
    if rule.kind == "swap":
        side = _next["en"][rule.side]
        return f"{rule.letter} changes places with the piece {side}, if there is one."
    cells = "1 cell" if rule.distance == 1 else f"{rule.distance} cells"
    move = f"{rule.letter} moves exactly {cells} {_side['en'][rule.side]}, onto an empty cell."
    return move + (_between["en"][rule.between] if rule.distance > 1 else "")


def _chinese(rule: Rule) -> str:
    if rule.kind == "swap":
        side = _next["zh"][rule.side]
        return f"{rule.letter} 可以和紧挨在它{side}的棋子交换位置，前提是那里有棋子。"
    move = f"{rule.letter} {_side['zh'][rule.side]}正好走 {rule.distance} 格，落到空格上。"
    return move + (_between["zh"][rule.between] if rule.distance > 1 else "")


_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "en": MappingProxyType({
        "ring": "The line is a ring: to the right of cell {cells} comes cell 1.",
        "open": "The line ends at cell 1 and at cell {cells}.",
        "barred": "No move may end on cell {cell}.",
        "alternate": "The same letter may not move twice running.",
    }),
    "zh": MappingProxyType({
        "ring": "棋盘首尾相接：第 {cells} 格的右边是第 1 格。",
        "open": "棋盘到第 1 格和第 {cells} 格为止。",
        "barred": "任何一步都不能落在第 {cell} 格。",
        "alternate": "同一个字母的棋子不能连走两步。",
    }),
})  # fmt: skip


def _general(game: Game, language: str) -> list[str]:
    words = _WORDS[language]
    found = [words["ring" if game.ring else "open"]]
    if game.barred is not None:
        found.append(words["barred"])
    if game.alternate:
        found.append(words["alternate"])
    return found
