"""Perturbations: the same sample, put differently, with the same answer.

A perturbation takes a rendered sample and a random stream and returns a new sample. It changes
one thing (`changes`), sets `variant` to its name, and lists in `spans` what it changed in the
input. Protected spans stay as they are, byte for byte. Where there is nothing to change, or the
sample's language is not one that it is made for, the text comes back as it was.

This module only names the built-in ones; importing it loads none of them.
"""

from __future__ import annotations

BUILTIN: dict[str, str] = {
    "typos": "harness.perturb.letters:Typos",
    "lowercase": "harness.perturb.letters:Lowercase",
    "uppercase": "harness.perturb.letters:Uppercase",
    "spaces": "harness.perturb.marks:Spaces",
    "punctuation": "harness.perturb.marks:Punctuation",
    "misspellings": "harness.perturb.words:Misspellings",
    "contractions": "harness.perturb.contractions:Contractions",
    "filler": "harness.perturb.words:Filler",
    "homoglyphs": "harness.perturb.letters:Homoglyphs",
    "zero_width": "harness.perturb.marks:ZeroWidth",
    "full_width": "harness.perturb.marks:FullWidth",
    "half_width": "harness.perturb.marks:HalfWidth",
    "traditional": "harness.perturb.chinese:Traditional",
    "simplified": "harness.perturb.chinese:Simplified",
    "pinyin_typos": "harness.perturb.chinese:PinyinTypos",
    "option_order": "harness.perturb.order:OptionOrder",
    "shot_order": "harness.perturb.order:ShotOrder",
    "wording": "harness.perturb.context:Wording",
    "irrelevant_sentence": "harness.perturb.context:IrrelevantSentence",
    "injection": "harness.perturb.context:Injection",
    "dialect": "harness.perturb.words:Dialect",
    "spelling_region": "harness.perturb.words:SpellingRegion",
    "gender_pronouns": "harness.perturb.pronouns:GenderPronouns",
    "names": "harness.perturb.names:Names",
    "mild": "harness.perturb.mild:Mild",
}
"""Name → `module:class`. Every class is a frozen dataclass that can be made without arguments."""
