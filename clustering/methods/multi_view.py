"""What methods for several views of the same items share: an autoencoder a view, centres among all codes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from clustering.methods.paired import PairedClusterer
from clustering.methods.view_codes import filled_codes, known_codes, log_assignments, rounded
from clustering.methods.view_columns import (
    ViewColumns,
    read_by_convolutions,
    scaled_as_pictures,
    view_columns,
)
from clustering.networks.view_autoencoders import ViewAutoencoders
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.inference import encode_all
from clustering.training.kmeans import kmeans
from clustering.training.pooled import lower_determinant
from clustering.training.seeds import derived_seed

PictureEncoder = Annotated[
    Literal["dense", "convolutional"],
    Meaning(
        "What reads the views that are pictures: layers that see all pixels at once (“dense”), as for any "
        "view, or convolutions, which find the same shape wherever it stands."
    ),
]


class MultiViewClusterer(PairedClusterer):
    """Base of methods with an autoencoder a view, whose clusters lie among the codes side by side.

    Attributes
    ----------
    view_weights_ : float32 array (V, K)
        How much each view counts for each cluster; columns sum to 1.
    """

    view_sizes: tuple[int, ...] | None
    view_shapes: tuple[int, ...] | None
    picture_encoder: Literal["dense", "convolutional"]

    @property
    def view_weights_(self) -> NDArray[np.float32]:
        """How much each view counts for each cluster, float32 (V, K)."""
        return torch.from_numpy(self.weights_["weight_logits"]).softmax(dim=0).numpy()

    def setup(self, n_features: int, generator: Generator) -> Any:
        """Return the untrained autoencoders with room for K centres."""
        columns = self._columns(n_features)
        return ViewAutoencoders(
            columns.sizes,
            columns.pictures,
            columns.marked,
            self.hidden_dims,
            self.latent_dim,
            self.n_clusters,
            "fan_in",
            generator,
        )

    def scaling(
        self, mean: NDArray[np.float64], variance: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return shift and factor of every column; marks of missing views stay 0 and 1."""
        columns = self._columns(len(mean))
        shift, factor = super().scaling(mean, variance)
        if self.scale == "standardize":
            for here, middle, one_over_spread in scaled_as_pictures(columns, mean, variance):
                shift[here], factor[here] = middle, one_over_spread
        if columns.marked:
            shift[-len(columns.sizes) :], factor[-len(columns.sizes) :] = 0, 1
        return shift, factor

    def assign(self, network: Any, latents: Tensor) -> Tensor:
        """Return the soft assignments fused over the views an item has."""
        return log_assignments(network, network.split(latents)).exp()

    def place(self, network: Any, latents: Tensor) -> Tensor:
        """Return the codes side by side; for a missing one the middle of the likely clusters stands in."""
        codes = network.split(latents)
        if codes.present is None:
            return latents
        likely = self.assign(network, latents) @ network.centers  # (n, V·m)
        known = codes.present.repeat_interleave(network.latent_dim, dim=1)
        return torch.where(known, torch.cat(codes.of_views, dim=1), likely)

    def start_centers(self, network: Any, data: Data) -> None:
        """Bring the codes of all views to one size and put the centres of the first clusters among them."""
        codes = network.split(encode_all(network, data))
        spreads = [
            known_codes(code, codes, at).var(dim=0, unbiased=False) for at, code in enumerate(codes.of_views)
        ]
        for view, spread in zip(network.views, spreads, strict=True):
            factor = spread.mean().clamp_min(1e-12).rsqrt()
            view.stretch(torch.eye(network.latent_dim, device=data.device) * factor)
        latents = filled_codes(network.split(encode_all(network, data)))
        centers, _ = kmeans(latents, self.n_clusters, derived_seed(self.random_state, "kmeans"))
        if self.initial_centers == "invariant":
            centers, covariance = lower_determinant(latents, centers)
            centers = rounded(network, centers, covariance)
        network.centers.data.copy_(centers)
        network.weight_logits.data.zero_()
        between = torch.pdist(centers.double()).square()
        network.margin.fill_(float(between.median()) if len(between) and between.median() > 0 else 1.0)

    def _columns(self, n_features: int) -> ViewColumns:
        """Return how the columns lie, and which views convolutions are to read as pictures.

        Raises
        ------
        StudioError
            When they do not add up to the columns there are, or no view is a picture where one is wanted.
        """
        columns = view_columns(n_features, self.view_sizes, self.view_shapes)
        if self.picture_encoder == "dense":
            return columns._replace(pictures=(None,) * len(columns.sizes))
        return read_by_convolutions(columns)
