"""The complete graph of a map, every pair of places linked by t-SNE's kernel: sums over it in O(n) memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

CELLS_AT_ONCE = {"cpu": 2**22, "cuda": 2**26}  # pairs whose kernel is computed at a time
CELLS_KEPT = {"cpu": 2**25, "cuda": 2**30}  # pairs up to which the kernel is kept for the next sum


class StudentGraph:
    """The graph W of places (n, c): w_ij = (1 + ‖y_i − y_j‖²)⁻¹, w_ii = 0.

    Parameters
    ----------
    places : Tensor (n, c)
        A constant; gradients are written out by those who sum.
    """

    def __init__(self, places: Tensor) -> None:
        self.places = places
        device = places.device.type
        self._rows = max(1, CELLS_AT_ONCE.get(device, CELLS_AT_ONCE["cpu"]) // len(places))
        few = len(places) ** 2 <= CELLS_KEPT.get(device, CELLS_KEPT["cpu"])
        self._kept = list(self._blocks()) if few else None

    @cached_property
    def degrees(self) -> Tensor:
        """d_i = Σ_j w_ij, shape (n,)."""
        ones = self.places.new_ones(len(self.places), 1)
        return self.sums(ones, 1)[:, 0].clamp_min(torch.finfo(self.places.dtype).tiny)

    def sums(self, charges: Tensor, power: Literal[1, 2]) -> Tensor:
        """Return Σ_j w_ij^power charge_j, shape (n, m), of charges (n, m)."""
        summed = torch.empty_like(charges)
        start = 0
        for kernel in self._blocks() if self._kept is None else self._kept:
            weights = kernel if power == 1 else kernel.square()
            torch.matmul(weights, charges, out=summed[start : start + len(kernel)])
            start += len(kernel)
        return summed

    def similarities(self, vectors: Tensor) -> Tensor:
        """Return S v, S = D^−½ W D^−½, of vectors (n, m). The normalised Laplacian is L = 1 − S."""
        root = self.degrees.rsqrt()[:, None]
        return root * self.sums(root * vectors, 1)

    def _blocks(self) -> Iterator[Tensor]:
        """Yield W some rows at a time, from differences: a matrix product would cancel among neighbours."""
        columns = self.places.T.contiguous()
        for start in range(0, len(self.places), self._rows):
            squared: Tensor | None = None
            for column in columns:
                apart = column[start : start + self._rows, None] - column[None, :]
                squared = apart.square_() if squared is None else squared.addcmul_(apart, apart)
            assert squared is not None  # a map has at least one dimension
            kernel = squared.add_(1).reciprocal_()
            kernel[:, start : start + len(kernel)].fill_diagonal_(0)
            yield kernel
