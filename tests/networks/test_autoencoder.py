"""The networks: shapes, initial weights, and that nothing is drawn from the global generator."""

from __future__ import annotations

import pytest
import torch

from clustering.networks.autoencoder import Autoencoder
from clustering.networks.initialisers import linear
from clustering.networks.mlp import MLP


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_decoder_mirrors_the_encoder():
    network = Autoencoder(7, (5, 6), 3, 4, "fan_in", generator())
    assert [tuple(layer.weight.shape) for layer in network.encoder.layers] == [(5, 7), (6, 5), (3, 6)]
    assert [tuple(layer.weight.shape) for layer in network.decoder.layers] == [(6, 3), (5, 6), (7, 5)]
    assert network.centers.shape == (4, 3)
    inputs = torch.randn(2, 7, generator=generator())
    assert network.encode(inputs).shape == (2, 3)
    assert network(inputs).shape == (2, 7)


def test_a_stack_is_linear_relu_and_a_linear_end():
    network = MLP((4, 5, 3), "fan_in", generator())
    inputs = torch.randn(8, 4, generator=generator(1))
    first, last = network.layers
    hidden = torch.clamp(inputs @ first.weight.T + first.bias, min=0)
    expected = hidden @ last.weight.T + last.bias
    torch.testing.assert_close(network(inputs), expected)
    assert (network(inputs) < 0).any()


def test_fan_in_weights_are_uniform_in_plus_minus_one_over_root_fan_in_with_zero_bias():
    layer = linear(400, 300, "fan_in", generator())
    assert layer.weight.abs().max() <= 0.05
    assert layer.weight.std().item() == pytest.approx(0.05 / 3**0.5, rel=0.02)
    assert not layer.bias.any()


def test_normal_weights_have_standard_deviation_one_hundredth():
    layer = linear(400, 300, "normal", generator())
    assert layer.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert not layer.bias.any()


def test_the_same_generator_state_gives_the_same_network_and_the_global_state_is_untouched():
    before = torch.get_rng_state()
    one = Autoencoder(7, (5,), 3, 2, "fan_in", generator(3)).state_dict()
    two = Autoencoder(7, (5,), 3, 2, "fan_in", generator(3)).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert torch.equal(before, torch.get_rng_state())
