"""N2D, "not too deep": an autoencoder, a UMAP of its latents, and a Gaussian mixture on that."""

from __future__ import annotations

import warnings
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Interval
from numpy.typing import NDArray
from torch import Generator, Tensor

from clustering.arrays import distinct_rows
from clustering.kinds import ANY_FEATURES
from clustering.methods.autoencoding import AutoencoderClusterer
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState, check_different
from clustering.methods.settings import (
    BatchSize,
    Device,
    HiddenDims,
    LearningRate,
    Precision,
    PretrainEpochs,
    Profile,
    Scale,
)
from clustering.networks.autoencoder import Autoencoder
from clustering.parameters import Meaning
from clustering.projections.unfolding import unfolded
from clustering.training.data import Data
from clustering.training.inference import encode_all, with_weights
from clustering.training.optimisers import Optimiser, cosine
from clustering.training.phase import Phase
from clustering.training.seeds import derived_seed

N2DLatentDim = Annotated[
    int | None,
    Interval(ge=1, le=10_000),
    Meaning("Dimensions of the autoencoder's latent space; empty: as many as groups.", advanced=True),
]
Neighbors = Annotated[
    int,
    Interval(ge=2, le=500),
    Meaning("Nearest neighbours UMAP keeps together: fewer shows finer groups, more the broad picture."),
]
FEWEST = 4  # below, no neighbourhood is smaller than the whole


