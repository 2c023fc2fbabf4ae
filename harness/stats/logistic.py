"""Which factor matters: a logistic model of right and wrong over the factors of a task.

Marginal tables cannot tell length from carries, which grow together; a joint model can. Firth's
penalty keeps estimates finite where a factor separates right from wrong (a model that never fails
up to 3 digits), and takes away the first-order bias of small samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, expit, ndtri

FloatArray = npt.NDArray[np.float64]

MAX_STEPS = 200
TOLERANCE = 1e-9
HALVINGS = 30
MAX_LEVELS = 50
"""A factor of text with more different values is refused: it is a label, not a factor."""
BOUND = 30.0
"""Log-odds beyond which a rate is 0 or 1 to machine accuracy; without a penalty none converge."""


class Fit(NamedTuple):
    """A fitted logistic model of p columns."""

    coefficients: FloatArray
    """Log-odds, shape (p,)."""
    stderr: FloatArray
    """Shape (p,); of the columns held at 0 it is 0."""
    log_likelihood: float
    """With the penalty, where there is one."""
    converged: bool


def fit_logistic(
    design: npt.ArrayLike,
    outcomes: npt.ArrayLike,
    *,
    firth: bool = True,
    free: npt.ArrayLike | None = None,
) -> Fit:
    """Fit P(outcome = 1) = expit(design @ coefficients) by Newton's method.

    design: shape (n, p), with a column of ones where an intercept is wanted; outcomes: n times 0
    or 1. `firth` maximises l + ½ log|XᵀWX| (Firth 1993, Biometrika 80:27; Heinze & Schemper 2002,
    Statistics in Medicine 21:2409). `free` marks the columns that are fitted; the others are held
    at 0 while the penalty keeps all of them, as the penalised likelihood-ratio test needs.

    Raises ValueError where shapes do not fit, outcomes are not 0 and 1, or columns are collinear.
    """
    x, y = np.asarray(design, dtype=float), np.asarray(outcomes, dtype=float)
    if x.ndim != 2 or y.shape != (len(x),):  # noqa: PLR2004 - a matrix
        raise ValueError(f"design is n x p and outcomes n long, got {x.shape} and {y.shape}")
    if not np.isin(y, (0, 1)).all():
        raise ValueError("outcomes must be 0 or 1")
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise ValueError("columns of the design are collinear: leave one factor out")
    mask = np.ones(x.shape[1], dtype=bool) if free is None else np.asarray(free, dtype=bool)
    beta = np.zeros(x.shape[1])
    value, converged = _likelihood(x, y, beta, firth=firth), not mask.any()
    for _ in range(MAX_STEPS):
        if converged or np.abs(beta).max() > BOUND:
            break
        step = _step(x, y, beta, mask, firth=firth)
        beta, new = _climb(x, y, beta, step, value, firth=firth)
        converged, value = abs(new - value) < TOLERANCE * (1 + abs(value)), new
    covariance = np.linalg.pinv(_information(x[:, mask], expit(x @ beta)))
    stderr = np.zeros(x.shape[1])
    stderr[mask] = np.sqrt(np.diag(covariance))
    return Fit(beta, stderr, value, converged)


def _information(x: FloatArray, rate: FloatArray) -> FloatArray:
    result: FloatArray = (x * (rate * (1 - rate))[:, None]).T @ x
    return result


def _likelihood(x: FloatArray, y: FloatArray, beta: FloatArray, *, firth: bool) -> float:
    eta = x @ beta
    value = float((y * eta - np.logaddexp(0, eta)).sum())
    if not firth:
        return value
    sign, log_det = np.linalg.slogdet(_information(x, expit(eta)))
    return value + 0.5 * float(log_det) if sign > 0 else -np.inf


def _step(
    x: FloatArray, y: FloatArray, beta: FloatArray, mask: npt.NDArray[np.bool_], *, firth: bool
) -> FloatArray:
    rate = expit(x @ beta)
    residual = y - rate
    if firth:
        # hat values h of the weighted design: the score gains h(½ - rate)
        inverse = np.linalg.pinv(_information(x, rate))
        hat = rate * (1 - rate) * np.einsum("ij,jk,ik->i", x, inverse, x)
        residual = residual + hat * (0.5 - rate)
    part = x[:, mask]
    step = np.zeros(len(beta))
    step[mask] = np.linalg.pinv(_information(part, rate)) @ (part.T @ residual)
    return np.clip(step, -5, 5)


def _climb(
    x: FloatArray,
    y: FloatArray,
    beta: FloatArray,
    step: FloatArray,
    value: float,
    *,
    firth: bool,
) -> tuple[FloatArray, float]:
    """Take the step, halved until the likelihood does not fall."""
    for _ in range(HALVINGS):
        new = _likelihood(x, y, beta + step, firth=firth)
        if new >= value:
            return beta + step, new
        step = step / 2
    return beta, value


# ---- factors ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effect:
    """What one factor does to the odds of a right answer, the other factors held still."""

    name: str
    degrees: int
    """Columns that stand for it."""
    statistic: float
    """Penalised likelihood-ratio: twice what the model loses without it."""
    p_value: float
    share: float
    """`statistic` over that of all factors together; shares need not sum to 1."""
    odds: dict[str, tuple[float, float, float]]
    """Log-odds with the ends of their interval: per standard deviation (key `per sd`) of a
    number, against the first value for each other value of a text."""


def factor_effects(
    factors: Mapping[str, Sequence[Any]], outcomes: npt.ArrayLike, confidence: float = 0.95
) -> list[Effect]:
    """Return the effect of each factor, the weightiest first.

    factors: by name n values, numbers or texts; one that never varies is left out. outcomes: n
    times 0 or 1. The test is the penalised likelihood-ratio test with chi-square tail (Heinze &
    Schemper 2002); intervals are Wald's. Rows count as independent. Raises ValueError as
    `fit_logistic`, and for a text with more than 50 values.
    """
    columns = {name: _columns(name, values) for name, values in factors.items()}
    columns = {name: made for name, made in columns.items() if made}
    n = len(np.asarray(outcomes))
    owner = ["", *(name for name, made in columns.items() for _ in made)]
    design = np.column_stack(
        [np.ones(n), *(values for made in columns.values() for values in made.values())]
    )
    full = fit_logistic(design, outcomes)
    none = fit_logistic(design, outcomes, free=[name == "" for name in owner])
    total = max(2 * (full.log_likelihood - none.log_likelihood), 0.0)
    z = float(ndtri(0.5 + confidence / 2))
    effects = []
    for name, made in columns.items():
        without = fit_logistic(design, outcomes, free=[other != name for other in owner])
        lost = max(2 * (full.log_likelihood - without.log_likelihood), 0.0)
        places = [i for i, other in enumerate(owner) if other == name]
        odds = {label: _interval(full, place, z) for label, place in zip(made, places, strict=True)}
        p_value = float(chdtrc(len(made), lost))
        share = lost / total if total else 0.0
        effects.append(Effect(name, len(made), lost, p_value, share, odds))
    return sorted(effects, key=lambda effect: -effect.statistic)


def _interval(fit: Fit, place: int, z: float) -> tuple[float, float, float]:
    value, error = float(fit.coefficients[place]), float(fit.stderr[place])
    return value, value - z * error, value + z * error


def _columns(name: str, values: Sequence[Any]) -> dict[str, FloatArray]:
    """Return the columns of one factor by label; none where it never varies."""
    if all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in values):
        numbers = np.asarray(values, dtype=float)
        spread = float(numbers.std()) if len(numbers) else 0.0
        return {"per sd": (numbers - numbers.mean()) / spread} if spread else {}
    texts = [str(value) for value in values]
    kinds = sorted(set(texts))
    if len(kinds) > MAX_LEVELS:
        raise ValueError(f"factor '{name}' has {len(kinds)} values; at most {MAX_LEVELS}")
    array = np.asarray(texts)
    return {kind: (array == kind).astype(float) for kind in kinds[1:]}
