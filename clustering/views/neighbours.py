"""Another item as a view: for features of a trained network a near neighbour shows what may differ."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

N_NEIGHBOURS = 10


@dataclass(frozen=True)
class NeighbourViews:
    """One of the nearest neighbours of an item in place of the item, each alike likely.

    Parameters
    ----------
    neighbours : int64 Tensor (n, k)
        Row numbers of the nearest items of every item, on the device.

    Notes
    -----
    SCAN's pairs (Van Gansbeke et al. 2020). On features of a trained network a neighbour is a far better view
    than noise: what noise leaves alike is what any network leaves alike.
    """

    neighbours: Tensor

    def __call__(self, rows: Tensor, generator: Generator) -> Tensor:
        """Return the row number of a neighbour for each of the row numbers (b,)."""
        near = self.neighbours.index_select(0, rows)  # (b, k)
        drawn = torch.randint(near.shape[1], (len(rows), 1), generator=generator, device=rows.device)
        return near.gather(1, drawn).squeeze(1)
