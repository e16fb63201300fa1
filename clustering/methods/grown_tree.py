"""The answers of a method that grows a tree: what its leaves hold of items, its splits, and cuts of it."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from clustering.errors import StudioError
from clustering.merge_tree import MergeTree
from clustering.methods.deep import DeepClusterer
from clustering.methods.inputs import checked_items, checked_settings
from clustering.methods.pruned import Pruned, pruned
from clustering.methods.split_order import halves, heaviest_first, in_order, merges, numbered
from clustering.networks.generator_tree import ROWS_AT_ONCE, GeneratorTree
from clustering.training.data import Data
from clustering.training.events import Emit, Epoch, Finished, History, Started
from clustering.training.inference import with_weights
from clustering.training.seeds import torch_generator


class GrownTree(DeepClusterer):
    """Base of methods whose network is a `GeneratorTree`; they write `setup` and `phases`.

    Attributes
    ----------
    children_, heights_, memberships_, places_, generated_, nearest_
        As `HCMGAN` says.
    """

    children_: NDArray[np.int64]
    heights_: NDArray[np.float64]
    memberships_: NDArray[np.float32]
    places_: NDArray[np.int64]
    generated_: NDArray[np.float32]
    nearest_: NDArray[np.int64]
    _begun: Pruned | None = None  # the tree that this fit goes on from

    @abstractmethod
    def lightest(self, n_items: int) -> float:
        """Return what a branch must hold to be divided, in items."""

    def begin(self, network: GeneratorTree) -> None:
        """Put what is kept of an earlier tree into an untrained one, if this fit goes on from one."""
        if self._begun is not None:
            self._begun.put_into(network)

    def split_again(
        self,
        X: ArrayLike,
        node: int,
        *,
        leaves: int = 2,
        random_state: int | None = None,
        emit: Emit | None = None,
        checkpoint: Path | None = None,
    ) -> Self:
        """Return a fitted model whose tree has one branch divided anew; all other branches stay as they are.

        What lay below the branch is taken away with its old halves, whose classifiers say nothing of the new
        ones. A leaf is divided one level further.

        Parameters
        ----------
        X : array-like (n, d)
            The items that the tree was grown on.
        node : int
            The branch, numbered as in `tree`.
        leaves : int, default 2
            The branch is to have: its heaviest leaf is divided again and again.
        random_state : int, optional
            By default the one after this model's. The same gives the same.
        emit, checkpoint
            As in `fit`.

        Raises
        ------
        StudioError
            When there is no such branch, it holds too little, or the items are others.
        """
        items = self._grown_on(X)
        tree = self.tree()
        if not 0 <= node <= tree.root or leaves < 2:
            raise StudioError(
                f"There is no branch {node} to be divided into {leaves} (the whole is number {tree.root}).",
                f"Choose a branch from 0 to {tree.root}, and 2 leaves or more.",
            )
        if (mass := tree.mass(node)) < (least := self.lightest(len(items))):
            raise StudioError(
                f"This branch holds {mass:,.1f} items, all degrees added up; {least:,.0f} are needed.",
                "Choose a larger branch, or train with a smaller “least_mass”.",
            )
        begun = pruned(self._told(), self.memberships_, len(self.children_), node)
        seed = self.random_state + 1 if random_state is None else random_state
        changed = {"n_clusters": begun.n_splits + leaves, "random_state": seed}
        model = type(self)(**{**self.get_params(deep=False), **changed})
        model._begun = begun
        try:
            return model._fit(items, emit, checkpoint)
        finally:
            del model._begun  # the next fit begins with the whole

    def _told(self) -> dict[str, NDArray[Any]]:
        """Return the weights, and what the generators of each split made; older models have not kept that."""
        if not hasattr(self, "generated_"):
            return self.weights_
        return {**self.weights_, "fakes": self.generated_[::-1].copy(), "like": self.nearest_[::-1].copy()}

    def _grown_on(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return items as an array, sure that they are those of the fit."""
        check_is_fitted(self)
        items = checked_items(self, X)
        same = len(items) == len(self.embedding_) and np.allclose(
            (items - self.shift_) * self.factor_, self.embedding_, rtol=1e-4, atol=1e-5
        )
        if not same:
            raise StudioError(
                "A branch is divided again by the items that the tree was grown on, and these are others.",
                "Give the same items in the same order, or fit a new tree.",
            )
        return items

    def _with(self, settings: dict[str, Any]) -> Self:
        """Return this method with other settings, which goes on from the same tree."""
        model = super()._with(settings)
        model._begun = self._begun
        return model

    def _decisive(self) -> dict[str, NDArray[Any]]:
        with_fakes = {"with fakes": np.array(True)}  # an earlier checkpoint knows of none
        return with_fakes if self._begun is None else with_fakes | self._begun.arrays()

    def assign(self, network: GeneratorTree, latents: Tensor) -> Tensor:
        """Return what each leaf holds of items (n, d), by the classifiers on the way down to it."""
        n_splits = min(self.n_clusters - 1, len(network.splits))
        return torch.cat([network.walk(part, n_splits) for part in latents.split(ROWS_AT_ONCE)])

    def _found(
        self, network: Any, items: NDArray[np.float32], data: Data
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """Take up the tree: its classifiers, its history of splits in reverse, and what each leaf holds."""
        grown = ordered(network) if self._begun else network.state_dict()
        made = int(network.made)
        self.children_, self.heights_ = merges(
            grown["parents"][:made].tolist(), grown["masses"][:made].sum(dim=1).tolist()
        )
        self.generated_, self.nearest_ = (
            grown[name][:made].flip(0).cpu().numpy() for name in ("fakes", "like")
        )
        tree = self.setup(items.shape[1], torch_generator(self.random_state, "weights"))
        wanted = tree.state_dict()
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


def ordered(network: GeneratorTree) -> dict[str, Any]:
    """Return the weights of a tree with its splits told from the heaviest branch to the lightest."""
    made, weights = int(network.made), dict(network.state_dict())
    parents = network.parents[:made].tolist()
    order = heaviest_first(parents, network.masses[:made].sum(dim=1).tolist())
    _, leaf_of = numbered(parents, order)
    now = sorted(range(made + 1), key=lambda leaf: leaf_of[halves(parents).leaves[leaf]])
    weights["parents"] = network.parents[:made]
    return weights | in_order(weights, order) | {"centers": network.centers[now]}


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
