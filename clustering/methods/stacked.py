"""DEC's original pretraining: a stack of denoising autoencoders, layer by layer, then all layers together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Generator, Tensor, nn

from clustering.losses.reconstruction import reconstruction
from clustering.networks.autoencoder import Autoencoder
from clustering.networks.fused_linear import fused_linear
from clustering.training.optimisers import Optimiser, tenth_every
from clustering.training.phase import Phase
from clustering.training.step import Batch

DROPOUT = 0.2
LAYER_SHARE = 0.5  # 50,000 iterations a layer beside 100,000 for all together
BURN_IN = 1_000  # iterations in which the momentum grows to .9, anew for every pair and for all together
HALF = 0.5  # Caffe's Euclidean loss is half the mean square; the published learning rate belongs to it


def stacked_phases(network: Autoencoder, epochs: int, learning_rate: float) -> tuple[Phase, ...]:
    """Return the phases of the original pretraining (DEC, section 3.2; schedule of the authors' code).

    Parameters
    ----------
    network : Autoencoder
        With N(0, .01) weights.
    epochs : int
        Of the last phase, in which all layers are trained together; each pair of layers before it gets half.
    learning_rate : float
        Divided by ten every 20,000 of 50,000 and of 100,000 iterations; biases learn twice as fast.
    """
    caffe = Optimiser("sgd", learning_rate, bias_factor=2.0, burn_in=BURN_IN)
    layer = replace(caffe, schedule=tenth_every(0.4))
    whole = replace(caffe, schedule=tenth_every(0.2))
    layer_epochs = max(1, round(LAYER_SHARE * epochs))
    pairs = range(len(network.encoder.layers))
    first = tuple(
        Phase(
            f"pretrain layer {pair + 1}",
            layer_epochs,
            _pair_loss(network, pair),
            [*network.encoder.layers[pair].parameters(), *_mirror(network, pair).parameters()],
            layer,
            noisy=True,
        )
        for pair in pairs
    )
    weights = [*network.encoder.parameters(), *network.decoder.parameters()]

    def all_layers(batch: Batch) -> dict[str, Tensor]:
        return {"reconstruction": HALF * reconstruction(batch.features, network(batch.features).float())}

    return (*first, Phase("pretrain", epochs, all_layers, weights, whole))


def _mirror(network: Autoencoder, pair: int) -> nn.Module:
    return network.decoder.layers[len(network.decoder.layers) - 1 - pair]


def _pair_loss(network: Autoencoder, pair: int) -> Callable[[Batch], dict[str, Tensor]]:
    """Return the loss of one encoder layer and its mirror image on the output of the frozen layers below.

    Two facts of the authors' code differ from the usual reading: the first pair's *input* is not corrupted
    (only its hidden units are), and the last pair's code is not corrupted either.
    """
    below = network.encoder.layers[:pair]
    encoder, decoder = network.encoder.layers[pair], _mirror(network, pair)
    is_first, is_last = pair == 0, pair == len(network.encoder.layers) - 1

    def loss(batch: Batch) -> dict[str, Tensor]:
        with torch.no_grad():
            inputs = batch.features
            for layer in below:
                inputs = fused_linear(layer, inputs, rectify=True)
        corrupted = inputs if is_first else dropped(inputs, batch.generator)
        code = fused_linear(encoder, corrupted, rectify=not is_last)
        if not is_last:
            code = dropped(code, batch.generator)
        # The first pair must reproduce signed data.
        outputs = fused_linear(decoder, code, rectify=not is_first)
        return {"reconstruction": HALF * reconstruction(inputs.float(), outputs.float())}

    return loss


def dropped(values: Tensor, generator: Generator) -> Tensor:
    """Set a fifth of the values to zero and enlarge the others so that the mean stays (Caffe's dropout)."""
    kept = torch.rand(values.shape, generator=generator, device=values.device) >= DROPOUT
    return values * kept / (1 - DROPOUT)
