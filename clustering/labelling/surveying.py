"""Which items are most worth a label: a survey of the features, made once, and the next items at any time.

A survey costs a search for neighbours and a k-means; what follows an answer costs 25 ms for 2,500
items and half a second for 70,000.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.arrays import distinct_rows
from clustering.errors import StudioError
from clustering.labelling.rounds import PAPER, Weighing, densities, pick
from clustering.neighbors import nearest_neighbors
from clustering.progress import Progress, silent

Variant = Literal["standardised", "paper"]
SHARE = 5  # of the items a group would hold, one in five is a neighbour
FEWEST, MOST = 5, 91  # neighbours, an item itself among them; 90 others are kept from one survey to the next
SAMPLE = 20_000  # items that k-means looks at; the others go to the nearest centre
STARTS = 5
BLOCK = 8192


@dataclass(frozen=True)
class Pick:
    """An item worth a label.

    Parameters
    ----------
    item : int
    worth : float
        What it was picked by: one over the mean squared distance to its nearest neighbours, or the odds of
        its group.
    cluster : int
        Group it was picked from.
    stands_for : int
        Items in that group.
    reason : str
        Why it was picked, as a sentence.
    """

    item: int
    worth: float
    cluster: int
    stands_for: int
    reason: str


@dataclass(frozen=True)
class Survey:
    """What must be known of a collection to say which items are most worth a label.

    Parameters
    ----------
    first : int64 array (u,)
        An item of every kind: twins, items with equal features, are one kind.
    kind_of : int64 array (n,)
        The kind of every item.
    density : float64 array (u,)
    clusters : int64 array (u,)
        As many groups as labels can be given.
    n_neighbors : int
        That the density was measured with, the item itself among them.
    """

    first: NDArray[np.int64]
    kind_of: NDArray[np.int64]
    density: NDArray[np.float64]
    clusters: NDArray[np.int64]
    n_neighbors: int

    @property
    def budget(self) -> int:
        """How many groups, and so how many labels, the survey was made for."""
        return int(self.clusters.max()) + 1

    def next_items(
        self,
        distances: Distances,
        n_items: int,
        labelled: Iterable[int] = (),
        skipped: Iterable[int] = (),
        weighing: Weighing = Weighing(),  # noqa: B008  # frozen
    ) -> list[Pick]:
        """Return the items most worth a label now, the most worth first.

        Parameters
        ----------
        distances : Distances
            Of the features that the survey was made of.
        n_items : int
            Fewer are returned where fewer groups are without a label.
        labelled, skipped : iterable of int
            Items that have a label, whose groups need no other, and items that are not to be asked about.
        """
        known, refused = (np.unique(self.kind_of[list(items)]) for items in (labelled, skipped))
        picks, scores = pick(self.density, self.clusters, distances, weighing, frozen=known, refused=refused)
        sizes = np.bincount(self.clusters[self.kind_of], minlength=self.budget)
        # Large groups first: a person may stop early. Of 40 labels on digits the first 20 then make .77
        # of all items right by their nearest label, by falling score .61.
        picks = picks[np.lexsort((picks, -scores[picks], -sizes[self.clusters[picks]]))][:n_items]
        denser = np.argsort(np.argsort(self.density)) / max(1, len(self.density) - 1)
        return [self._pick(row, sizes, denser, refused) for row in picks.tolist()]

    def _pick(
        self, row: int, sizes: NDArray[np.intp], denser: NDArray[np.float64], refused: NDArray[np.int64]
    ) -> Pick:
        cluster = int(self.clusters[row])
        size = int(sizes[cluster])
        if size == 1:
            reason = "Like no other item, and without a label."
        else:
            reason = f"Stands for {size:,} items that have no label yet, {self._why(row, denser, refused)}."
        return Pick(int(self.first[row]), float(self.density[row]), cluster, size, reason)

    def _why(self, row: int, denser: NDArray[np.float64], refused: NDArray[np.int64]) -> str:
        allowed = np.setdiff1d(np.flatnonzero(self.clusters == self.clusters[row]), refused)
        if self.density[row] < self.density[allowed].max():
            return "and lies further from what is labelled or asked for than the most typical of them"
        return f"as the most typical of them: nearer to its like than {min(denser[row], 0.99):.0%} of all"


@dataclass(frozen=True)
class Distances:
    """Squared distances between items as unit vectors.

    Parameters
    ----------
    unit : float32 array (u, d)
        One row a kind.
    """

    unit: NDArray[np.float32]

    @classmethod
    def of(cls, features: NDArray[np.float32], found: Survey) -> Distances:
        """Return the distances between the kinds of a survey."""
        return cls(unit_rows(features[found.first]))

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the squared distances (u, p) of all kinds to some."""
        # |x|² − 2xy + |y|² of unit vectors; one pick after another in memory
        return np.asarray(np.maximum(2 - 2 * (self.unit[rows] @ self.unit.T), 0).T, dtype=np.float32)


