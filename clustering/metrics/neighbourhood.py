"""Does a map keep neighbours together? Item by item: false neighbours, torn neighbours, neighbours kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.arrays import distinct_rows
from clustering.errors import StudioError
from clustering.metrics.distances import Distances, drawn_anchors, in_blocks
from clustering.progress import Progress, silent, tell

EXACT_UP_TO = 3_000  # items; above, anchors are drawn
EXACT_ON_DEVICE_UP_TO = 100_000  # items, where there is a graphics processor
ANCHORS = 2_000


@dataclass(frozen=True)
class Neighbourhood:
    """How the neighbourhoods of some items survive in a map.

    Twins (items equal in every feature) are counted once: which of them is "nearest" would be arbitrary.

    Parameters
    ----------
    k : int
        Neighbours looked at.
    rows : int array (m,)
        Row numbers of the items measured (anchors).
    trustworthiness, continuity, recall : float64 arrays (m,)
        1 is best. Low trustworthiness: false neighbours in the map. Low continuity: true neighbours torn
        away. Recall: share of the true neighbours among the map's.
    n_distinct : int
        Items compared.
    place : int array (n,)
        For every item of the collection its place in ``rows``, -1 where it was not measured.
    """

    k: int
    rows: NDArray[np.intp]
    trustworthiness: NDArray[np.float64]
    continuity: NDArray[np.float64]
    recall: NDArray[np.float64]
    n_distinct: int
    place: NDArray[np.intp]

    @property
    def sampled(self) -> bool:
        """Whether only some of the items were measured."""
        return len(self.rows) < self.n_distinct

    def of_items(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Spread one of the measures over all items, float32 (n,); NaN where it was not measured."""
        return np.where(self.place >= 0, values[self.place], np.nan).astype(np.float32)


def neighbourhoods(
    X: ArrayLike,
    Y: ArrayLike,
    ks: Sequence[int] = (15,),
    seed: int = 0,
    anchors: int | None = None,
    progress: Progress = silent,
) -> list[Neighbourhood]:
    """Compare each item's neighbours in the space ``X`` with those in the map ``Y``, for every ``k``.

    t_i = 1 − 2 / (k (2n − 3k − 1)) Σ_{j ∈ U_i} (r_X(i, j) − k), where U_i are the k nearest of i in Y that
    are not among the k nearest in X, and r_X their rank there; continuity swaps the roles. The mean over all
    items is trustworthiness T(k); the mean over random anchors estimates it without bias.

    Parameters
    ----------
    X : array-like (n, d)
    Y : array-like (n, 2)
    ks : sequence of int
        Each below half the number of distinct items.
    seed : int
        Chooses the anchors.
    anchors : int, optional
        Items to measure; by default all of up to 3,000 (of up to 100,000 where there is a CUDA device), and
        2,000 of more. Each is compared with all n items.
    progress : callable

    Raises
    ------
    StudioError
        When a ``k`` is too large or the arrays do not fit.
    """
    space, picture = checked_pair(X, Y)
    first, twin_of = distinct_rows(space)
    space, picture = space[first], picture[first]
    n = len(first)
    for k in ks:
        check_k(k, n)
    device = _device(n)
    exact_up_to = EXACT_UP_TO if device is None else EXACT_ON_DEVICE_UP_TO
    wanted = anchors if anchors is not None else (n if n <= exact_up_to else ANCHORS)
    chosen = drawn_anchors(n, wanted, seed)
    if device is None:
        totals = _scores_of(space, picture, chosen, ks, progress)
    else:
        from clustering.metrics.on_device import scores_on_device

        totals = scores_on_device(space, picture, chosen, ks, device, progress)
    place = np.full(n, -1)
    place[chosen] = np.arange(len(chosen))
    return [
        Neighbourhood(k, first[chosen], trust, whole, kept, n, place[twin_of])
        for k, (trust, whole, kept) in zip(ks, totals.swapaxes(0, 1), strict=True)
    ]


