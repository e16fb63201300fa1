"""What sees pictures: outlines in their place, ResNets for them, and where neither can be had."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from clustering.errors import StudioError
from clustering.methods.cc import CC
from clustering.methods.pica import PICA
from clustering.networks.features import Look, chosen_trunk, pooled_trunk
from clustering.networks.outlines import Outlines
from clustering.networks.resnet import ResNet


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_outlines_are_those_of_a_plain_loop_over_grey_pictures_with_zeros_outside():
    picture = torch.rand(1, 3, 5, 4, generator=chance())
    grey = np.zeros((7, 6))
    grey[1:-1, 1:-1] = picture[0].mean(dim=0)
    across, down = np.zeros((5, 4)), np.zeros((5, 4))
    for i in range(5):
        for j in range(4):
            for step, weight in ((-1, 1), (0, 2), (1, 1)):
                across[i, j] += weight * (grey[i + 1 + step, j] - grey[i + 1 + step, j + 2])
                down[i, j] += weight * (grey[i, j + 1 + step] - grey[i + 2, j + 1 + step])
    np.testing.assert_allclose(Outlines()(picture)[0], [across, down], atol=1e-6)
    assert not list(Outlines().parameters())


def test_pica_with_outlines_does_not_see_colour():
    method = PICA(2, views="artworks", outlines=True, device="cpu")
    network = method.setup(8 * 8 * 3, chance())
    red, blue = torch.zeros(2, 8, 8, 3).unbind()
    red[2:6, 2:6, 0] = blue[2:6, 2:6, 2] = 1
    rows = torch.stack([red.flatten(), blue.flatten()])
    alike, apart = network.encode(rows)
    torch.testing.assert_close(alike, apart)
    network = PICA(2, views="artworks", device="cpu").setup(8 * 8 * 3, chance())
    alike, apart = network.encode(rows)
    assert not torch.allclose(alike, apart)


def test_pica_learns_from_outlines_and_finds_its_items_again():
    X = (load_digits().data[:60] / 16).astype(np.float32)
    model = PICA(3, views="digits", outlines=True, epochs=2, batch_size=30, device="cpu").fit(X)
    np.testing.assert_array_equal(model.predict(X[5:9]), model.labels_[5:9])


def test_a_small_trunk_is_the_same_chosen_or_not():
    for one, other in zip(
        pooled_trunk((8, 8, 1), chance())[0].parameters(),
        chosen_trunk(Look((8, 8, 1)), chance())[0].parameters(),
        strict=True,
    ):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("name", "width", "convolutions"), [("resnet18", 512, 20), ("resnet50", 2048, 53)])
def test_a_resnet_of_small_pictures_keeps_their_size_in_its_stem_and_is_drawn_from_the_generator(
    name, width, convolutions
):
    before = torch.random.get_rng_state()
    network, again = (ResNet(name, 1, 8, chance(3)) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert network.n_outputs == width
    pictures = torch.rand(5, 1, 8, 8, generator=chance())
    assert network.layers.conv1(pictures).shape == (5, 64, 8, 8)
    assert isinstance(network.layers.maxpool, nn.Identity)
    for one, other in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    drawn = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert len(drawn) == convolutions
    last = drawn[-1]
    spread = (2 / (last.weight.shape[0] * last.weight[0, 0].numel())) ** 0.5
    assert float(last.weight.detach().std()) == pytest.approx(spread, rel=0.02)


def test_large_pictures_get_the_stem_of_imagenet_and_parts_change_nothing(monkeypatch):
    network = ResNet("resnet18", 3, 96, chance()).eval()
    assert network.layers.conv1.stride == (2, 2)
    assert isinstance(network.layers.maxpool, nn.MaxPool2d)
    pictures = torch.rand(5, 3, 96, 96, generator=chance())
    with torch.no_grad():
        whole = network(pictures)
        monkeypatch.setattr("clustering.networks.resnet.PARTS", 2)
        torch.testing.assert_close(network(pictures), whole, rtol=1e-4, atol=1e-5)


def test_a_method_learns_with_a_resnet_and_finds_its_items_again(tmp_path):
    X = (load_digits().data[:32] / 16).astype(np.float32)
    settings = {"views": "digits", "backbone": "resnet18", "epochs": 1, "batch_size": 16, "device": "cpu"}
    model = CC(3, **settings).fit(X)
    np.testing.assert_array_equal(model.predict(X[5:9]), model.labels_[5:9])
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(CC.load(tmp_path / "model").predict(X), model.labels_)


@pytest.mark.parametrize("settings", [{"outlines": True}, {"backbone": "resnet18"}])
def test_rows_of_numbers_have_neither_outlines_nor_a_resnet(settings):
    with pytest.raises(StudioError, match="pictures only") as refusal:
        PICA(2, device="cpu", **settings).fit(np.random.default_rng(0).normal(size=(20, 64)))
    assert "pixels" in refusal.value.mend
