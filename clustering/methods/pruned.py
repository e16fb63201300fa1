"""A tree without what lies below one of its branches, to go on from when that branch is divided again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clustering.methods.split_order import SHOWN, SPLIT, TOLD, half_at, halves, in_order, numbered, within
from clustering.networks.generator_tree import GeneratorTree


@dataclass(frozen=True)
class Pruned:
    """What is kept of a tree, and which of its leaves may be divided.

    Parameters
    ----------
    weights : dict of str to array
        Of the kept splits, and what is told of each, in their order.
    memberships : float32 array (n, kept + 1)
        What each kept leaf holds of every item.
    leaf : int
        The branch, which is a leaf now.
    below : int
        Splits that were taken away.
    """

    weights: Mapping[str, NDArray[Any]]
    memberships: NDArray[np.float32]
    leaf: int
    below: int

    @property
    def n_splits(self) -> int:
        """How many splits are kept."""
        return len(self.weights["parents"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what decides how a fit goes on from here."""
        return {"kept": self.memberships, "branch": np.array(self.leaf)}

    def put_into(self, network: GeneratorTree) -> None:
        """Put the kept splits into an untrained tree with room for more, whose other leaves are closed."""
        kept = self.n_splits
        for name in TOLD:
            getattr(network, name)[:kept] = torch.from_numpy(self.weights[name])
        splits = {
            name.removeprefix(SPLIT): torch.from_numpy(value)
            for name, value in self.weights.items()
            if name.startswith(SPLIT)
        }
        network.splits[:kept].load_state_dict(splits)
        for name in SHOWN:
            if name in self.weights:
                known = torch.from_numpy(self.weights[name]).to(network.masses.device)
                whole = known.new_zeros(len(network.splits), *known.shape[1:])
                whole[:kept] = known
                setattr(network, name, whole)
        network.made.fill_(kept)
        held = torch.from_numpy(self.memberships).to(network.masses.device)
        room = held.new_zeros(len(held), len(network.splits) - kept)
        network.memberships = torch.cat([held, room], dim=1)
        network.closed[: kept + 1] = True
        network.closed[self.leaf] = False


def pruned(
    weights: Mapping[str, NDArray[Any]], memberships: NDArray[np.float32], n_splits: int, node: int
) -> Pruned:
    """Return a tree without what lies below a node.

    Parameters
    ----------
    weights : dict of str to array
        Of a fitted `GeneratorTree`, and by split what its generators made where that was kept.
    memberships : float32 array (n, n_splits + 1)
    node : int
        As in `MergeTree`.
    """
    parents = weights["parents"][:n_splits].tolist()
    half = half_at(parents, node)
    gone = set(within(parents, half))
    order = [split for split in range(n_splits) if split not in gone]
    _, leaf_of = numbered(parents, order)
    held = np.zeros((len(memberships), len(order) + 1), dtype=np.float32)
    for leaf, own in enumerate(halves(parents).leaves):
        held[:, leaf_of.get(own, leaf_of[half])] += memberships[
            :, leaf
        ]  # those below fall back to the branch
    told = {**weights, **{name: weights[name][:n_splits] for name in TOLD}}
    return Pruned(in_order(told, order), held, leaf_of[half], len(gone))