def _scores_of(
    space: NDArray[Any],
    picture: NDArray[Any],
    chosen: NDArray[np.intp],
    ks: Sequence[int],
    progress: Progress,
) -> NDArray[np.float64]:
    totals = np.zeros((3, len(ks), len(chosen)))
    far, near = Distances(space, len(chosen)), Distances(picture, len(chosen))
    for block in in_blocks(chosen, len(space)):
        distances = zip(far.to_all(chosen[block]), near.to_all(chosen[block]), strict=True)
        for row, (in_space, in_map) in enumerate(distances, block.start):
            for column, k in enumerate(ks):
                totals[:, column, row] = _scores(in_space, in_map, k)
        tell(progress, block.stop, len(chosen), "comparing neighbours")
    return totals


def trustworthiness(X: ArrayLike, Y: ArrayLike, k: int = 15) -> float:
    """Return T(k) over all items: 1 where no neighbour in the map is a false one."""
    return float(neighbourhoods(X, Y, (k,), anchors=len(np.asarray(X)))[0].trustworthiness.mean())


def continuity(X: ArrayLike, Y: ArrayLike, k: int = 15) -> float:
    """Return C(k) over all items: 1 where no true neighbour was torn away."""
    return float(neighbourhoods(X, Y, (k,), anchors=len(np.asarray(X)))[0].continuity.mean())


def neighbour_recall(X: ArrayLike, Y: ArrayLike, k: int = 15) -> float:
    """Return the mean share of the k true neighbours that are among the k nearest in the map."""
    return float(neighbourhoods(X, Y, (k,), anchors=len(np.asarray(X)))[0].recall.mean())


def checked_pair(X: ArrayLike, Y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a space and a map of the same items as arrays.

    Raises
    ------
    StudioError
        When they do not have the same number of rows or hold numbers that are not finite.
    """
    space, picture = np.asarray(X), np.asarray(Y)
    if space.ndim != 2 or picture.ndim != 2 or len(space) != len(picture) or not len(space):
        raise StudioError(
            f"The space has shape {space.shape} and the map {picture.shape}.",
            "Give one row an item in both, in the same order.",
        )
    for name, values in (("space", space), ("map", picture)):
        if not np.isfinite(values).all():
            raise StudioError(f"The {name} holds values that are NaN or infinite.", "Compute it again.")
    return space, picture


def check_k(k: int, n: int) -> None:
    """Refuse neighbourhoods of half the collection or more, for which the measures are not defined.

    Raises
    ------
    StudioError
    """
    if not 1 <= k < n / 2:
        raise StudioError(
            f"k is {k}, but with {n} different items a neighbourhood has between 1 and {(n - 1) // 2} items.",
            "Choose a smaller k, or measure a larger collection.",
        )


def _scores(in_space: NDArray[Any], in_map: NDArray[Any], k: int) -> tuple[float, float, float]:
    true, seen = _nearest(in_space, k), _nearest(in_map, k)
    false = np.setdiff1d(seen, true, assume_unique=True)
    torn = np.setdiff1d(true, seen, assume_unique=True)
    unit = 2 / (k * (2 * len(in_space) - 3 * k - 1))
    trust = 1 - unit * float((_ranks(in_space, false) - k).sum())
    whole = 1 - unit * float((_ranks(in_map, torn) - k).sum())
    return trust, whole, 1 - len(torn) / k


def _nearest(distances: NDArray[Any], k: int) -> NDArray[np.intp]:
    """Return the k nearest; among equally far ones those of lowest index."""
    border = np.partition(distances, k - 1)[k - 1]
    inside = np.flatnonzero(distances < border)
    on_it = np.flatnonzero(distances == border)[: k - len(inside)]
    return np.concatenate([inside, on_it])


def _ranks(distances: NDArray[Any], members: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return ranks of members among all by distance, 1 the nearest, equals by index."""
    ranks = np.empty(len(members), dtype=np.int64)
    for position, member in enumerate(members):
        before = np.count_nonzero(distances < distances[member])
        ranks[position] = 1 + before + np.count_nonzero(distances[:member] == distances[member])
    return ranks


def _device(n: int) -> str | None:
    """Return the device on which larger collections are measured, if there is one."""
    if n <= EXACT_UP_TO:
        return None
    import torch

    return "cuda" if torch.cuda.is_available() else None
