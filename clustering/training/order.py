"""The order in which a pass meets the rows: any one, one that a disk can follow, or one fair to clusters."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

# A set larger than this may not fit into host memory beside everything else.
ANY_ORDER_BYTES = 2**30
SHARD_BYTES = 2**20  # rows that lie together and are read together
WINDOW_BYTES = 2**28  # rows that are mixed with one another


def permutation(n_items: int, row_bytes: int, generator: Generator, place: torch.device) -> Tensor:
    """Return a random order of all rows, int64 (n,).

    Up to 1 GiB every order is as likely as any other. Above, a row at a time would cost a disk page at a time
    (4 KiB for the 256 bytes of 64 columns), so whole shards of 1 MiB are drawn in random order, and the rows
    of every 256 shards that follow one another are mixed. The price: in one pass a row meets only rows of
    those 256 shards, other ones in every pass. Where the rows lie sorted by group, a batch then has groups in
    the shares of 256 random places of the file, which is within a few percent of their shares in the whole.

    The rule looks at the size of the set alone, not at the memory that happens to be free, so that a seed
    gives the same order wherever the set is kept.

    Parameters
    ----------
    n_items, row_bytes : int
    generator : Generator
        Draws where it is at home.
    place : torch.device
        Where the order is to lie; on the host, the device draws no more than a window at a time.
    """
    if n_items * row_bytes <= ANY_ORDER_BYTES:
        return _mixed(n_items, generator).to(place)
    shard = max(1, SHARD_BYTES // row_bytes)
    shards = _mixed(-(-n_items // shard), generator).to(place)
    rows = (shards[:, None] * shard + torch.arange(shard, device=place)).flatten()
    rows = rows[rows < n_items]  # the last shard may be shorter, wherever it came
    for window in rows.split(max(1, WINDOW_BYTES // SHARD_BYTES) * shard):
        window.copy_(window[_mixed(len(window), generator).to(place)])
    return rows


def _mixed(count: int, generator: Generator) -> Tensor:
    return torch.randperm(count, generator=generator, device=generator.device)


def uniform_over_clusters(labels: Tensor, n_clusters: int, generator: Generator) -> Tensor:
    """Return n row numbers, drawn so that every cluster with items is met as often as any other, int64 (n,).

    DeepCluster's sampler: each of the M clusters that hold items gives ⌊n/M⌋ + 1 of them, some twice only
    where it has no more than that many; all are mixed and the first n are taken.

    Parameters
    ----------
    labels : int64 Tensor (n,)
    n_clusters : int
    generator : Generator
        On the device of ``labels``.
    """
    device, n_items = labels.device, len(labels)
    order = _mixed(n_items, generator)
    order = order[labels[order].argsort(stable=True)]  # by cluster, in random order within each
    sizes = torch.bincount(labels, minlength=n_clusters)
    held = sizes > 0
    firsts, sizes = (sizes.cumsum(0) - sizes)[held], sizes[held]  # (M,)
    wanted = n_items // len(sizes) + 1
    ranks = torch.arange(wanted, device=device).expand(len(sizes), -1)
    chances = torch.rand(len(sizes), wanted, generator=generator, device=device, dtype=torch.float64)
    again = (chances * sizes[:, None]).long()
    places = firsts[:, None] + torch.where(sizes[:, None] > wanted, ranks, again)
    drawn = order[places.flatten()]
    return drawn[_mixed(len(drawn), generator)[:n_items]]
