"""Strengths of players from pairwise outcomes: Bradley-Terry with Davidson's ties.

P(i beats j) : P(tie) : P(j beats i) = e^{d/2} : ν : e^{-d/2} with d = θ_i - θ_j + γ'z, Σθ = 0
(Bradley & Terry 1952, Biometrika 39:324; Davidson 1970, JASA 65:317). Covariates z, differences
of the two answers such as length, take their share out of the strengths (style control).
Intervals are clustered sandwich ones, H⁻¹GH⁻¹ (White 1982; Liang & Zeger 1986): the two orders
and all pairs of one prompt are one cluster, weighted and never copied.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.stats.clusters import Clusters, FloatArray, IntArray, Labels
from harness.stats.intervals import normal_quantile

PRIOR = 1e-3
"""Precision of a normal prior on each free parameter: a player that won all has a finite
strength, and others hardly move."""
STEPS = 200
TOLERANCE = 1e-10
VIRTUAL = 0.5
"""Weight of the win and the loss that each pair that met is then given, so that its odds are those
of (w + ½)/(l + ½) (Haldane 1956, Ann. Hum. Genet. 20:309)."""


class Games(NamedTuple):
    """Outcomes, one row each."""

    first: npt.ArrayLike
    """Player numbers, 0 … K-1."""
    second: npt.ArrayLike
    outcome: npt.ArrayLike
    """1 the first won, 0 the second, 0.5 a tie."""
    weight: npt.ArrayLike | None = None
    clusters: Labels | None = None
    """Rows of one cluster (a prompt) are not independent."""
    covariates: npt.ArrayLike | None = None
    """Rows x m; standardise them first."""


class Strengths(NamedTuple):
    """What a fit found."""

    theta: FloatArray
    """Log strengths, summing to 0."""
    covariance: FloatArray
    """Of theta, by the clustered sandwich."""
    gamma: FloatArray
    """Coefficients of the covariates."""
    gamma_stderr: FloatArray
    tie: float
    """ν; 0 where there are no ties."""
    separated: bool
    """Whether some won everything against others, or all tied: there is no likeliest strength, and
    a virtual win and loss for each pair keep strengths and intervals finite."""
    connected: bool
    """Whether a chain of games joins every pair of players; if not, strengths are the prior's."""

    @property
    def stderr(self) -> FloatArray:
        """Standard errors of theta."""
        return np.sqrt(np.clip(np.diag(self.covariance), 0, None))

    def intervals(self, confidence: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return lows and highs of theta."""
        half = normal_quantile(confidence) * self.stderr
        return self.theta - half, self.theta + half

    def win_probability(self, i: int, j: int) -> float:
        """Return P(i beats j) + P(tie)/2 at equal covariates."""
        half = float(self.theta[i] - self.theta[j]) / 2
        top = max(half, -half)
        win, lose = np.exp(half - top), np.exp(-half - top)
        tie = self.tie * np.exp(-top)
        return float((win + tie / 2) / (win + lose + tie))


def fit(games: Games, players: int) -> Strengths:
    """Return the strengths of `players` players by maximum penalised likelihood (Newton).

    Raises ValueError for outcomes other than 0, 0.5 and 1, or player numbers out of range.
    """
    rows = _Rows.of(games, players)
    if not rows.separated:
        return _climbed(rows)
    return _climbed(_Rows.of(_with_virtual(games), players))._replace(separated=True)


def _with_virtual(games: Games) -> Games:
    """Return the games with a win and a loss of weight ½ for each pair that met."""
    first, second = np.asarray(games.first, int), np.asarray(games.second, int)
    met = sorted(
        {(min(a, b), max(a, b)) for a, b in zip(first.tolist(), second.tolist(), strict=True)}
    )
    n, more = len(first), 2 * len(met)
    weight = np.ones(n) if games.weight is None else np.asarray(games.weight, float)
    names = [str(name) for name in (range(n) if games.clusters is None else games.clusters)]
    names += [f"virtual\x1f{number}" for number in range(more)]
    z = None
    if games.covariates is not None:
        known = np.asarray(games.covariates, dtype=np.float64)
        z = np.vstack([known, np.zeros((more, known.shape[1]))])
    return Games(
        np.concatenate([first, np.repeat([a for a, _ in met], 2)]),
        np.concatenate([second, np.repeat([b for _, b in met], 2)]),
        np.concatenate(
            [np.asarray(games.outcome, dtype=np.float64), np.tile([1.0, 0.0], len(met))]
        ),
        np.concatenate([weight, np.full(more, VIRTUAL)]),
        names,
        z,
    )


def _climbed(rows: _Rows) -> Strengths:
    size = rows.design.shape[1]
    beta = np.zeros(size)
    beta[-1] = -1.0 if rows.ties else 0.0
    previous = rows.objective(beta)
    for _ in range(STEPS):
        gradient, hessian = rows.slope(beta)
        step = np.linalg.solve(hessian, gradient)
        scale = 1.0
        while rows.objective(beta + scale * step) < previous - 1e-12 and scale > TOLERANCE:
            scale /= 2
        beta = beta + scale * step
        previous = rows.objective(beta)
        if float(np.abs(scale * step).max()) < TOLERANCE:
            break
    return rows.result(beta)


class _Rows:
    """The data as a multinomial logit: a design of (contrasts, covariates, log ν)."""

    def __init__(self, games: Games, players: int) -> None:
        first, second = np.asarray(games.first, int), np.asarray(games.second, int)
        self.outcome = np.asarray(games.outcome, dtype=np.float64)
        n = len(self.outcome)
        if len(first) != n or len(second) != n or not n:
            raise ValueError("games must have one first, second and outcome each")
        if not np.isin(self.outcome, (0.0, 0.5, 1.0)).all():
            raise ValueError("an outcome is 1 (first won), 0.5 (tie) or 0")
        if min(first.min(), second.min()) < 0 or max(first.max(), second.max()) >= players:
            raise ValueError(f"players are numbered 0 to {players - 1}")
        self.players = players
        self.weight = np.ones(n) if games.weight is None else np.asarray(games.weight, float)
        self.groups = Clusters.of(np.arange(n) if games.clusters is None else games.clusters, n)
        self.ties = bool((self.outcome == 0.5).any())  # noqa: PLR2004 - a tie is half a win
        self.basis = _contrasts(players)
        difference = self.basis[first] - self.basis[second]
        extra = np.zeros((n, 0)) if games.covariates is None else _matrix(games.covariates, n)
        self.extra = extra.shape[1]
        self.design = np.hstack([difference, extra, np.zeros((n, int(self.ties)))])
        self.connected = _reached(first, second, players)
        decided = self.outcome != 0.5  # noqa: PLR2004
        up = self.outcome > 0
        ends = np.where(up, first, second), np.where(up, second, first)
        beaten = [np.concatenate([one, other[~decided]]) for one, other in
                  ((ends[0], second), (ends[1], first))]  # fmt: skip
        strong = _strongly(beaten[0], beaten[1], players)
        self.separated = self.connected and not (strong and decided.any())
        self.prior = np.full(self.design.shape[1], PRIOR)
        if self.ties:
            self.prior[-1] = 0.0

    @classmethod
    def of(cls, games: Games, players: int) -> _Rows:
        return cls(games, players)

    def _chances(self, beta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        half = self.design @ beta / 2
        log_tie = np.full(len(half), beta[-1] if self.ties else -np.inf)
        top = np.maximum(np.abs(half), log_tie)
        win, lose, tie = np.exp(half - top), np.exp(-half - top), np.exp(log_tie - top)
        total = win + lose + tie
        return win / total, lose / total, tie / total

    def objective(self, beta: FloatArray) -> float:
        win, lose, tie = self._chances(beta)
        chance = np.where(self.outcome == 1, win, np.where(self.outcome == 0, lose, tie))
        likelihood = float(self.weight @ np.log(np.clip(chance, 1e-300, None)))
        return likelihood - float(self.prior @ beta**2) / 2

    def scores(self, beta: FloatArray) -> FloatArray:
        """Return each row's gradient of its own log-likelihood, weighted."""
        win, lose, tie = self._chances(beta)
        slope = (self.outcome - 0.5) - (win - lose) / 2
        out = np.asarray(self.design * slope[:, None])
        if self.ties:
            out[:, -1] = (self.outcome == 0.5) - tie  # noqa: PLR2004
        return out * self.weight[:, None]

    def slope(self, beta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the gradient, and the negative Hessian."""
        win, lose, tie = self._chances(beta)
        curve = self.weight * ((win + lose) - (win - lose) ** 2) / 4
        hessian = (self.design * curve[:, None]).T @ self.design
        if self.ties:
            cross = self.weight * -(win - lose) / 2 * tie
            hessian[-1, :] = hessian[:, -1] = cross @ self.design
            hessian[-1, -1] = float(self.weight @ (tie * (1 - tie)))
        gradient = self.scores(beta).sum(axis=0) - self.prior * beta
        return gradient, hessian + np.diag(self.prior)

    def result(self, beta: FloatArray) -> Strengths:
        _, hessian = self.slope(beta)
        per_row = self.scores(beta)
        by_cluster = np.zeros((self.groups.count, per_row.shape[1]))
        np.add.at(by_cluster, self.groups.codes, per_row)
        few = self.groups.count / max(self.groups.count - 1, 1)
        inverse = np.linalg.inv(hessian)
        sandwich = inverse @ (by_cluster.T @ by_cluster * few) @ inverse
        free = self.players - 1
        gamma = slice(free, free + self.extra)
        return Strengths(
            theta=self.basis @ beta[:free],
            covariance=self.basis @ sandwich[:free, :free] @ self.basis.T,
            gamma=beta[gamma],
            gamma_stderr=np.sqrt(np.diag(sandwich)[gamma]),
            tie=float(np.exp(beta[-1])) if self.ties else 0.0,
            separated=False,
            connected=self.connected,
        )


def _contrasts(players: int) -> FloatArray:
    """Return an orthonormal K x (K-1) basis of the vectors that sum to 0 (Helmert)."""
    basis = np.zeros((players, players - 1))
    for k in range(1, players):
        basis[:k, k - 1] = 1.0
        basis[k, k - 1] = -k
        basis[:, k - 1] /= np.sqrt(k * (k + 1))
    return basis


def _matrix(values: npt.ArrayLike, rows: int) -> FloatArray:
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or len(matrix) != rows or not np.isfinite(matrix).all():  # noqa: PLR2004
        raise ValueError(f"covariates must be {rows} finite rows, got shape {matrix.shape}")
    return matrix


def _reached(first: IntArray, second: IntArray, players: int) -> bool:
    """Return whether a chain of games joins all players."""
    return _spread(np.concatenate([first, second]), np.concatenate([second, first])) == players


def _strongly(winner: IntArray, loser: IntArray, players: int) -> bool:
    """Return whether everyone beat everyone by some chain; a tie counts both ways.

    Where not, some group won everything against the rest, and no likeliest strengths exist
    (Ford 1957, Am. Math. Monthly 64:28).
    """
    return _spread(winner, loser) == players == _spread(loser, winner)


def _spread(source: IntArray, target: IntArray) -> int:
    """Return how many players chains of edges reach from player 0, itself included."""
    edges = set(zip(source.tolist(), target.tolist(), strict=True))
    reached = {0}
    grew = True
    while grew:
        more = {b for a, b in edges if a in reached}
        grew = not more <= reached
        reached |= more
    return len(reached)
