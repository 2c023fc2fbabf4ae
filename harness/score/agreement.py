"""Does a model agree with itself: the entropy of its answers when asked again.

Several samples of one question (epochs, temperature above 0) fall into classes of equal answer.
Entropy over classes is high where a model guesses (semantic entropy, Kuhn et al. 2023,
arXiv:2302.09664, with equality after normalisation in place of entailment), and its AUROC says
how well that warns of wrong answers. The functions know no summary: labels and numbers in,
numbers out.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from harness.records import Group, Outcome, Score
from harness.score.hallucination import graded
from harness.text.abstention import abstention
from harness.text.confidence import without_confidence
from harness.text.normalise import normalise

if TYPE_CHECKING:
    import numpy as np

ABSTAINED = "(abstained)"
"""The class of all answers that decline, whatever their words."""
CLASS_BITS = 52
"""A class is stored as an integer that a float holds exactly."""


class Item(NamedTuple):
    """One question, its samples taken together."""

    item: str
    n: int
    """Samples that count."""
    entropy: float
    """In nats, 0 … ln n."""
    agreement: float
    """1 - entropy / ln n, in 0…1: the confidence that agreement expresses."""
    majority: float
    """Share of the commonest answer."""
    correct: float
    """1 or 0: whether the commonest answer is right; the first met among equals."""


def answer_entropy(answers: Sequence[Hashable]) -> float | None:
    """Return -Σ p ln p over the classes of equal answers, in nats; None of nothing.

    >>> answer_entropy(["a", "a"]), answer_entropy(["a", "b"])
    (0.0, 0.6931471805599453)
    """
    if not answers:
        return None
    total = len(answers)
    shares = [count / total for count in Counter(answers).values()]
    return sum(-share * math.log(share) for share in shares) + 0.0


def agreement(answers: Sequence[Hashable]) -> float | None:
    """Return 1 - entropy / ln n: 1 where all answers agree, 0 where no two do; None below two."""
    if len(answers) < 2:  # noqa: PLR2004 - one answer neither agrees nor disagrees
        return None
    entropy = answer_entropy(answers)
    assert entropy is not None
    return min(1.0, max(0.0, 1.0 - entropy / math.log(len(answers))))


def answer_class(outcome: Outcome, score: Score) -> str | None:
    """Return the normalised answer, which equal answers share; None for no readable one."""
    sample = outcome.sample
    if score.status != "ok" or score.answer is None:
        return None
    if abstention(score.answer, sample) is not None:
        return ABSTAINED
    if graded(outcome, score) == "correct" and sample.target:
        return f"={normalise(sample.target[0], sample.language)}"
    return normalise(without_confidence(score.answer), sample.language)


def class_number(name: str) -> float:
    """Return a class as a number: below 2**52, so that a column of floats holds it exactly."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return float(int.from_bytes(digest, "big") >> (64 - CLASS_BITS))


def by_item(
    items: Sequence[str], classes: Sequence[Hashable], correct: Sequence[float]
) -> list[Item]:
    """Group samples by item, in order of first appearance; those with one sample are left out.

    The three columns are aligned, one row a sample; leave out rows without a readable answer.
    Raises ValueError where their lengths differ.
    """
    if not len(items) == len(classes) == len(correct):
        raise ValueError(
            f"columns must be aligned, got {len(items)}, {len(classes)} and {len(correct)} rows"
        )
    groups: dict[str, list[int]] = {}
    for row, item in enumerate(items):
        groups.setdefault(item, []).append(row)
    return [
        _item(item, [classes[row] for row in rows], [correct[row] for row in rows])
        for item, rows in groups.items()
        if len(rows) > 1
    ]


def _item(item: str, classes: Sequence[Hashable], correct: Sequence[float]) -> Item:
    entropy, agreed = answer_entropy(classes), agreement(classes)
    assert entropy is not None
    assert agreed is not None
    name, count = Counter(classes).most_common(1)[0]
    return Item(
        item, len(classes), entropy, agreed, count / len(classes), correct[classes.index(name)]
    )


def entropy_auroc(found: Sequence[Item]) -> float | None:
    """Return the chance that an item answered right has less entropy than one answered wrong.

    Ties count half. None where all are right, or all wrong.
    """
    from harness.stats import calibration  # noqa: PLC0415 - scipy only where it is needed

    return calibration.auroc([one.agreement for one in found], [one.correct for one in found])


@dataclass(frozen=True, slots=True)
class AgreementMetric:
    """Implements protocols.Metric over items: the summary calls `per_item` before `combine`.

    `score` gives the class of a sample's answer as a number, which is a name and not an amount:
    `combine` on such values, without the column `item`, is None.
    """

    name: str
    measure: Literal["entropy", "auroc"]
    group: Group = "calibration"
    higher_is_better: bool | None = None
    interval: Literal["proportion", "mean", "bootstrap", "none"] = "bootstrap"
    unit: Literal["sample", "cluster"] = "sample"
    observed: bool = False

    def score(self, outcome: Outcome, score: Score) -> float | None:
        """Return the number of the answer's class, or None for no readable answer."""
        name = answer_class(outcome, score)
        return None if name is None else class_number(name)

    def per_item(
        self, items: Sequence[str], classes: np.ndarray, correct: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return columns `item`, `value` and `confidence`, a row an item of two or more samples.

        `items` names each sample's item (sample_id), `classes` holds this metric's values and
        `correct` the primary metric's, one row a sample, rows without a value left out.
        """
        import numpy as np  # noqa: PLC0415 - as in the summary, which alone calls this

        found = by_item(list(items), classes.tolist(), correct.tolist())
        value = [one.entropy if self.measure == "entropy" else one.correct for one in found]
        return {
            "item": np.array([one.item for one in found], dtype=object),
            "value": np.array(value, dtype=float),
            "confidence": np.array([one.agreement for one in found], dtype=float),
        }

    def combine(self, columns: Mapping[str, np.ndarray]) -> float | None:
        """Return the mean entropy, or the AUROC of agreement against correctness, over items."""
        from harness.stats import calibration  # noqa: PLC0415 - scipy only where it is needed

        if "item" not in columns or not len(columns["value"]):
            return None
        if self.measure == "entropy":
            return float(columns["value"].mean())
        return calibration.auroc(columns["confidence"], columns["value"])


ANSWER_ENTROPY = AgreementMetric("answer_entropy", "entropy", higher_is_better=False)
ENTROPY_AUROC = AgreementMetric("entropy_auroc", "auroc", higher_is_better=True)
