"""Squared distances on a map: exact differences, because a matrix product would cancel between neighbours."""

from __future__ import annotations

import torch
from torch import Tensor


def map_distances(places: Tensor) -> Tensor:
    """Return ‖y_i − y_j‖² between all places of a batch, float32 (b, b).

    Parameters
    ----------
    places : Tensor (b, c)
        c is 1, 2 or 3: one pass a coordinate, and no (b, b, c) tensor.
    """
    columns = places.to(torch.promote_types(places.dtype, torch.float32)).unbind(dim=1)
    squares = [(column[:, None] - column[None, :]).square() for column in columns]
    return torch.stack(squares).sum(dim=0) if len(squares) > 1 else squares[0]


def paired_distances(heads: Tensor, tails: Tensor) -> Tensor:
    """Return ‖y_i − y_j‖² of given pairs, float32 (e,), from their ends (e, c)."""
    wide = torch.promote_types(heads.dtype, torch.float32)
    return (heads.to(wide) - tails.to(wide)).square().sum(dim=1)


def sum_off_diagonal(square: Tensor) -> Tensor:
    """Return the sum of ``square`` (b, b) without its diagonal, above 0; no place is its own neighbour."""
    return (square.sum() - square.diagonal().sum()).clamp_min(torch.finfo(square.dtype).tiny)
