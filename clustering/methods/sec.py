"""Spectral embedded clustering: cuts of the neighbour graph that a linear map of the features can follow."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from clustering.kinds import ANY_FEATURES
from clustering.methods.cutting import Links, linked
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.nystrom import NystromClusterer, SampleSize, Solved, last_eigenvectors
from clustering.neighbors import neighbors_in
from clustering.parameters import Meaning


class SpectralEmbedded(NystromClusterer):
    r"""Spectral embedded clustering (Nie, Zeng, Tsang, Xu, Zhang 2011).

    The K last eigenvectors of :math:`L + \mu L_g`: the Laplacian of the neighbour graph, and how badly a
    ridge regression from the features foretells the eigenvectors. Then k-means. The soft assignments are
    Student-t in the distance to the centres among the eigenvectors, not probabilities. A new item takes the
    place of the nearest fitted item.

    Parameters
    ----------
    n_clusters : int, default=10
    n_neighbors : int, default=10
        Links a node, itself among them.
    linearity : float, default=1
        μ. 0 is spectral clustering; a large one asks for a linear map and little else.
    ridge : float, default=1
        γ, in units of the mean variance of the features times the number of items.
    sample_size : int, default=20000
    random_state : int, default=0
    """

    info = MethodInfo(
        name="sec",
        title="Spectral embedded clustering",
        paper="Spectral Embedded Clustering: A Framework for In-Sample and Out-of-Sample Spectral Clustering "
        "(Nie, Zeng, Tsang, Xu, Zhang)",
        year=2011,
        source="doi:10.1109/TNN.2011.2162000",
        family="baseline",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Cuts the web of neighbours where it is thin, but only along seams that run straight through "
        "the features.",
        when_to_use="Features with many columns, where neighbours are found badly and groups lie apart in "
        "straight directions: the linear part steadies what the web alone cuts by chance. DEC was measured "
        "against it.",
        how_it_fails="Groups that wind around one another cannot be told apart along straight lines: there "
        "the linear part does harm, and spectral clustering is better. Few items in many columns let any cut "
        "be foretold, and nothing is steadied. On MNIST's pixels it agrees with the digits no better than "
        "k-means (accuracy .54, where .80 was published with settings chosen by labels).",
        formula=r"\min_{F^\top F=I,W,b} \operatorname{tr}(F^\top L F) + \mu\big(\lVert XW+\mathbf 1 b^\top-F"
        r"\rVert^2+\gamma \operatorname{tr}(W^\top W)\big)",
        representation="none",
        clustering="spectral",
        interaction="none",
        test_settings={"n_clusters": 3, "n_neighbors": 7},
        reconstructed="The paper could not be read in full. From it: the loss, and that W and b are "
        "eliminated. Ours: the graph of spectral clustering here, μ = γ = 1 with γ in units of the features' "
        "variance (published results searched both with the help of labels), k-means on the eigenvectors, "
        "and the extension to items beyond the sample.",
        order=14,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        n_neighbors: Links = 10,
        linearity: Annotated[
            float, Ge(0), Meaning("How much a cut has to run straight through the features.")
        ] = 1.0,
        ridge: Annotated[
            float, Gt(0), Meaning("Larger lets fewer directions of the features count.", advanced=True)
        ] = 1.0,
        sample_size: SampleSize = 20_000,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_neighbors = n_neighbors
        self.linearity = linearity
        self.ridge = ridge
        self.sample_size = sample_size
        self.random_state = random_state

    def _solved(self, items: NDArray[np.float32], settings: dict[str, Any]) -> Solved:
        mu = settings["linearity"]
        n_items, n_neighbors = len(items), min(settings["n_neighbors"], len(items))
        graph = linked(items, n_neighbors)
        roots = np.sqrt(np.asarray(graph.sum(axis=1)).ravel())
        fit = RidgeFit(items, settings["ridge"])

        def product(vectors: NDArray[Any]) -> NDArray[Any]:
            similar = (graph @ (vectors / roots[:, None])) / roots[:, None]
            return vectors - similar + mu * fit.missed(vectors)

        values, vectors = last_eigenvectors(
            product, n_items, settings["n_clusters"], 2 + mu, settings["random_state"]
        )
        weights, mean = fit.weights(vectors), vectors.mean(axis=0)

        def extended(others: NDArray[np.float32]) -> NDArray[np.float64]:
            # Row x of (L + μ L_g) F = F Λ, solved for F_x: links as a fitted item has them, and its fit.
            found = neighbors_in(items, others, n_neighbors - 1).indices  # (q, k − 1)
            links = vectors[found] / roots[found][:, :, None]
            told = links.sum(axis=1) / n_neighbors**0.5 + mu * (mean + fit.centred(others) @ weights)
            return np.asarray(told / (1 + mu - values - 1 / n_neighbors))

        return Solved(vectors, extended)


class RidgeFit:
    """How features foretell vectors by ridge regression with a free constant.

    Parameters
    ----------
    items : float32 array (n, d)
    ridge : float
        γ, in units of the mean variance of a column times n.
    """

    def __init__(self, items: NDArray[np.float32], ridge: float) -> None:
        self._mean = items.mean(axis=0, dtype=np.float64)
        self._items = items.astype(np.float64) - self._mean
        gram = self._items.T @ self._items  # (d, d)
        unit = max(float(np.trace(gram)) / len(gram), float(np.finfo(np.float64).tiny) ** 0.5)
        self._factor = cho_factor(gram + ridge * unit * np.eye(len(gram)))

    def centred(self, items: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return items (q, d) about the mean of those that were given first."""
        return np.asarray(items.astype(np.float64) - self._mean)

    def weights(self, vectors: NDArray[Any]) -> NDArray[np.float64]:
        """Return W (d, m) that foretells vectors (n, m) best."""
        return np.asarray(cho_solve(self._factor, self._items.T @ vectors))

    def missed(self, vectors: NDArray[Any]) -> NDArray[np.float64]:
        """Return L_g F = F − 1 mean(F) − X W: what of the vectors (n, m) is not foretold."""
        return np.asarray(vectors - vectors.mean(axis=0) - self._items @ self.weights(vectors))
