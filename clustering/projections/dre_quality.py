"""How well a map keeps neighbours, measured quickly on the device after every step of a fit."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

NEIGHBORS = 15
ANCHORS, OTHERS = 1_000, 5_000  # items measured, items they are compared with


class Kept(NamedTuple):
    """What a map keeps of some items' neighbourhoods; 1 is best.

    Parameters
    ----------
    trustworthiness, continuity : float
        Venna and Kaski 2001, at 15 neighbours (fewer in small sets).
    recall : float
        Share of the true neighbours that are neighbours on the map.
    correlation : float
        Of distances in the data with distances on the map (Pearson).
    """

    trustworthiness: float
    continuity: float
    recall: float
    correlation: float

    @property
    def score(self) -> float:
        """By which steps are compared: neither false nor torn neighbours."""
        return (self.trustworthiness + self.continuity) / 2


def kept_neighbours(
    anchors: Tensor, anchor_places: Tensor, others: Tensor, other_places: Tensor, *, included: bool
) -> Kept:
    """Measure how the map keeps the neighbourhoods of anchors among the others.

    Parameters
    ----------
    anchors, others : Tensor (m, d), (n, d)
        Rows of data.
    anchor_places, other_places : Tensor (m, c), (n, c)
        Where the map has them.
    included : bool
        Whether the anchors are the first m of the others (and are then not their own neighbours), or new.
    """
    high = torch.cdist(anchors.float(), others.float())
    low = torch.cdist(anchor_places.float(), other_places.float())
    n = len(others) - included
    k = min(NEIGHBORS, max(1, (n - 1) // 2))
    if n < 2:
        return Kept(1.0, 1.0, 1.0, 0.0)
    pairs = torch.ones_like(high, dtype=torch.bool)
    if included:
        pairs.fill_diagonal_(False)
    correlation = _correlation(high[pairs].double(), low[pairs].double())
    high[~pairs], low[~pairs] = torch.inf, torch.inf
    ranks_high, ranks_low = _ranks(high), _ranks(low)
    near_high, near_low = ranks_high < k, ranks_low < k
    worst = len(anchors) * k * (2 * n - 3 * k + 1) / 2  # Venna and Kaski, eq. 1, for n + 1 items
    intruders = ((ranks_high - (k - 1)) * (near_low & ~near_high)).sum().item()
    lost = ((ranks_low - (k - 1)) * (near_high & ~near_low)).sum().item()
    shared = (near_high & near_low).sum().item() / (len(anchors) * k)
    return Kept(1 - intruders / worst, 1 - lost / worst, shared, correlation)


def _ranks(distances: Tensor) -> Tensor:
    order = distances.argsort(dim=1, stable=True)
    places = torch.arange(distances.shape[1], device=distances.device).expand_as(order)
    return torch.empty_like(order).scatter_(1, order, places)  # 0 is the nearest


def _correlation(first: Tensor, second: Tensor) -> float:
    a, b = first - first.mean(), second - second.mean()
    scale = (a.square().sum() * b.square().sum()).sqrt().item()
    return (a * b).sum().item() / scale if scale > 0 else 0.0
