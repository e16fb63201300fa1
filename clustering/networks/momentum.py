"""MoCo's second encoder, which follows the first slowly, and its queue of what it said of earlier items."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import normalize

from clustering.networks.views import PretextNetwork

SUB_BATCHES = 4  # of which each is normalised by its own statistics
FEWEST = 16  # items in one


class MomentumEncoder(nn.Module):
    """Keys for the contrast of items: of other views of the batch, and of items of the batches before it.

    Parameters
    ----------
    network : PretextNetwork
        The encoder it is a copy of, and follows.
    size : int
        Items in the queue, a multiple of ``rows``.
    rows : int
        Items of a batch.
    momentum : float
        m: how much of itself the second encoder keeps in a step.
    generator : torch.Generator
        On the CPU, for what the queue begins with: random directions.

    Notes
    -----
    He, Fan, Wu, Xie, Girshick 2020. Keys are made in random parts of the batch, each with its own statistics:
    otherwise the statistics of a batch would tell which view belongs to which. On several graphics processors
    the authors reach that by shuffling the items between these.
    """

    queue: Tensor
    oldest: Tensor

    def __init__(
        self, network: PretextNetwork, size: int, rows: int, momentum: float, generator: Generator
    ) -> None:
        super().__init__()
        assert network.compared is not None
        assert size % rows == 0
        self.layers = nn.ModuleList(deepcopy(part) for part in network.pretext_parts())
        self.layers.requires_grad_(False)
        self._momentum = momentum
        last = network.compared.layers[-1]
        assert isinstance(last, nn.Linear)
        place = last.weight.device
        queue = torch.randn(size, last.out_features, generator=generator).to(place)
        self.register_buffer("queue", normalize(queue, dim=1))
        self.register_buffer("oldest", torch.zeros((), dtype=torch.int64, device=place))

    @torch.no_grad()
    def follow(self, network: PretextNetwork) -> None:
        """Move every weight a little towards that of the first encoder: m θ_k + (1 − m) θ_q."""
        theirs = [weight for part in network.pretext_parts() for weight in part.parameters()]
        for own, other in zip(self.layers.parameters(), theirs, strict=True):
            own.lerp_(other, 1 - self._momentum)

    @torch.no_grad()
    def keys(self, views: Tensor, generator: Generator) -> Tensor:
        """Return the keys (b, n_compared) of views (b, d), rows of length 1."""
        self.layers.train()
        count = max(1, min(SUB_BATCHES, len(views) // FEWEST))
        order = torch.rand(len(views), generator=generator, device=views.device).argsort()
        parts = [self._key(views[rows]) for rows in order.tensor_split(count)]
        return normalize(torch.cat(parts)[order.argsort()].float(), dim=1)

    @torch.no_grad()
    def enqueue(self, keys: Tensor) -> None:
        """Put the keys of a batch in the place of the oldest."""
        rows = (self.oldest + torch.arange(len(keys), device=keys.device)) % len(self.queue)
        self.queue.index_copy_(0, rows, keys)
        self.oldest.add_(len(keys)).remainder_(len(self.queue))

    def _key(self, views: Tensor) -> Tensor:
        for layer in self.layers:
            views = layer(views)
        return views
