"""The answers of a method that grows a tree: what its leaves hold of items, its splits, and cuts of it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from clustering.merge_tree import MergeTree
from clustering.methods.deep import DeepClusterer
from clustering.methods.inputs import checked_settings
from clustering.networks.generator_tree import ROWS_AT_ONCE, GeneratorTree
from clustering.training.data import Data
from clustering.training.events import Epoch, Finished, History, Started
from clustering.training.inference import with_weights
from clustering.training.seeds import torch_generator


class GrownTree(DeepClusterer):
    """Base of methods whose network is a `GeneratorTree`; they write `setup` and `phases`.

    Attributes
    ----------
    children_, heights_, memberships_, places_
        As `HCMGAN` says.
    """

    children_: NDArray[np.int64]
    heights_: NDArray[np.float64]
    memberships_: NDArray[np.float32]
    places_: NDArray[np.int64]

    def assign(self, network: GeneratorTree, latents: Tensor) -> Tensor:
        """Return what each leaf holds of items (n, d), by the classifiers on the way down to it."""
        n_splits = min(self.n_clusters - 1, len(network.splits))
        return torch.cat([network.walk(part, n_splits) for part in latents.split(ROWS_AT_ONCE)])

    def _found(
        self, network: Any, items: NDArray[np.float32], data: Data
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """Take up the tree: its classifiers, its history of splits in reverse, and what each leaf holds."""
        made = int(network.made)
        self.children_, self.heights_ = merges(
            network.parents[:made].tolist(), network.masses[:made].sum(dim=1).tolist()
        )
        tree = self.setup(items.shape[1], torch_generator(self.random_state, "weights"))
        wanted, grown = tree.state_dict(), network.state_dict()
        done = {name: wanted[name] for name in ("memberships", "held", "proposed")}
        with_weights(tree, {name: grown[name] for name in wanted} | done)
        found = super()._found(tree.to(data.device), items, data)
        self.memberships_, self.places_ = found[1:]
        return found

    def tree(self) -> MergeTree:
        """Return the tree of all fitted items; what a leaf holds of them is a matter of degree."""
        check_is_fitted(self)
        return MergeTree(self.children_, self.heights_, self.places_, self.memberships_)

    def cut(self, n_clusters: int) -> Self:
        """Return a fitted model with another number of groups, as if it had been fitted with it.

        Raises
        ------
        StudioError
            When the tree has not so many leaves.
        """
        tree = self.tree()
        held = tree.held(n_clusters)  # (n, k)
        model = type(self)(**{**self.get_params(deep=False), "n_clusters": n_clusters})
        checked_settings(model)
        model.__dict__.update({name: value for name, value in vars(self).items() if name.endswith("_")})
        model.soft_assignments_, model.labels_ = held, tree.cut(n_clusters)
        model.init_labels_ = model.labels_[None]
        groups, masses = tree.cut_leaves(n_clusters), self.memberships_.sum(axis=0, dtype=np.float64)
        model.cluster_centers_ = np.stack(
            [
                np.average(self.weights_["centers"][groups == j], axis=0, weights=masses[groups == j])
                for j in range(n_clusters)
            ]
        ).astype(np.float32)
        model.history_ = _cut_history(model, n_clusters)
        return model


def merges(parents: list[int], masses: list[float]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return splits as a history of merges, (u - 1, 2) and (u - 1,): the last split is the first merge.

    Parameters
    ----------
    parents : list of int
        The leaf that each split divides; its left half keeps the number, split t makes leaf t + 1.
    masses : list of float
        What each divided leaf held: the height of the merge. No split divides a heavier leaf than the one
        before.
    """
    node_of = list(range(len(parents) + 1))
    children = []
    for split in reversed(range(len(parents))):
        leaf = parents[split]
        children.append((node_of[leaf], node_of[split + 1]))
        node_of[leaf] = len(parents) + len(children)
    return np.array(children, dtype=np.int64).reshape(-1, 2), np.array(masses[::-1], dtype=np.float64)


def _cut_history(model: GrownTree, n_clusters: int) -> list[dict[str, Any]]:
    history = History()
    n_items, n_features = model.embedding_.shape
    history(
        Started(
            model.info.name, (("leaves", 1),), n_items, n_features, "cpu", "the tree was cut on the processor"
        )
    )
    sizes = tuple(np.bincount(model.labels_, minlength=n_clusters).tolist())
    history(Epoch("leaves", 1, 1, {}, sizes))
    history(Finished(f"the tree of another run was cut at {n_clusters} groups", 0.0))
    return history.rows
