"""Groups of samples that are not independent: a shared passage, template, prompt, or epochs.

Knows how rows fall into clusters and how much that widens an interval; no quantiles here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Labels = npt.NDArray[np.generic] | Sequence[str] | Sequence[int]
"""One cluster name per row, in any hashable kind that numpy can sort."""

ROUNDING = 1e-12
"""Relative size below which a sum of deviations is rounding error, not variation."""


def finite_values(values: npt.ArrayLike, name: str = "values") -> FloatArray:
    """Return `values` as a float vector; raises ValueError unless 1-D and finite."""
    out = np.asarray(values, dtype=np.float64)
    if out.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {out.shape}")
    if not np.isfinite(out).all():
        raise ValueError(f"{name} must be finite, got {out[~np.isfinite(out)][0]}")
    return out


@dataclass(frozen=True)
class Clusters:
    """Which rows belong together. Make it with `Clusters.of`."""

    codes: IntArray
    """Cluster number of each row, 0 … count-1."""
    sizes: IntArray
    """Rows per cluster."""

    @classmethod
    def of(cls, labels: Labels, rows: int) -> Clusters:
        """Number the clusters of `rows` rows; raises ValueError where the lengths differ."""
        array = np.asarray(labels)
        if array.shape != (rows,):
            raise ValueError(f"clusters must name each of {rows} rows, got shape {array.shape}")
        _, codes = np.unique(array, return_inverse=True)
        codes = codes.astype(np.int64)
        return cls(codes=codes, sizes=np.bincount(codes).astype(np.int64))

    @property
    def count(self) -> int:
        """Number of clusters."""
        return len(self.sizes)

    @property
    def repeated(self) -> bool:
        """Whether any cluster has more than one row."""
        return bool((self.sizes > 1).any())

    @property
    def equal(self) -> bool:
        """Whether all clusters have the same number of rows."""
        return bool((self.sizes == self.sizes[0]).all())

    @property
    def effective_count(self) -> float:
        """Independent observations if all rows of a cluster agree: (Σm)²/Σm² (Kish 1965)."""
        sizes = self.sizes.astype(np.float64)
        return float(sizes.sum() ** 2 / (sizes**2).sum())

    def sums(self, values: FloatArray) -> FloatArray:
        """Return the sum of `values` over each cluster."""
        return np.bincount(self.codes, weights=values, minlength=self.count).astype(np.float64)

    def members(self) -> list[IntArray]:
        """Return the row numbers of each cluster."""
        order = np.argsort(self.codes, kind="stable").astype(np.int64)
        return list(np.split(order, np.cumsum(self.sizes)[:-1]))

    def mean_variance(self, values: FloatArray) -> float:
        """Return the variance of the mean of `values`; needs at least two clusters.

        V = Σ_c (Σ_{i∈c}(sᵢ-s̄))² / n² x C/(C-1) (Miller 2024, arXiv:2411.00640, with the usual
        small-sample factor). Exactly 0 where all cluster means agree.
        """
        deviations = self.sums(values - values.mean())
        scale = np.abs(values).max() * self.sizes.max()
        if np.abs(deviations).max() <= ROUNDING * scale:
            return 0.0
        total = float((deviations**2).sum()) / len(values) ** 2
        return total * self.count / (self.count - 1)

    def jackknife_variance(self, values: FloatArray) -> float:
        """Return the variance of the mean by leaving out one cluster at a time.

        (C-1)/C Σ_c (s̄₋c - s̄)² = (C-1)/C Σ_c (Σ_{i∈c}(sᵢ-s̄))² / (n-m_c)², known as CV3
        (MacKinnon, Nielsen & Webb 2023, J. Econometrics 232:272). Equals `mean_variance` where
        all clusters have the same size; larger, and less often too small, where they do not.
        """
        deviations = self.sums(values - values.mean())
        left = len(values) - self.sizes
        return float(((deviations / left) ** 2).sum()) * (self.count - 1) / self.count


def design_effect(values: npt.ArrayLike, clusters: Labels) -> float | None:
    """Return how much clustering multiplies the variance of the mean: V_cluster / V_independent.

    1 where every cluster has one row; about 1 + (m-1)·ICC for clusters of m rows (Kish 1965).
    None where it is undefined: constant values, or a single cluster.
    """
    array = finite_values(values)
    groups = Clusters.of(clusters, len(array))
    if groups.count < 2 or np.ptp(array) == 0:  # noqa: PLR2004 - a variance needs two
        return None
    return groups.mean_variance(array) / (float(array.var(ddof=1)) / len(array))