class N2D(AutoencoderClusterer):
    """N2D (McConville, Santos-Rodríguez, Piechocki, Craddock 2019).

    Parameters
    ----------
    n_clusters : int, default 10
    profile : {"paper", "fast"}, default "paper"
        ``paper``: Adam 1e-3 for 1,000 epochs; ``fast``: with a cosine for 100.
    n_neighbors : int, default 20
        Of UMAP, which maps to ``n_clusters`` dimensions with minimum distance 0, as published.
    latent_dim : int, optional
        ``n_clusters`` by default, as published.
    hidden_dims, pretrain_epochs, batch_size, learning_rate, scale, device, precision, random_state
        As in `DEC`.

    Attributes
    ----------
    embedding_ : float32 array (n, n_clusters)
        The UMAP space the Gaussian mixture saw.

    Notes
    -----
    A new item takes the place of the training item nearest to it in the latent space. UMAP's own placing of
    new items depends on which others come along; this does not, so fit and predict agree on every subset.
    """

    info = MethodInfo(
        name="n2d",
        title="N2D",
        paper=(
            "N2D: (Not Too) Deep Clustering via Clustering the Local Manifold of an Autoencoded Embedding. "
            "Ryan McConville, Raul Santos-Rodríguez, Robert J. Piechocki, Ian Craddock"
        ),
        year=2019,
        source="ICPR 2020, arXiv:1908.05968",
        family="baseline",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="An autoencoder compresses, UMAP unrolls, a Gaussian mixture groups: no clustering loss.",
        when_to_use=(
            "As a strong plain rival of deep methods: often as good or better, above all where groups are "
            "curved and lie close together."
        ),
        how_it_fails=(
            "UMAP tears continuous data into islands, and the mixture will then find groups that are not "
            "there. It takes minutes on large collections and needs the training items to place new ones. "
            "Other seeds give other maps."
        ),
        formula=(
            r"z_i = f_\theta(x_i), \quad y = \mathrm{UMAP}(z), \quad "
            r"\max \sum_i \log \sum_j \pi_j \, \mathcal{N}(y_i \mid \mu_j, \Sigma_j)"
        ),
        representation="autoencoder and manifold",
        clustering="Gaussian mixture",
        interaction="multistage",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 4,
            "pretrain_epochs": 3,
            "device": "cpu",
        },
        order=80,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        profile: Profile = "paper",
        n_neighbors: Neighbors = 20,
        hidden_dims: HiddenDims = (500, 500, 2000),
        latent_dim: N2DLatentDim = None,
        pretrain_epochs: PretrainEpochs = None,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        scale: Scale = "none",
        device: Device = "auto",
        precision: Precision = "tf32",
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.profile = profile
        self.n_neighbors = n_neighbors
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim  # type: ignore[assignment]
        self.pretrain_epochs = pretrain_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.scale = scale
        self.device = device
        self.precision = precision
        self.random_state = random_state

    def pretraining(self, n_items: int) -> tuple[Optimiser, int]:  # noqa: ARG002
        """Return Adam for 1,000 epochs, or 100 with a cosine."""
        rate = self.learning_rate or 1e-3
        if self.profile == "paper":
            return Optimiser("adam", rate), 1000
        return Optimiser("adam", rate, schedule=cosine), 100

    def setup(self, n_features: int, generator: Generator) -> Autoencoder:
        """Return the untrained autoencoder with room for what the manifold step finds."""
        width = self.latent_dim or self.n_clusters
        network = Autoencoder(n_features, self.hidden_dims, width, 0, "fan_in", generator)
        network.register_buffer("items", torch.zeros(0, width))  # distinct training latents (u, m)
        network.register_buffer("map", torch.zeros(0, self.n_clusters))  # their UMAP (u, K)
        network.register_buffer("assignments", torch.zeros(0, self.n_clusters))  # (u, K)
        return network

    def clustering(self, network: Autoencoder, data: Data) -> Phase:
        """Return the manifold step: it trains no network."""
        return Phase(
            "cluster",
            1,
            begin=lambda: self._fit_manifold(network, data),
            refresh=lambda: self.look(network, data),
        )

    def place(self, network: Any, latents: Tensor) -> Tensor:
        """Return the UMAP place of the nearest training item, (n, K)."""
        return network.map[_nearest(network, latents)]

    def assign(self, network: Any, latents: Tensor) -> Tensor:
        """Return the mixture's soft assignment of the nearest training item, (n, K)."""
        return network.assignments[_nearest(network, latents)]

    def _fit_manifold(self, network: Autoencoder, data: Data) -> None:
        from sklearn.mixture import GaussianMixture

        latents = encode_all(network, data).cpu().numpy()
        # Equal rows share a place: as each other's neighbours they would make UMAP's graph arbitrary.
        first, twin_of = distinct_rows(latents)
        check_different(
            "N2D",
            max(FEWEST, self.n_clusters),
            len(latents),
            len(first),
            what="items that differ in the latent space",
            mend="Load more items, choose fewer groups, or choose k-means.",
        )
        places = self._umap(latents[first])
        mixture = GaussianMixture(
            self.n_clusters, random_state=derived_seed(self.random_state, "mixture"), reg_covar=1e-5
        ).fit(places[twin_of].astype(np.float64))
        found = {
            "items": latents[first],
            "map": places,
            "assignments": mixture.predict_proba(places.astype(np.float64)).astype(np.float32),
            "centers": mixture.means_.astype(np.float32),
        }
        kept = {name: value for name, value in network.state_dict().items() if name not in found}
        with_weights(network, kept | {name: torch.from_numpy(value) for name, value in found.items()})
        network.to(data.device)

    def _umap(self, latents: NDArray[np.float32]) -> NDArray[np.float32]:
        n_items, seed = len(latents), derived_seed(self.random_state, "umap")
        # A spectral start needs clearly more items than dimensions.
        spectral = n_items > 5 * self.n_clusters
        random_places = np.random.default_rng(seed).uniform(-10, 10, (n_items, self.n_clusters))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # loose items: the map stays usable
            places, _ = unfolded(
                latents,
                n_components=self.n_clusters,
                n_neighbors=min(self.n_neighbors, n_items - 1),
                min_dist=0.0,
                start="spectral" if spectral else random_places.astype(np.float32),
                random_state=seed,
            )
        return places


def _nearest(network: Any, latents: Tensor) -> Tensor:
    """Return for each latent (n, m) the number of the nearest training item, int64 (n,)."""
    from scipy.spatial import KDTree

    tree = KDTree(network.items.float().cpu().numpy())
    _, nearest = tree.query(latents.float().cpu().numpy())
    return torch.from_numpy(np.asarray(nearest)).to(latents.device)
