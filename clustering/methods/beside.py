"""What a fit may be handed besides the features: links between items, pairs a person made, labels of some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.methods.edges import checked_edges
from clustering.methods.pairs import Pairs, checked_pairs


@dataclass(frozen=True)
class Beside:
    """All of it, checked.

    Parameters
    ----------
    edges : int64 array (e, 2) or None
        None where no links were given.
    pairs : Pairs
    labels : int64 array (n,) or None
        The group of each item, −1 where nobody said; None for methods that ask for none.
    """

    edges: NDArray[np.int64] | None
    pairs: Pairs
    labels: NDArray[np.int64] | None = None

    def arrays(self) -> Mapping[str, NDArray[np.int64]]:
        """Return what there is by name, as it decides the outcome of a fit."""
        there = {name: part for name, part in self.pairs._asdict().items() if len(part)}
        others = {"edges": self.edges, "labels": self.labels}
        return {name: part for name, part in others.items() if part is not None} | there


def checked_beside(
    n_items: int,
    edges: ArrayLike | Any = None,
    must_link: ArrayLike | None = None,
    cannot_link: ArrayLike | None = None,
    labels: NDArray[np.int64] | None = None,
) -> Beside:
    """Return what a fit was handed, checked against the number of items; labels were checked before.

    Raises
    ------
    StudioError
        When links or pairs cannot be used.
    """
    links = None if edges is None else checked_edges(edges, n_items)
    return Beside(links, checked_pairs(must_link, cannot_link, n_items), labels)