def survey(
    features: ArrayLike,
    budget: int,
    *,
    n_neighbors: int | None = None,
    random_state: int = 0,
    progress: Progress = silent,
) -> Survey:
    """Look over a collection for the items most worth a label.

    Features become unit vectors; density is measured and as many groups as labels can be given are sought by
    k-means. Ours, not the paper's: k-means++ with several starts, twins count once, and the items are brought
    into an order of their own first, so that their order in the collection changes nothing.

    Parameters
    ----------
    features : array-like (n, d)
    budget : int
        Labels a person will give in all, those given already among them.
    n_neighbors : int, optional
        Items, itself included, that an item's density is measured with; else a fifth of what a group would
        hold, from 5 to 91 (the paper: 400 of 50,000 pictures with 40 labels, 20 of ImageNet).
    random_state : int
        Of k-means.
    progress : callable

    Raises
    ------
    StudioError
        When there are fewer different items than labels, or the features cannot be used.
    """
    rows = np.asarray(features, dtype=np.float32)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise StudioError("The features must be a table of finite numbers.", "Choose other features.")
    first, kind_of = _kinds(rows)
    n_kinds = len(first)
    if not 1 <= budget <= n_kinds:
        raise StudioError(
            f"{budget} labels are to be given, but there are {n_kinds} different items.",
            f"Choose a budget from 1 to {n_kinds}.",
        )
    unit = unit_rows(rows[first])
    k = n_neighbors or int(np.clip(round(n_kinds / (SHARE * budget)), FEWEST, MOST))
    k = max(2, min(k, n_kinds))
    density = np.ones(n_kinds)
    if n_kinds > 1:
        found = nearest_neighbors(unit, k - 1, random_state=random_state, progress=progress)
        density = densities(found.distances)
    progress(0, 0, "looking for groups")
    return Survey(first, kind_of, density, _groups(unit, budget, random_state), k)


def label_next(
    features: ArrayLike,
    n_items: int,
    labelled: Iterable[int] = (),
    *,
    variant: Variant = "standardised",
    n_neighbors: int | None = None,
    random_state: int = 0,
) -> list[Pick]:
    """Return the items most worth a label beside those that have one, by density and diversity (USL).

    Parameters
    ----------
    features : array-like (n, d)
    n_items : int
    labelled : iterable of int
        Items with a label: they are never picked, nor is anything from their groups.
    variant : {"standardised", "paper"}
        Whether density and nearness are brought to one scale before they are weighed (`Weighing`).
    n_neighbors, random_state
        As in `survey`.

    Returns
    -------
    list of Pick
        The most worth first.

    Raises
    ------
    StudioError
        As `survey` does.
    """
    rows, known = np.asarray(features, dtype=np.float32), set(labelled)
    most = len(distinct_rows(rows)[0])
    found = survey(rows, min(n_items + len(known), most), n_neighbors=n_neighbors, random_state=random_state)
    weighing = PAPER if variant == "paper" else Weighing()
    return found.next_items(Distances.of(rows, found), n_items, known, weighing=weighing)


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows of length 1; a row of zeros stays."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    lengths[lengths == 0] = 1
    return np.asarray(rows / lengths[:, None], dtype=np.float32)


def _kinds(rows: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return an item of every kind, in an order that their features alone decide, and every item's kind."""
    first, twin_of = distinct_rows(rows)
    kinds = np.ascontiguousarray(rows[first]) + 0
    order = np.argsort(
        kinds.view(np.dtype((np.void, kinds.shape[1] * kinds.itemsize))).ravel(), kind="stable"
    )
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order].astype(np.int64), place[twin_of].astype(np.int64)


def _groups(unit: NDArray[np.float32], n_groups: int, seed: int) -> NDArray[np.int64]:
    import torch

    from clustering.training.kmeans import kmeans
    from clustering.training.seeds import numpy_generator

    some = unit
    if len(unit) > SAMPLE:
        rows = numpy_generator(seed, "sample").choice(len(unit), max(SAMPLE, n_groups), replace=False)
        some = unit[np.sort(rows)]
    centers = kmeans(torch.from_numpy(some), n_groups, seed, STARTS)[0].numpy()
    half = np.einsum("ij,ij->i", centers, centers) / 2
    parts = [
        (unit[start : start + BLOCK] @ centers.T - half).argmax(axis=1)
        for start in range(0, len(unit), BLOCK)
    ]
    return np.concatenate(parts).astype(np.int64)
