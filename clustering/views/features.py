"""Light and strong views of feature vectors, where no picture can be moved."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from clustering.views.noisy import NoisyViews

MIXED = 0.3  # most of another item that a strong view holds


@dataclass(frozen=True)
class LightNoise:
    """A little noise on every number.

    Parameters
    ----------
    spread : Tensor (d,)
        How much each column varies.
    noise : float
        In spreads of the column.
    """

    spread: Tensor
    noise: float = 0.02

    def __call__(self, rows: Tensor, generator: Generator) -> Tensor:
        """Return a view of each row, (b, d)."""
        drawn = torch.empty_like(rows).normal_(generator=generator)
        return rows + self.noise * self.spread * drawn


@dataclass(frozen=True)
class MixedNoise:
    """Some of another row of the batch is mixed in, then numbers are left out and all get noise.

    Parameters
    ----------
    spread : Tensor (d,)
        How much each column varies.
    strength : float
        1: up to 30 % of another row, 30 % of the numbers left out, noise of a tenth of the spread.

    Notes
    -----
    The item keeps the larger part by far, and its label (mixup, Zhang, Cisse, Dauphin, Lopez-Paz 2018, mixes
    the labels too).
    """

    spread: Tensor
    strength: float = 1.0

    def __call__(self, rows: Tensor, generator: Generator) -> Tensor:
        """Return a view of each row, (b, d)."""
        b, device = len(rows), rows.device
        share = torch.rand(b, 1, generator=generator, device=device, dtype=rows.dtype)
        other = torch.randint(b, (b,), generator=generator, device=device)
        mixed = torch.lerp(rows, rows[other], min(0.5, MIXED * self.strength) * share)
        noisy = NoisyViews(self.spread, min(0.9, 0.3 * self.strength), 0.1 * self.strength)
        return noisy(mixed, generator)
