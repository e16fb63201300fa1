"""What a fit may be handed besides the features: links between the items, and pairs that a person made."""

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
    """

    edges: NDArray[np.int64] | None
    pairs: Pairs

    def arrays(self) -> Mapping[str, NDArray[np.int64]]:
        """Return what there is by name, as it decides the outcome of a fit."""
        there = {name: part for name, part in self.pairs._asdict().items() if len(part)}
        return there if self.edges is None else {"edges": self.edges, **there}


def checked_beside(
    n_items: int,
    edges: ArrayLike | Any = None,
    must_link: ArrayLike | None = None,
    cannot_link: ArrayLike | None = None,
) -> Beside:
    """Return what a fit was handed, checked against the number of items.

    Raises
    ------
    StudioError
        When links or pairs cannot be used.
    """
    links = None if edges is None else checked_edges(edges, n_items)
    return Beside(links, checked_pairs(must_link, cannot_link, n_items))
