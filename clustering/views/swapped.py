"""Rows of numbers in which some are those of other rows: views of items that are no pictures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class SwappedViews:
    """Every number has the chance to be replaced by that of another item of the batch in the same column.

    Columns keep their values and their scale, which noise of one size or zeros would not (Bahri, Jiang, Tay,
    Metzler 2022, "SCARF").

    Parameters
    ----------
    share : float
        Of the numbers that are replaced. A fifth, as many as DEC's denoising pretraining hides.
    """

    share: float = 0.2

    def __call__(self, rows: Tensor, generator: Generator) -> Tensor:
        """Return a view of each row, (b, d)."""
        replaced = torch.rand(rows.shape, generator=generator, device=rows.device) < self.share
        others = torch.randint(len(rows), rows.shape, generator=generator, device=rows.device)
        return torch.where(replaced, rows.gather(0, others), rows)
