"""One autoencoder a view of the same items, and clusters among their codes laid side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from clustering.networks.autoencoder import Autoencoder
from clustering.networks.convolutional_autoencoder import ConvolutionalAutoencoder
from clustering.networks.convolutions import Picture
from clustering.networks.initialisers import Initialiser


class Codes(NamedTuple):
    """What the encoders make of items.

    Parameters
    ----------
    of_views : tuple of Tensor (b, m)
        The code of each view; zeros are made of what is not there, which `present` tells.
    present : bool Tensor (b, V) or None
        Which views each item has; None where all have all.
    """

    of_views: tuple[Tensor, ...]
    present: Tensor | None


class ViewAutoencoders(nn.Module):
    """Autoencoders d_v–…–m of V views; the latents of an item are its codes side by side, (b, V·m).

    Parameters
    ----------
    view_sizes : sequence of int
        d_v; the columns of an item lie view after view.
    pictures : sequence of Picture or None
        Of each view the picture that convolutions read its columns as; None for linear layers.
    marked : bool
        Whether V more columns follow, with 1 where an item lacks a view. They are handed on behind the codes,
        so that latents are then V·m + V numbers.
    hidden_dims, latent_dim, n_clusters, initialiser, generator
        As in `Autoencoder`; ``centers`` are (K, V·m).
    """

    margin: Tensor

    def __init__(
        self,
        view_sizes: Sequence[int],
        pictures: Sequence[Picture | None],
        marked: bool,
        hidden_dims: Sequence[int],
        latent_dim: int,
        n_clusters: int,
        initialiser: Initialiser,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.sizes, self.marked, self.latent_dim = tuple(view_sizes), marked, latent_dim
        self.views = nn.ModuleList(
            Autoencoder(size, hidden_dims, latent_dim, 0, initialiser, generator)
            if picture is None
            else ConvolutionalAutoencoder(picture, latent_dim, generator)
            for size, picture in zip(view_sizes, pictures, strict=True)
        )
        self.centers = nn.Parameter(torch.zeros(n_clusters, latent_dim * len(self.sizes)))
        self.weight_logits = nn.Parameter(torch.zeros(len(self.sizes), n_clusters))
        self.register_buffer("margin", torch.ones(()))

    def encode(self, inputs: Tensor) -> Tensor:
        """Map features to codes side by side, and behind them the marks where there are any."""
        parts, marks = self._apart(inputs, self.sizes)
        codes = [view.encode(part) for view, part in zip(self._autoencoders(), parts, strict=True)]
        return torch.cat(codes if marks is None else [*codes, marks.to(codes[0].dtype)], dim=1)

    def decode(self, codes: Codes) -> list[Tensor]:
        """Rebuild every view from its own code."""
        return [view.decode(code) for view, code in zip(self._autoencoders(), codes.of_views, strict=True)]

    def forward(self, inputs: Tensor) -> Tensor:
        """Rebuild all views, side by side."""
        return torch.cat(self.decode(self.split(self.encode(inputs))), dim=1)

    def inputs_of(self, features: Tensor) -> list[Tensor]:
        """Return the columns of each view."""
        return self._apart(features, self.sizes)[0]

    def split(self, latents: Tensor) -> Codes:
        """Take latents apart again."""
        parts, marks = self._apart(latents, [self.latent_dim] * len(self.sizes))
        return Codes(tuple(parts), None if marks is None else marks < 0.5)

    def centers_of_views(self) -> tuple[Tensor, ...]:
        """Return the centres in each view's space, (K, m) each."""
        return self.centers.split(self.latent_dim, dim=1)

    def _autoencoders(self) -> list[Autoencoder | ConvolutionalAutoencoder]:
        return [view for view in self.views if isinstance(view, Autoencoder | ConvolutionalAutoencoder)]

    def _apart(self, rows: Tensor, sizes: Sequence[int]) -> tuple[list[Tensor], Tensor | None]:
        if not self.marked:
            return list(rows.split(list(sizes), dim=1)), None
        *parts, marks = rows.split([*sizes, len(sizes)], dim=1)
        return parts, marks
