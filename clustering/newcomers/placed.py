"""Where new items belong: their odds, their nearest items in two spaces, their place, how usual they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError
from clustering.neighbors import Neighbors, nearest_neighbors, nearest_to, neighbors_in

if TYPE_CHECKING:
    from clustering.methods.base import Clusterer, Judge
    from clustering.projections.base import Projection

Space = Literal["features", "latent"]
NEAREST = 10
ASKED = 1000  # items of a large collection whose own distances stand for all: shares are right to ± 3 %
ALL_UP_TO = 5000


@dataclass(frozen=True)
class Placed:
    """What a fitted model and its map say of some new items.

    Parameters
    ----------
    labels : int64 array (m,)
        The likeliest cluster of each.
    odds : float32 array (m, K)
        Soft assignments; rows sum to 1.
    latents : float32 array (m, l)
    near : mapping of space to Neighbors
        The nearest items of the collection, (m, k), in ``"features"`` and ``"latent"``.
    nearer_than : mapping of space to float64 array (m,)
        Share of the collection's items that are further from their own neighbours.
    positions : float32 array (m, 2) or None
        On the map, if one was given.
    """

    labels: NDArray[np.int64]
    odds: NDArray[np.float32]
    latents: NDArray[np.float32]
    near: Mapping[Space, Neighbors]
    nearer_than: Mapping[Space, NDArray[np.float64]] = field(default_factory=dict)
    positions: NDArray[np.float32] | None = None


def place(
    new: ArrayLike,
    model: Clusterer,
    features: NDArray[np.float32],
    *,
    latents: NDArray[np.float32] | None = None,
    projection: Projection | None = None,
    of: Space = "latent",
    k: int = NEAREST,
    own: Mapping[Space, NDArray[np.float64]] | None = None,
    judge: Judge | None = None,
) -> Placed:
    """Say where new items belong among those a model was fitted on.

    Parameters
    ----------
    new : array-like (m, d)
        Features made as those of the fit.
    model : Clusterer
        Fitted.
    features : float32 array (n, d)
        What it was fitted on.
    latents : float32 array (n, l), optional
        By default those of the fit.
    projection : Projection, optional
        Fitted; places the new items on its map.
    of : {"latent", "features"}
        What the map is a map of.
    k : int
        Nearest items to tell.
    own : mapping of space to float64 array, optional
        `own_distances` of each space, where they are known already.
    judge : callable, optional
        What ``model.prepared()`` gave, where it is kept for many calls.

    Returns
    -------
    Placed

    Raises
    ------
    StudioError
        When the new items have another number of features.

    Examples
    --------
    >>> found = place(encoded, groups, features, projection=umap)          # doctest: +SKIP
    >>> found.labels, found.positions                                      # doctest: +SKIP
    """
    rows = np.ascontiguousarray(new, dtype=np.float32)
    if rows.ndim != 2 or rows.shape[1] != features.shape[1]:
        raise StudioError(
            f"The new items have the shape {rows.shape}; the model knows {features.shape[1]} features.",
            "Encode them with the encoder of the collection's features.",
        )
    there, odds = (judge or model.prepared())(rows)
    known = model.embedding_ if latents is None else latents
    spaces: dict[Space, tuple[NDArray[np.float32], NDArray[np.float32]]] = {
        "features": (features, rows),
        "latent": (known, there),
    }
    near = {space: _nearest(old, fresh, k) for space, (old, fresh) in spaces.items()}
    usual_of = own if own is not None else {space: own_distances(spaces[space][0], k) for space in spaces}
    return Placed(
        odds.argmax(axis=1).astype(np.int64),
        odds,
        there,
        near,
        {space: _further(usual_of[space], found.distances) for space, found in near.items()},
        None if projection is None else projection.transform(spaces[of][1]),
    )


def _nearest(points: NDArray[np.float32], new: NDArray[np.float32], k: int) -> Neighbors:
    found = [nearest_to(points, row, k) for row in new]
    indices = np.stack([near.astype(np.int32) for near, _ in found])
    return Neighbors(indices, np.stack([apart for _, apart in found]), "exact search on CPU")


def own_distances(points: NDArray[np.float32], k: int = NEAREST, seed: int = 0) -> NDArray[np.float64]:
    """Return how far items of a collection are from their own ``k`` nearest on average, sorted.

    Of more than 5,000 items a thousand are asked.

    Returns
    -------
    float64 array (n,) or (1000,)
    """
    n = len(points)
    wanted = min(k, n - 1)
    if wanted < 1:
        return np.empty(0)
    if n <= ALL_UP_TO:
        found = nearest_neighbors(points, wanted).distances
    else:
        asked = np.sort(np.random.default_rng(seed).choice(n, ASKED, replace=False))
        beside = neighbors_in(points, np.ascontiguousarray(points[asked]), wanted + 1)
        itself = beside.indices == asked[:, None]
        itself[~itself.any(axis=1), -1] = True  # among equals it was not listed itself
        found = beside.distances[~itself].reshape(len(asked), wanted)
    return np.sort(found.mean(axis=1, dtype=np.float64))


def usual(nearer_than: float, things: str = "works") -> str:
    """Say in words how usual an item is, from the share of items that are further from their neighbours."""
    if nearer_than <= 0:
        return f"further from its neighbours than any of the {things}"
    if nearer_than < 0.5:
        return f"further from its neighbours than {_percent(1 - nearer_than)} of the {things}"
    if nearer_than >= 1:
        return f"nearer to its neighbours than any of the {things}"
    return f"nearer to its neighbours than {_percent(nearer_than)} of the {things}"


def _percent(share: float) -> str:
    return f"{min(99, max(1, round(100 * share)))} %"


def _further(own: NDArray[np.float64], distances: NDArray[np.float32]) -> NDArray[np.float64]:
    if not len(own):
        return np.ones(len(distances))
    mean = distances.mean(axis=1, dtype=np.float64)
    return 1.0 - np.searchsorted(own, mean, side="right") / len(own)
