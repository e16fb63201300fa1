"""A UMAP made for clustering, not for the eye: several dimensions and no minimum distance."""

from __future__ import annotations

import warnings
from typing import Annotated, Any

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.arrays import distinct_rows
from clustering.methods.inputs import check_different
from clustering.methods.nearest import NearestItemClusterer
from clustering.parameters import Meaning
from clustering.projections.unfolding import unfolded

Neighbors = Annotated[
    int,
    Interval(ge=2, le=500),
    Meaning("Nearest neighbours UMAP keeps together: fewer shows finer groups, more the broad picture."),
]
MapDim = Annotated[int, Interval(ge=1, le=100), Meaning("Dimensions of the UMAP space.", advanced=True)]
MinDistance = Annotated[
    float,
    Interval(ge=0.0, le=0.99),
    Meaning("How far apart UMAP holds neighbours; 0 packs groups tightest.", advanced=True),
]
_FEWEST = 4  # below, no neighbourhood is smaller than the whole


class UmapClusterer(NearestItemClusterer):
    """Base of the methods that cluster in a UMAP space.

    A new item takes the place of the nearest fitted item: UMAP's own placing of new items depends on which
    others come along, so the same item could change its cluster with its company.

    Attributes
    ----------
    engine_ : str
        What made the UMAP space and why: umap-learn on the CPU or our own on a graphics processor.
    """

    def _check(self, items: NDArray[np.float32], settings: dict[str, Any]) -> None:
        super()._check(items, settings)
        check_different(self.info.title, _FEWEST, len(items), len(distinct_rows(items)[0]))

    def _umap(self, distinct: NDArray[np.float32], settings: dict[str, Any]) -> NDArray[np.float32]:
        """Return the UMAP coordinates of distinct items, float32 (u, m)."""
        n_items = len(distinct)
        with warnings.catch_warnings():
            # loose items and a start from random places on very few items: both end in a usable map
            warnings.simplefilter("ignore", UserWarning)
            places, self.engine_ = unfolded(
                distinct,
                n_components=min(settings["latent_dim"], n_items - 2),
                n_neighbors=min(settings["n_neighbors"], n_items - 1),
                min_dist=settings["min_dist"],
                random_state=settings["random_state"],
            )
        return places
