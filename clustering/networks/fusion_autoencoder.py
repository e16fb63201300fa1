"""The networks of FAE: a variational autoencoder, its critic, and a small autoencoder of its codes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor, nn

from clustering.networks.convolutions import Picture
from clustering.networks.critic import Critic
from clustering.networks.features import Frozen
from clustering.networks.initialisers import linear
from clustering.networks.mlp import MLP
from clustering.networks.residual import DenseBlock, PictureDown, PictureUp

Trunk = Literal["dense", "convolution"]
LARGE_PICTURE = 16  # pixels a side from which on the wider layers are used
WIDE, NARROW = (32, 64, 128, 256), (16, 32, 32)
WIDE_CRITIC, NARROW_CRITIC = (64, 128, 256), (16, 32)
EMBEDDING_WIDTH = 256
FARTHEST = 8.0  # of log σ² from 0


class Code(NamedTuple):
    """Means and log variances of a batch of codes, (b, c) each."""

    means: Tensor
    log_variances: Tensor

    def drawn(self, generator: Generator) -> Tensor:
        """Return codes (b, c) from these distributions."""
        noise = torch.empty_like(self.means).normal_(generator=generator)
        return self.means + (self.log_variances / 2).exp() * noise


class FusionAutoencoder(Frozen):
    """Encoder x → N(μ, σ²), generator z → x̂, critic, and T: μ → h with its way back.

    Parameters
    ----------
    n_features : int
        d.
    picture : (height, width, channels) or None
        How a row is read as a picture; None takes dense residual blocks.
    hidden_dims : sequence of int
        Widths of the dense blocks.
    code_dim, latent_dim, n_clusters : int
        Widths of μ and of h, and rows of ``centers``.
    generator : torch.Generator
        On the CPU, so that every device starts from the same weights.

    Attributes
    ----------
    embedded : bool Tensor ()
        Whether `encode` goes on from μ to h.
    shift, factor : Tensor (c,)
        What is embedded is (μ − shift) · factor.
    codes : Tensor (n, c)
        Those of the training items while T learns; else empty.
    margin : Tensor ()
        How far apart centres are pushed.
    """

    embedded: Tensor
    margin: Tensor

    def __init__(
        self,
        n_features: int,
        picture: Picture | None,
        hidden_dims: Sequence[int],
        code_dim: int,
        latent_dim: int,
        n_clusters: int,
        generator: Generator,
    ) -> None:
        super().__init__()
        if picture is None:
            dims = (n_features, *hidden_dims)
            self.down: nn.Module = nn.Sequential(*(DenseBlock(*pair, generator) for pair in pairwise(dims)))
            back = (code_dim, *reversed(hidden_dims))
            self.up: nn.Module = nn.Sequential(
                *(DenseBlock(*pair, generator) for pair in pairwise(back)),
                linear(back[-1], n_features, "fan_in", generator),
            )
            width, critic_widths = hidden_dims[-1], tuple(hidden_dims)
        else:
            large = min(picture[:2]) >= LARGE_PICTURE
            down = PictureDown(picture, WIDE if large else NARROW, generator)
            self.down, width = down, down.n_outputs
            self.up = PictureUp(code_dim, down, WIDE if large else NARROW, generator)
            critic_widths = WIDE_CRITIC if large else NARROW_CRITIC
        self.to_code = linear(width, 2 * code_dim, "fan_in", generator)
        self.critic = Critic(n_features, critic_widths, picture, generator)
        middle = (EMBEDDING_WIDTH, EMBEDDING_WIDTH)
        self.embedding = MLP((code_dim, *middle, latent_dim), "fan_in", generator)
        self.back = MLP((latent_dim, *middle, code_dim), "fan_in", generator)
        self.centers = nn.Parameter(torch.zeros(n_clusters, latent_dim))
        self.register_buffer("embedded", torch.tensor(False))
        self.add_freezing(code_dim)
        self.register_buffer("margin", torch.tensor(0.0))

    def code(self, inputs: Tensor) -> Code:
        """Map (b, d) to the distributions of their codes."""
        means, log_variances = self.to_code(self.down(inputs)).chunk(2, dim=1)
        return Code(means, log_variances.clamp(-FARTHEST, FARTHEST))

    def generate(self, codes: Tensor) -> Tensor:
        """Map codes (b, c) to rows (b, d)."""
        return self.up(codes)

    def encode(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to μ (b, c), or to h (b, m) once T has begun to learn: never to a drawn code."""
        means = self.code(inputs).means
        return self.embedding(self.standardised(means)) if bool(self.embedded) else means

    def forward(self, inputs: Tensor) -> Tensor:
        """Reconstruct (b, d) from μ."""
        return self.generate(self.code(inputs).means)
