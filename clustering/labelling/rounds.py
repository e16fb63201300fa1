"""The rounds of unsupervised selective labelling: one item a group, dense and apart from other groups' items.

Wang, Lian and Yu, "Unsupervised Selective Labeling for More Effective Semi-Supervised Learning", ECCV 2022
(arXiv 2110.03006).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DistancesTo = Callable[[NDArray[np.int64]], NDArray[np.floating]]
BEYOND = 1e10  # squared distance that stands for "does not count", as in the authors' code


@dataclass(frozen=True)
class Weighing:
    """How density and diversity are weighed against one another.

    Parameters
    ----------
    regulariser : float
        What being near the picks of other groups costs, λ.
    power : float
        How fast that fades with distance, α.
    momentum : float
        How slowly the picks may react to one another, m.
    rounds : int
    horizon : float or None
        Squared distance from which on a pick of another group does not count; None lets all count.
    standardised : bool
        Bring density and nearness to mean 0 and standard deviation 1 first, so that λ means the same on all
        features. False weighs them as they are, as published: of unit vectors of a small collection density
        then outweighs the rest many times over.
    nearest : float
        Smaller squared distances count as this one.
    """

    regulariser: float = 0.5
    power: float = 0.5
    momentum: float = 0.9
    rounds: int = 10
    horizon: float | None = None
    standardised: bool = True
    nearest: float = 1e-4


PAPER = Weighing(standardised=False, nearest=1e-12)


def densities(neighbour_distances: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return ρ, one over the mean squared distance to the k nearest, the item itself among them.

    Parameters
    ----------
    neighbour_distances : float array (n, k − 1)
        Euclidean, to the nearest other items.
    """
    squared = np.square(neighbour_distances.astype(np.float64)).sum(axis=1)
    mean = squared / (neighbour_distances.shape[1] + 1)
    return np.asarray(1 / np.maximum(mean, 1e-12), dtype=np.float64)


def pick(
    density: NDArray[np.float64],
    clusters: NDArray[np.int64],
    distances_to: DistancesTo,
    weighing: Weighing = Weighing(),  # frozen
    *,
    frozen: NDArray[np.int64] | None = None,
    refused: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return one item of every open cluster, by cluster, and the last scores of all items.

    Parameters
    ----------
    density : float array (n,)
    clusters : int array (n,)
    distances_to : callable
        Squared distances (n, p) of all items to p of them.
    weighing : Weighing
    frozen : int array, optional
        Items that have been picked for good: their clusters are closed, and nearness to them costs as
        nearness to any pick does.
    refused : int array, optional
        Items that may not be picked.

    Returns
    -------
    picks : int64 array (at most one a cluster)
    scores : float64 array (n,)
        ρ − λR, by which the picks were chosen. Of equal ones the first is taken.
    """
    frozen = np.empty(0, dtype=np.int64) if frozen is None else frozen
    open_ = ~np.isin(clusters, clusters[frozen])
    open_[refused if refused is not None else []] = False
    rows = np.flatnonzero(open_)
    worth = _standardised(density) if weighing.standardised else density
    nearness = _Nearness(clusters, distances_to, weighing)
    near = nearness(frozen)
    picks = np.empty(0, dtype=np.int64)
    scores = worth
    for number in range(weighing.rounds):
        if number:
            pull = nearness(np.concatenate([frozen, picks]))
            near = weighing.momentum * near + (1 - weighing.momentum) * pull
        cost = _standardised(near) if weighing.standardised else near
        scores = worth - weighing.regulariser * cost
        picks = _best_of_each(scores, clusters, rows)
    return picks, scores


class _Nearness:
    """Gives r, the sum over picks of other clusters of one over distance², to the power α.

    From round to round few picks change: the share of each is computed once.
    """

    def __init__(self, clusters: NDArray[np.int64], distances_to: DistancesTo, weighing: Weighing) -> None:
        self.clusters, self.distances_to, self.weighing = clusters, distances_to, weighing
        self.shares: dict[int, NDArray[np.float64]] = {}
        self.last: tuple[list[int], NDArray[np.float64]] = ([], np.zeros(len(clusters)))

    def __call__(self, picks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return r (n,) for these picks."""
        wanted = picks.tolist()
        if wanted != self.last[0]:
            new = [pick for pick in wanted if pick not in self.shares]
            if new:
                squared = self.distances_to(np.array(new, dtype=np.int64))
                self.shares |= {pick: self._share(pick, squared[:, at]) for at, pick in enumerate(new)}
            total = np.zeros(len(self.clusters))
            for pick in wanted:
                total += self.shares[pick]
            self.last = (wanted, total)
        return self.last[1]

    def _share(self, pick: int, squared: NDArray[np.floating]) -> NDArray[np.float64]:
        counted = np.maximum(squared, self.weighing.nearest, dtype=np.float64)
        counted[self.clusters == self.clusters[pick]] = BEYOND
        if self.weighing.horizon is not None:
            counted[squared >= self.weighing.horizon] = BEYOND
        return np.asarray(
            1 / np.sqrt(counted) if self.weighing.power == 0.5 else counted**-self.weighing.power
        )


def _best_of_each(
    scores: NDArray[np.float64], clusters: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    order = rows[np.lexsort((rows, -scores[rows], clusters[rows]))]
    _, first = np.unique(clusters[order], return_index=True)
    return order[first]


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros(len(values))
