"""Perturbations: the same sample, put differently, with the same answer.

A perturbation takes a rendered sample and a random stream and returns a new sample. It changes
one thing (`changes`), sets `variant` to its name, and lists in `spans` what it changed in the
input. Protected spans stay as they are, byte for byte. Where there is nothing to change, or the
sample's language is not one that it is made for, the text comes back as it was.

This module only names the built-in ones; importing it loads none of them.
"""

from __future__ import annotations

from harness.plugins import BUILTIN as _EVERYTHING

BUILTIN = _EVERYTHING["perturbation"]
"""Name → `module:class`. Every class is a frozen dataclass that can be made without arguments."""
