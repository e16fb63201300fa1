"""Rows of numbers with some left out and noise on the others: the weakest of views."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class NoisyViews:
    """A share of the numbers becomes 0, the others grow so that the mean stays, and all get some noise.

    Parameters
    ----------
    spread : Tensor (d,)
        How much each column varies.
    share : float
        Of the numbers that are left out.
    noise : float
        Spread of the noise, in spreads of the column.
    """

    spread: Tensor
    share: float = 0.2
    noise: float = 0.1

    def __call__(self, rows: Tensor, generator: Generator) -> Tensor:
        """Return a view of each row, (b, d)."""
        kept = torch.rand(rows.shape, generator=generator, device=rows.device) >= self.share
        drawn = torch.empty_like(rows).normal_(generator=generator)
        return rows * kept / (1 - self.share) + self.noise * self.spread * drawn
