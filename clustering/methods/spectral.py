"""Spectral clustering: cut the graph of nearest neighbours where it is thinnest."""

from __future__ import annotations

import warnings
from typing import Annotated, Any

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.manifold import spectral_embedding

from clustering.kinds import ANY_FEATURES
from clustering.methods.cutting import DENSE_UP_TO, STARTS, Links, cut, linked, of_unit_size
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.nearest import Found, NearestItemClusterer
from clustering.methods.plain import Phases, Telling
from clustering.parameters import Meaning


class Spectral(NearestItemClusterer):
    r"""Normalised cuts on the graph of nearest neighbours, then k-means on its K first eigenvectors.

    The soft assignments are Student-t in the distance to the k-means centres among the eigenvectors: how
    clearly the item lies on one side of the cuts, not a probability. A new item takes the place of the
    nearest fitted item.

    Parameters
    ----------
    n_clusters : int, default=10
    n_neighbors : int, default=10
        Edges a node. Fewer follow finer threads and may tear the graph; more bridge the gaps between groups.
    max_items : int, default=10000
        Above this number the graph is built on a random sample, and every other item takes the place of the
        sampled item nearest to it: the eigenvectors of a larger graph take minutes.
    random_state : int, default=0
    """

    info = MethodInfo(
        name="spectral",
        title="Spectral clustering",
        paper="Normalized Cuts and Image Segmentation (Shi, Malik); On Spectral Clustering: Analysis and an "
        "Algorithm (Ng, Jordan, Weiss)",
        year=2000,
        source="doi:10.1109/34.868688; NeurIPS 2001",
        family="baseline",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Links every item to its nearest neighbours and cuts the web into K parts along its thinnest "
        "seams.",
        when_to_use="When groups are curved or intertwined but have gaps between them: it follows threads of "
        "neighbours and does not care about round shapes.",
        how_it_fails="A few items that bridge two groups melt them together, and a handful of outliers far "
        "from everything becomes a group of its own, as do rows of a table that share a rare value of one "
        "column with few values. On large collections it only sees a sample.",
        formula=r"L = I - D^{-1/2} A D^{-1/2}, \qquad \min_{H^\top H = I} \operatorname{tr}(H^\top L H)",
        representation="none",
        clustering="classical",
        interaction="none",
        test_settings={"n_clusters": 3, "n_neighbors": 7},
        order=13,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        n_neighbors: Links = 10,
        max_items: Annotated[
            int,
            Interval(ge=100, le=50_000),
            Meaning("Build the web on at most this many items; the others join the nearest.", advanced=True),
        ] = 10_000,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_neighbors = n_neighbors
        self.max_items = max_items
        self.random_state = random_state

    def _phases(self, _settings: dict[str, Any]) -> Phases:
        return (("eigenvectors", 1), ("starts", STARTS))

    def _find_among(
        self,
        distinct: NDArray[np.float32],
        counts: NDArray[np.intp],
        settings: dict[str, Any],
        telling: Telling,
        alarms: tuple[str, ...],
    ) -> Found:
        seed, n_clusters = settings["random_state"], settings["n_clusters"]
        latents = _eigenvectors(distinct, n_clusters, settings["n_neighbors"], seed)
        telling.epoch("eigenvectors", 1, 1, alarms=alarms)
        return cut(latents, counts, n_clusters, seed, telling)


def _eigenvectors(
    items: NDArray[np.float32], n_vectors: int, n_neighbors: int, seed: int
) -> NDArray[np.float32]:
    """Return the first eigenvectors of the normalised Laplacian, float32 (u, n_vectors), of unit mean square.

    As in scikit-learn they are divided by the square root of the degrees (the random-walk form).
    """
    n_items = len(items)
    graph = linked(items, min(n_neighbors, n_items))
    if n_items <= DENSE_UP_TO:
        root = np.sqrt(np.asarray(graph.sum(axis=1)).ravel())
        _, vectors = eigh(
            graph.toarray() / np.outer(root, root), subset_by_index=(n_items - n_vectors, n_items - 1)
        )
        vectors = vectors[:, ::-1] / root[:, None]
    else:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # a graph in several pieces is welcome: each is a group
            vectors = spectral_embedding(
                graph, n_components=n_vectors, random_state=seed, drop_first=False, eigen_solver="arpack"
            )
    return of_unit_size(vectors)
