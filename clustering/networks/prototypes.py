"""SPICE's networks: heads that learn what looks like their surest items, and a fresh network after them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from clustering.networks.convolutions import Picture
from clustering.networks.features import Look
from clustering.networks.initialisers import linear
from clustering.networks.mlp import MLP
from clustering.networks.refining import Refining
from clustering.networks.views import PretextNetwork

HIDDEN = 128  # of a head


class Heads(nn.Module):
    """Several heads with a hidden layer each, computed at once; each may see other items.

    Parameters
    ----------
    n_heads, n_inputs, n_clusters : int
    generator : torch.Generator
    """

    def __init__(self, n_heads: int, n_inputs: int, n_clusters: int, generator: Generator) -> None:
        super().__init__()

        def drawn(n_in: int, n_out: int) -> nn.Parameter:
            layers = [linear(n_in, n_out, "fan_in", generator).weight.detach().T for _ in range(n_heads)]
            return nn.Parameter(torch.stack(layers))

        self.first, self.second = drawn(n_inputs, HIDDEN), drawn(HIDDEN, n_clusters)
        self.first_bias = nn.Parameter(torch.zeros(n_heads, 1, HIDDEN))
        self.second_bias = nn.Parameter(torch.zeros(n_heads, 1, n_clusters))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (h, b, D), or (b, D) for all heads, to the logits of each head, (h, b, K)."""
        if features.ndim == 2:
            features = features.expand(len(self.first), *features.shape)
        hidden = torch.baddbmm(self.first_bias, features, self.first).relu()
        return torch.baddbmm(self.second_bias, hidden, self.second)

    @torch.no_grad()
    def copy_to(self, network: MLP, head: int, order: Tensor) -> None:
        """Put the weights of one head into a network of the same widths, its groups in this order (K,)."""
        first, second = network.layers
        assert isinstance(first, nn.Linear)
        assert isinstance(second, nn.Linear)
        first.weight.copy_(self.first[head].T)
        first.bias.copy_(self.first_bias[head, 0])
        second.weight.copy_(self.second[head].T[order])
        second.bias.copy_(self.second_bias[head, 0][order])


class PrototypeNetwork(PretextNetwork):
    """SPICE-Self's network: several heads on the features, and the best there has been so far.

    Parameters
    ----------
    n_heads : int
        h.
    *others
        As in `PretextNetwork`.

    Attributes
    ----------
    chosen : MLP
        The head of the lowest loss so far; it speaks for the network.
    lowest : Tensor ()
        That loss.
    seen : Tensor (M, D)
        Features of strong views of the items among which prototypes were last looked for.
    labelled : int64 Tensor (h, K, ⌊M/K⌋)
        Which of them each head labelled with each group.
    twice, never : Tensor ()
        Shares of them that the chosen head labelled with several groups, and with none.
    """

    lowest: Tensor
    seen: Tensor
    labelled: Tensor
    twice: Tensor
    never: Tensor

    def __init__(
        self,
        n_features: int,
        picture: Picture | Look | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        n_clusters: int,
        learned: bool,
        n_compared: int,
        n_heads: int,
        generator: Generator,
    ) -> None:
        super().__init__(
            n_features, picture, hidden_dims, n_outputs, n_clusters, learned, n_compared, generator
        )
        self.heads = Heads(n_heads, self.n_outputs, n_clusters, generator)
        self.chosen = MLP((self.n_outputs, HIDDEN, n_clusters), "fan_in", generator).requires_grad_(False)
        self.register_buffer("lowest", torch.tensor(torch.inf))
        self.register_buffer("seen", torch.zeros(0, self.n_outputs))
        self.register_buffer("labelled", torch.zeros(n_heads, n_clusters, 0, dtype=torch.int64))
        self.register_buffer("twice", torch.zeros(()))
        self.register_buffer("never", torch.zeros(()))

    def logits(self, features: Tensor) -> Tensor:
        """Map features (b, D) to the logits of the groups by the chosen head, (b, K)."""
        return self.chosen(features)

    def forget(self) -> None:
        """Drop what is kept of every item."""
        super().forget()
        self.seen, self.labelled = self.seen[:0], self.labelled[..., :0]


class RefinedPrototypeNetwork(Refining, PrototypeNetwork):
    """SPICE's network: that of SPICE-Self, and a fresh one that learns what of it is reliable.

    Parameters
    ----------
    *as_of_prototype_network
        See `PrototypeNetwork`.

    Attributes
    ----------
    before : int64 Tensor (n,)
        The groups that SPICE-Self found, while the fresh network learns.
    reliable : int64 Tensor (K,)
        Items of each group whose label is to be trusted.
    relaxed : bool Tensor (K,)
        Groups that had hardly any, and were given their best.
    """

    before: Tensor
    reliable: Tensor
    relaxed: Tensor

    def __init__(
        self,
        n_features: int,
        picture: Picture | Look | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        n_clusters: int,
        learned: bool,
        n_compared: int,
        n_heads: int,
        generator: Generator,
    ) -> None:
        super().__init__(
            n_features, picture, hidden_dims, n_outputs, n_clusters, learned, n_compared, n_heads, generator
        )
        n_inputs = self.n_outputs if picture is None else n_features
        self.add_refiner(n_inputs, picture, self.n_outputs, n_clusters, generator)
        self.register_buffer("before", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("reliable", torch.zeros(n_clusters, dtype=torch.int64))
        self.register_buffer("relaxed", torch.zeros(n_clusters, dtype=torch.bool))

    def encode(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to features (b, D)."""
        if self.refiner.pictured and bool(self.refined):
            return self.refiner.teacher.encode(inputs)
        return super().encode(inputs)

    def logits(self, features: Tensor) -> Tensor:
        """Map features (b, D) to the logits of the groups, (b, K)."""
        return self.refiner.teacher.head(features) if bool(self.refined) else super().logits(features)

    def forget(self) -> None:
        """Drop what is kept of every item."""
        super().forget()
        self.before = self.before[:0]
