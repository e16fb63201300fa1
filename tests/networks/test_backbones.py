"""What sees pictures: outlines in their place, ResNets for them, and where neither can be had."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from timm.layers import DropPath
from torch import nn

from clustering.errors import StudioError
from clustering.methods.cc import CC
from clustering.methods.pica import PICA
from clustering.networks import timm_trunk
from clustering.networks.features import Look, chosen_trunk, pooled_trunk
from clustering.networks.outlines import Outlines
from clustering.networks.resnet import ResNet
from clustering.networks.timm_trunk import TimmTrunk


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


# Any of timm's --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_efficientnet"])
def test_a_timm_model_is_drawn_from_the_generator_for_the_size_and_channels_of_the_pictures(name):
    before, numbers = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    network, again = (TimmTrunk(name, (32, 32, 1), chance(3)) for _ in range(2))
    other = TimmTrunk(name, (32, 32, 1), chance(4))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (np.random.get_state()[1] == numbers).all()
    one, same, apart = (torch.cat([w.flatten() for w in n.parameters()]) for n in (network, again, other))
    assert torch.equal(one, same)
    assert not torch.equal(one, apart)
    seen = network.eval()(torch.rand(3, 32, 32, 1, generator=chance()).permute(0, 3, 1, 2))
    assert seen.shape == (3, network.n_outputs)
    assert float(seen.detach().std(dim=0).max()) > 0


def test_what_a_timm_model_would_leave_out_at_random_is_kept(monkeypatch):
    import timm

    made = timm.create_model
    monkeypatch.setattr(
        timm, "create_model", lambda *a, **k: made(*a, **k, drop_path_rate=0.5, drop_rate=0.5)
    )
    network = TimmTrunk("test_vit", (32, 32, 3), chance()).train()
    assert any(isinstance(layer, DropPath | nn.Dropout) for layer in network.modules())
    pictures = torch.rand(4, 3, 32, 32, generator=chance())
    assert torch.equal(network(pictures), network(pictures))


def test_a_method_learns_with_a_chosen_network_and_finds_its_items_again(tmp_path):
    X = np.random.default_rng(0).random((24, 16 * 16), dtype=np.float32)
    settings = {"views": "digits", "backbone": "test_resnet", "epochs": 1, "batch_size": 12, "device": "cpu"}
    model = CC(3, **settings).fit(X)
    np.testing.assert_array_equal(model.predict(X[5:9]), model.labels_[5:9])
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(CC.load(tmp_path / "model").predict(X), model.labels_)


def test_a_name_that_timm_does_not_know_is_answered_with_near_ones_and_a_size_with_what_it_lacks():
    X = np.eye(20, 64, dtype=np.float32)
    with pytest.raises(StudioError, match="no model called “resnet10q”") as unknown:
        CC(2, views="digits", backbone="resnet10q", device="cpu").fit(X)
    assert "Did you mean" in unknown.value.mend and "“resnet10t”" in unknown.value.mend
    with pytest.raises(StudioError) as nothing:
        TimmTrunk("#", (8, 8, 1), chance())
    assert "timm.list_models()" in nothing.value.mend
    with pytest.raises(StudioError, match="cannot see pictures of 8 × 8 with 1 channel ") as small:
        TimmTrunk("test_vit", (8, 8, 1), chance())
    assert "larger pictures" in small.value.mend


def test_timm_is_loaded_by_nobody_who_does_not_ask_for_one_of_its_models(monkeypatch):
    assert not hasattr(timm_trunk, "timm")  # nor when the module is read
    monkeypatch.setitem(sys.modules, "timm", None)
    CC(2, views="digits", backbone="resnet18").setup(64, chance())
    with pytest.raises(ImportError):
        CC(2, views="digits", backbone="test_resnet").setup(64, chance())


@pytest.mark.parametrize("settings", [{"outlines": True}, {"backbone": "resnet18"}])
def test_rows_of_numbers_have_neither_outlines_nor_a_resnet(settings):
    with pytest.raises(StudioError, match="pictures only") as refusal:
        PICA(2, device="cpu", **settings).fit(np.random.default_rng(0).normal(size=(20, 64)))
    assert "pixels" in refusal.value.mend
