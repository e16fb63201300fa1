"""The convolutional autoencoder of picture views: its shapes, its mirror, its gradients, its linear ends."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from clustering.networks import convolutional_autoencoder
from clustering.networks.convolutional_autoencoder import ConvolutionalAutoencoder


def made(picture=(6, 5, 2), latent_dim=3, seed=0):
    return ConvolutionalAutoencoder(picture, latent_dim, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("picture", [(16, 15, 1), (7, 9, 3), (8, 8, 1), (2, 1, 1)])
def test_pictures_of_any_sides_come_back_as_large_as_they_were(picture):
    height, width, channels = picture
    rows = torch.rand(4, height * width * channels)
    network = made(picture)
    assert network.encode(rows).shape == (4, 3)
    assert network(rows).shape == rows.shape


def test_the_decoder_mirrors_the_encoder_layer_by_layer():
    network = made()
    down = [layer for layer in network.down if isinstance(layer, nn.Conv2d)]
    up = [layer for layer in network.up if isinstance(layer, nn.ConvTranspose2d)]
    told = [(one.out_channels, one.kernel_size[0], one.stride[0]) for one in down]
    assert told == [(32, 5, 2), (64, 5, 2), (128, 3, 2)]
    assert [one.weight.shape for one in down] == [one.weight.shape for one in reversed(up)]
    assert isinstance(network.up[-1], nn.ConvTranspose2d)  # the output is linear


def test_a_pixel_and_its_channels_stay_where_they_are():
    """A row is read as its picture: what one pixel of it changes lies around that pixel."""
    rows = torch.zeros(2, 12 * 10 * 2)
    rows[1, (4 * 10 + 6) * 2] = 1.0  # line 4, column 6, first channel
    first = made((12, 10, 2)).down[0]
    seen = first(rows.unflatten(1, (12, 10, 2)).permute(0, 3, 1, 2))
    lines, columns = torch.nonzero((seen[1] - seen[0]).abs().sum(dim=0), as_tuple=True)
    assert set(lines.tolist()) == {1, 2, 3}  # 2·l − 2 … 2·l + 2 holds 4
    assert set(columns.tolist()) == {2, 3, 4}


def test_every_weight_learns_and_a_picture_can_be_learned():
    rows = torch.rand(6, 60, generator=torch.Generator().manual_seed(1))
    network = made()
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    errors = []
    for _ in range(40):
        error = (network(rows) - rows).square().mean()
        optimiser.zero_grad()
        error.backward()
        assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())
        optimiser.step()
        errors.append(float(error))
    assert errors[-1] < 0.5 * errors[0]


def test_stretched_codes_rebuild_the_same_and_many_rows_are_read_in_parts(monkeypatch):
    rows = torch.rand(5, 60)
    network = made().double()
    codes, rebuilt = network.encode(rows.double()), network(rows.double())
    change = torch.tensor([[2.0, 1, 0], [0, 1, 0], [0, 0, 0.5]])
    network.stretch(change)
    torch.testing.assert_close(network.encode(rows.double()), codes @ change.double())
    monkeypatch.setattr(convolutional_autoencoder, "ROWS_AT_ONCE", 2)
    torch.testing.assert_close(network(rows.double()), rebuilt)


def test_something_of_a_picture_comes_through_eight_untrained_layers():
    rows = torch.randn(64, 16 * 15)
    network = made((16, 15, 1), latent_dim=10)
    with torch.no_grad():
        assert network.encode(rows).std() > 0.3
        assert network(rows).std() > 0.03


def test_first_weights_are_those_of_the_generator():
    one, same, other = (torch.cat([w.flatten() for w in made(seed=s).parameters()]) for s in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
