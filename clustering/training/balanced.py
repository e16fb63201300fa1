"""Batches that hold as many items of every group, however unlike the groups are in size."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

FEWEST = 4  # items a group in a batch, where a group holds so few


def balanced_batches(
    groups: Tensor, n_groups: int, batch_size: int, steps: int, generator: Generator
) -> Tensor:
    """Return row numbers int64 (steps, n_groups · s) with s items of each group.

    s is a group's share of the batch, or the size of the smallest group if that is less (G-CEALS' code). That
    rule alone would let one loose item shrink all batches to one item a group, so s is never below 4; a
    smaller group then repeats its items. Within a batch no item of a larger group occurs twice.

    Parameters
    ----------
    groups : int64 Tensor (n,)
        The group of each item.
    n_groups, batch_size, steps : int
    generator : torch.Generator
        On the device of ``groups``.
    """
    sizes = torch.bincount(groups, minlength=n_groups)
    filled = sizes[sizes > 0]
    each = min(max(1, batch_size // len(filled)), max(FEWEST, int(filled.min())))
    starts = (sizes.cumsum(0) - sizes)[sizes > 0]
    places = torch.arange(each, device=groups.device)
    tables = []
    for _ in range(steps):
        shuffled = torch.rand(len(groups), generator=generator, device=groups.device, dtype=torch.float64)
        ordered = (groups + shuffled).argsort()  # group by group, at random within
        tables.append(ordered[starts[:, None] + places % filled[:, None]].flatten())
    return torch.stack(tables)
