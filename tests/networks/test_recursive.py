"""DRE's networks have the published shapes, take pictures of any size, and start from one generator."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from clustering.networks.convolutions import ConvolutionTrunk
from clustering.networks.recursive import RecursiveNetwork


def made(trunk, n_features=784, picture=None, n_components=2, seed=0):
    return RecursiveNetwork(trunk, n_features, n_components, torch.Generator().manual_seed(seed), picture)


def n_weights(network):
    return sum(weights.numel() for weights in network.parameters())


def test_the_published_network_has_the_published_number_of_weights():
    widths = [784, 500, 500, 500, 2000, 500, 100]
    layers = sum((i + 1) * o + 2 * o for i, o in pairwise(widths))
    assert n_weights(made("fc")) == layers + 101 * 2
    assert n_weights(made("fc-full")) == n_weights(made("fc")) + 2 * (501 * 500 + 2 * 500)


@pytest.mark.parametrize(("layer", "width"), [(1, 2000), (2, 500), (3, 100)])
@pytest.mark.parametrize("trunk", ["fc", "fc-full", "conv-small"])
def test_every_hidden_layer_can_be_asked_for_and_is_not_negative(trunk, layer, width):
    network = made(trunk, 64, (8, 8, 1)).eval()
    hidden = network.hidden(torch.randn(5, 64), layer)
    assert hidden.shape == (5, width)
    assert (hidden >= 0).all()


@pytest.mark.parametrize("size", ["small", "medium", "large"])
@pytest.mark.parametrize("picture", [(28, 28, 1), (8, 8, 1), (1, 1, 3), (2, 5, 1), (17, 30, 3), (64, 64, 3)])
def test_pictures_of_any_size_come_through(size, picture):
    trunk = ConvolutionTrunk(picture, size, torch.Generator().manual_seed(0)).eval()
    height, width, channels = picture
    with torch.no_grad():
        out = trunk(torch.randn(2, height * width * channels))
    assert out.shape == (2, trunk.n_outputs)


def test_the_small_trunk_flattens_mnist_as_the_authors_did():
    assert ConvolutionTrunk((28, 28, 1), "small", torch.Generator()).n_outputs == 64 * 7 * 7
    assert ConvolutionTrunk((28, 28, 1), "medium", torch.Generator()).n_outputs == 128 * 3 * 3


def test_pixels_are_read_line_by_line_with_their_channels_together():
    trunk = ConvolutionTrunk((2, 3, 3), "small", torch.Generator().manual_seed(0))
    seen = []
    trunk.layers[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    picture = torch.arange(18.0).reshape(2, 3, 3)  # height, width, channels
    trunk.eval()(picture.flatten()[None])
    torch.testing.assert_close(seen[0][0], picture.permute(2, 0, 1))


def test_weights_come_from_the_given_generator_alone():
    torch.manual_seed(3)
    state = torch.get_rng_state()
    for trunk in ("fc-light", "conv-large"):
        first, second, third = (made(trunk, 64, (8, 8, 1), seed=seed) for seed in (0, 0, 1))
        weights = [network.last.weight for network in (first, second, third)]
        assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.get_rng_state(), state)
