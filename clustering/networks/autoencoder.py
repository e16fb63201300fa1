"""The mirrored autoencoder of DEC and its relatives, with the cluster centres beside it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from clustering.networks.initialisers import Initialiser
from clustering.networks.mlp import MLP


class Autoencoder(nn.Module):
    """Encoder d–500–500–2000–m and its mirror image; embedding and output are linear.

    Parameters
    ----------
    n_features : int
        d, the width of the input.
    hidden_dims : sequence of int
        Widths between input and embedding.
    latent_dim : int
        m, the width of the embedding.
    n_clusters : int
        Rows of ``centers``, a free parameter (K, m) that starts at zero; 0 for none.
    initialiser, generator
        See `clustering.networks.initialisers.linear`.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        n_clusters: int,
        initialiser: Initialiser,
        generator: Generator,
    ) -> None:
        super().__init__()
        dims = (n_features, *hidden_dims, latent_dim)
        self.encoder = MLP(dims, initialiser, generator)
        self.decoder = MLP(dims[::-1], initialiser, generator)
        self.centers = nn.Parameter(torch.zeros(n_clusters, latent_dim))

    def encode(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to latents (b, m)."""
        return self.encoder(inputs)

    def decode(self, latents: Tensor) -> Tensor:
        """Map latents (b, m) back to (b, d)."""
        return self.decoder(latents)

    def stretch(self, change: Tensor) -> None:
        """Apply an invertible linear map (m, m) to the latent space; what is rebuilt stays the same.

        It goes into the two linear layers around the latent space, as ``latents @ change``.
        """
        stretch_between(self.encoder.layers[-1], self.decoder.layers[0], change)

    def forward(self, inputs: Tensor) -> Tensor:
        """Reconstruct (b, d)."""
        return self.decode(self.encode(inputs))


def stretch_between(last: nn.Module, first: nn.Module, change: Tensor) -> None:
    """Apply an invertible map (m, m) between two linear layers, so that together they do what they did."""
    assert isinstance(last, nn.Linear)
    assert isinstance(first, nn.Linear)
    exact = change.double()
    with torch.no_grad():
        last.weight.copy_(exact.T @ last.weight.double())
        last.bias.copy_(last.bias.double() @ exact)
        first.weight.copy_(first.weight.double() @ torch.linalg.inv(exact).T)
