"""Outlines in place of pictures: what a fixed pair of filters sees of their edges; colour is gone."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

ACROSS = ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0))  # Sobel's; down is its transpose


class Outlines(nn.Module):
    """Pictures (b, c, h, w) → the change of their mean over c across and down, (b, 2, h, w); it never learns.

    PICA, the authors' code: grey as the mean of the colours, then two filters of 3 × 3 with zeros outside.
    """

    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        across = torch.tensor(ACROSS)
        self.register_buffer("filters", torch.stack([across, across.T])[:, None])

    def forward(self, pictures: Tensor) -> Tensor:
        """Return how grey values change across and down."""
        return conv2d(pictures.mean(dim=1, keepdim=True), self.filters.to(pictures.dtype), padding=1)
