"""What is asked, in which order: pure.

Each task has one seeded permutation of its clusters, so that any prefix of a run is a random
sample of the whole. Within a cluster, rows keep their order; all arms, variants and epochs of a
row are neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.identity import permutation


def plan_rows(clusters: Sequence[str], seed: int, limit: int | None = None) -> list[int]:
    """Return row numbers in the order they are asked.

    `clusters[i]` is row i's cluster. `limit` rows are taken, rounded up to whole clusters.

    >>> len(plan_rows(["a", "a", "b", "b"], seed=0, limit=1))
    2
    """
    if len(set(clusters)) == len(clusters):  # the usual case, and lists for each would be large
        return permutation(seed, clusters)[:limit]
    members: dict[str, list[int]] = {}
    for row, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(row)
    names = list(members)
    chosen: list[int] = []
    for position in permutation(seed, names):
        if limit is not None and len(chosen) >= limit:
            break
        chosen.extend(members[names[position]])
    return chosen
