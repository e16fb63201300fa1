"""Ward's tree: join, again and again, the two groups whose union spreads least."""

from __future__ import annotations

from typing import Annotated, Any, Self

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray
from sklearn import cluster
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_is_fitted

from clustering.kinds import ANY_FEATURES
from clustering.merge_tree import MergeTree, with_leaves
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState, checked_settings
from clustering.methods.kmeans import ReducedDim
from clustering.methods.nearest import Found, NearestItemClusterer
from clustering.methods.plain import Phases, Telling
from clustering.parameters import Meaning

_VOTERS = 10


class Ward(NearestItemClusterer):
    r"""Agglomerative clustering with Ward's criterion, cut at K groups.

    The tree knows no doubt, so the soft assignments are a vote: an item's own group has eleven voices, each
    of its ten nearest other items has one. An item deep inside its group has 1, one among strangers .52. A
    new item takes the place of the nearest fitted item.

    Parameters
    ----------
    n_clusters : int, default=10
    latent_dim : int or None, default=None
        Reduce to this many principal components first. None uses the features themselves.
    max_items : int, default=10000
        The tree needs memory for every pair of items (0.4 GB for 10,000, 1.6 GB for 20,000). Above this
        number it is built on a random sample, and every other item joins the group of the sampled item
        nearest to it.
    random_state : int, default=0
        Chooses that sample; the tree itself has no chance in it.

    Attributes
    ----------
    children_ : int64 array (u - 1, 2)
        The history of merges of the distinct items, as in `MergeTree`.
    heights_ : float64 array (u - 1,)
        Ward's distance of each merge: the square root of twice what it adds to the squares within.
    """

    info = MethodInfo(
        name="ward",
        title="Ward's tree",
        paper="Hierarchical Grouping to Optimize an Objective Function (Ward)",
        year=1963,
        source="doi:10.1080/01621459.1963.10500845",
        family="baseline",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Builds a family tree of the collection from the bottom and cuts it into K branches.",
        when_to_use="When groups have groups within them, or as a strong and repeatable second opinion to "
        "k-means on up to some ten thousand items: the same data always give the same tree.",
        how_it_fails="An early wrong join is never undone, and like k-means it prefers round groups. On "
        "large collections it only sees a sample.",
        formula=r"\Delta(A,B) = \frac{|A|\,|B|}{|A|+|B|}\, \lVert \mu_A - \mu_B \rVert^2",
        representation="none",
        clustering="classical",
        interaction="none",
        test_settings={"n_clusters": 3},
        order=12,
        offers=("tree",),
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        latent_dim: ReducedDim = None,
        max_items: Annotated[
            int,
            Interval(ge=100, le=50_000),
            Meaning("Build the tree on at most this many items; the others join the nearest.", advanced=True),
        ] = 10_000,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.latent_dim = latent_dim
        self.max_items = max_items
        self.random_state = random_state

    def _phases(self, _settings: dict[str, Any]) -> Phases:
        return (("tree", 1),)

    def _find_among(
        self,
        distinct: NDArray[np.float32],
        counts: NDArray[np.intp],
        settings: dict[str, Any],
        telling: Telling,
        alarms: tuple[str, ...],
    ) -> Found:
        latents = self._reduce(distinct, settings["latent_dim"], settings["random_state"])
        self.children_, self.heights_ = _merges(latents, counts)
        found = self._cut(latents, settings["n_clusters"])
        _tell(found, counts, telling, alarms)
        return found

    def tree(self) -> MergeTree:
        """Return the tree of all fitted items."""
        check_is_fitted(self)
        return MergeTree(self.children_, self.heights_, self.places_)

    def cut(self, n_clusters: int) -> Self:
        """Return a fitted model with another number of groups, as if it had been fitted with it.

        Raises
        ------
        StudioError
            When the tree has not so many leaves.
        """
        check_is_fitted(self)
        model = type(self)(**{**self.get_params(deep=False), "n_clusters": n_clusters})
        settings = checked_settings(model)
        model.__dict__.update({name: value for name, value in vars(self).items() if name.endswith("_")})
        shape, told = (len(self.places_), self.n_features_in_), self._phases(settings)
        telling = Telling(self.info.name, told, shape, None, self._where(self.items_, settings))
        found = model._cut(self.embedding_[self.rows_], n_clusters)
        _tell(found, self.counts_, telling, ())
        model._keep(found)
        model.history_ = telling.finished(f"the tree of another run was cut at {n_clusters} groups")
        return model

    def _cut(self, latents: NDArray[np.float32], n_clusters: int) -> Found:
        tree = MergeTree(self.children_, self.heights_, np.arange(len(latents)))
        labels, counts = tree.cut(n_clusters), self.counts_
        centers = np.stack(
            [np.average(latents[labels == j], axis=0, weights=counts[labels == j]) for j in range(n_clusters)]
        )
        return Found(labels, _votes(latents, labels, n_clusters), latents, centers.astype(np.float32))


def _merges(
    latents: NDArray[np.float32], counts: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the history of merges of distinct items, (u - 1, 2) and (u - 1,); twins keep their weight."""
    everyone = np.repeat(latents, counts, axis=0)
    first = np.zeros(len(everyone), dtype=bool)
    first[np.cumsum(counts) - counts] = True
    if len(everyone) == 1:
        return with_leaves(np.empty((0, 2)), (), first)
    tree = cluster.AgglomerativeClustering(linkage="ward", compute_distances=True).fit(everyone)
    return with_leaves(tree.children_, tree.distances_, first)


def _tell(found: Found, counts: NDArray[np.intp], telling: Telling, alarms: tuple[str, ...]) -> None:
    squared = np.square(found.embedding - found.centers[found.labels]).sum(axis=1)
    within = float(np.average(squared, weights=counts))
    telling.epoch("tree", 1, 1, {"total": within}, np.repeat(found.labels, counts), alarms)


def _votes(latents: NDArray[np.float32], labels: NDArray[np.int64], n_clusters: int) -> NDArray[np.float32]:
    n_voters = min(_VOTERS, len(latents) - 1)
    votes = np.zeros((len(latents), n_clusters), dtype=np.float64)
    everyone = np.arange(len(latents))
    if n_voters:
        voters = (
            NearestNeighbors(n_neighbors=n_voters).fit(latents).kneighbors(return_distance=False)
        )  # (u, 10)
        np.add.at(votes, (everyone[:, None], labels[voters]), 1)
    votes[everyone, labels] += n_voters + 1
    return (votes / votes.sum(axis=1, keepdims=True)).astype(np.float32)
