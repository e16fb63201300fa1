"""The recurrent autoencoder of DISC: it reads the past of a window and foretells the rest."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import batch_norm

from clustering.networks.initialisers import linear

Decoding = Literal["autoregressive", "parallel"]
ROWS = 1024  # windows read at once: the states of every step are kept for the next layer
MOMENTUM = 0.1  # how far the running statistics move in a step


def gru(n_in: int, n_hidden: int, generator: Generator, *, both_ways: bool = False) -> nn.GRU:
    """Return one recurrent layer, batch first, with weights and biases uniform in ±√(1 / n_hidden).

    Parameters
    ----------
    n_in, n_hidden : int
    generator : torch.Generator
        On the CPU, so that every device starts from the same weights.
    both_ways : bool
        Also from the last step to the first.
    """
    with torch.device("meta"):  # nothing is drawn from the global generator
        layer = nn.GRU(n_in, n_hidden, batch_first=True, bidirectional=both_ways)
    layer.to_empty(device="cpu")
    bound = n_hidden**-0.5
    with torch.no_grad():
        for weight in layer.parameters():
            weight.uniform_(-bound, bound, generator=generator)
    return layer


class RunningNorm(nn.Module):
    """Batch normalisation that is told whether to use the batch's statistics or the running ones.

    Parameters
    ----------
    width : int
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))

    def forward(self, inputs: Tensor, by_batch: bool) -> Tensor:
        """Normalise (b, width); by the batch's own statistics the running ones follow, if it has any."""
        own = by_batch and len(inputs) > 1
        return batch_norm(inputs, self.mean, self.variance, self.weight, self.bias, own, MOMENTUM)


class Decoder(nn.Module):
    """Two recurrent layers that start from a seed and write one step after the other.

    Parameters
    ----------
    channels, n_hidden : int
    decoding : {"autoregressive", "parallel"}
        Fed with zeros first and its own output then, or with zeros throughout: one call for all steps.
    generator : torch.Generator
    """

    def __init__(self, channels: int, n_hidden: int, decoding: Decoding, generator: Generator) -> None:
        super().__init__()
        self.decoding, self.channels = decoding, channels
        self.first = gru(channels, n_hidden, generator)
        self.second = gru(n_hidden, n_hidden, generator)
        self.last = linear(n_hidden, channels, "fan_in", generator)

    def forward(self, seeds: Tensor, steps: int) -> Tensor:
        """Map seeds (b, hidden) to (b, steps, channels)."""
        if self.decoding == "parallel":
            nothing = seeds.new_zeros(len(seeds), steps, self.channels)
            start = seeds[None].contiguous()
            return self.last(self.second(self.first(nothing, start)[0], start)[0])
        low = high = seeds
        written, said = [], seeds.new_zeros(len(seeds), self.channels)
        for _ in range(steps):
            low = _cell(self.first, said, low)
            high = _cell(self.second, low, high)
            said = self.last(high)
            written.append(said)
        return torch.stack(written, dim=1)


class RecurrentAutoencoder(nn.Module):
    """Window (steps × channels) → past, future; past → code; code → past backwards, future.

    Parameters
    ----------
    n_features : int
        Steps · channels of a window laid flat, the channels of a step together.
    channels, n_hidden, latent_dim, n_clusters : int
    future : float
        Share of a window that is foretold and never read.
    dropout : float
        Of the first layer's outputs, in training.
    decoding : {"autoregressive", "parallel"}
    generator : torch.Generator
        On the CPU, so that every device starts from the same weights.
    """

    def __init__(
        self,
        n_features: int,
        channels: int,
        n_hidden: int,
        latent_dim: int,
        n_clusters: int,
        future: float,
        dropout: float,
        decoding: Decoding,
        generator: Generator,
    ) -> None:
        super().__init__()
        steps = n_features // channels
        self.channels, self.dropout = channels, dropout
        self.n_future = int(steps * future)
        self.n_past = steps - self.n_future
        self.first = gru(channels, n_hidden, generator, both_ways=True)
        self.second = gru(2 * n_hidden, n_hidden, generator, both_ways=True)
        self.code, self.code_norm = (
            linear(2 * n_hidden, latent_dim, "fan_in", generator),
            RunningNorm(latent_dim),
        )
        self.seed, self.seed_norm = linear(latent_dim, n_hidden, "fan_in", generator), RunningNorm(n_hidden)
        self.backwards = Decoder(channels, n_hidden, decoding, generator)
        self.ahead = Decoder(channels, n_hidden, decoding, generator) if self.n_future else None
        self.centers = nn.Parameter(torch.zeros(n_clusters, latent_dim))

    def parts(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return past and future, (b, steps, channels) each, of windows laid flat (b, d)."""
        windows = inputs.unflatten(1, (-1, self.channels))
        return windows[:, : self.n_past], windows[:, self.n_past :]

    def coded(self, past: Tensor, generator: Generator | None = None) -> Tensor:
        """Map pasts (b, T, channels) to codes in ±1, (b, m); with a generator as in training."""
        states = self.first(past.contiguous())[0]
        if generator is not None and self.dropout:
            drawn = torch.rand(states.shape, generator=generator, device=states.device, dtype=states.dtype)
            states = states * (drawn >= self.dropout) / (1 - self.dropout)
        states = self.second(states)[0]
        forward, backward = states.chunk(2, dim=2)
        ends = torch.cat([forward[:, -1], backward[:, 0]], dim=1)
        return self.code_norm(self.code(ends), generator is not None).tanh()

    def decoded(self, latents: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """Map codes (b, m) to the past backwards and the future, (b, steps, channels) each."""
        seeds = self.seed_norm(self.seed(latents), training).tanh()
        future = latents.new_empty(len(latents), 0, self.channels)
        return self.backwards(seeds, self.n_past), future if self.ahead is None else self.ahead(
            seeds, self.n_future
        )

    def encode(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to codes (b, m) by the running statistics, so no row depends on its company."""
        return torch.cat([self.coded(self.parts(rows)[0]) for rows in inputs.split(ROWS)])

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the windows (b, d) as they are rebuilt and foretold."""
        past, future = self.decoded(self.encode(inputs))
        return torch.cat([past.flip(1), future], dim=1).flatten(1)


def _cell(layer: nn.GRU, inputs: Tensor, state: Tensor) -> Tensor:
    """Take one step of a layer."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    return torch.gru_cell(inputs, state, *(getattr(layer, name) for name in names))
