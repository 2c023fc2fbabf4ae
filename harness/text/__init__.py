"""Reading text: normalising it, reading numbers out of it, finding the answer in it. Pure.

`extract` is the door: extractors by name, and chains of them. The other modules hold one rule
each. Nothing here knows tasks, models or scores.
"""
