"""FAE: who learns from which term, that neither side wins, and the embedding that follows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import normalized_mutual_info_score

from clustering.errors import StudioError
from clustering.losses.adversarial import generator_loss
from clustering.methods.fae import FAE, freeze
from clustering.methods.fusing import EVEN, Fusing
from clustering.networks.critic import NormedLayer
from clustering.networks.fusion_autoencoder import Code
from clustering.training import checkpoint as checkpoint_module
from clustering.training.data import Data
from clustering.training.events import Epoch
from clustering.training.optimisers import Optimiser
from clustering.training.step import Batch

CPU = torch.device("cpu")
SMALL = {"hidden_dims": (16,), "code_dim": 4, "latent_dim": 3, "pretrain_epochs": 3, "epochs": 3}


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    X, _ = make_blobs(90, centers=3, n_features=5, cluster_std=0.6, random_state=3)
    return (X / 5).astype(np.float32)


def fused(features: np.ndarray, **settings):
    network = FAE(3, **SMALL | settings).setup(features.shape[1], torch.Generator().manual_seed(0))
    return network, Fusing(network, Data(features, CPU), 0.05, 0.1, Optimiser("adam", 1e-3), 3)


def batch_of(features: np.ndarray) -> Batch:
    rows = torch.arange(len(features))
    return Batch(torch.from_numpy(features), rows, {}, torch.Generator().manual_seed(1))


def gradients(module: torch.nn.Module) -> float:
    return sum(float(w.grad.abs().sum()) for w in module.parameters() if w.grad is not None)


@pytest.mark.parametrize("trunk", ["dense", "convolution"])
def test_each_term_reaches_those_whose_it_is(digits, trunk):
    features = digits[0][:20]
    reached = {}
    for term in ("prior", "reconstruction", "features", "adversarial", "critic"):
        network, fusing = fused(features, trunk=trunk)
        fusing.fusion(batch_of(features))[term].backward()
        parts = {"E": network.to_code, "G": network.up, "D": network.critic}
        reached[term] = {name for name, part in parts.items() if gradients(part) > 0}
    assert reached == {
        "prior": {"E"},
        "reconstruction": {"E", "G"},
        "features": {"E", "G"},
        "adversarial": {"G"},
        "critic": {"D"},
    }
    network, fusing = fused(features, trunk=trunk)
    fusing.judging(batch_of(features))["critic"].backward()
    assert gradients(network.up) == gradients(network.to_code) == 0 < gradients(network.critic)


def test_the_generator_learns_to_be_taken_for_real(digits):
    features = digits[0][:50]
    network, fusing = fused(features)
    terms = fusing.fusion(batch_of(features))
    generator = torch.Generator().manual_seed(1)
    network, _ = fused(features)  # the critic of the other has moved on
    codes = network.code(torch.from_numpy(features)).drawn(generator)
    prior = torch.empty_like(codes).normal_(generator=generator)
    logits = [network.critic(network.generate(part), frozen=True).logits for part in (codes, prior)]
    torch.testing.assert_close(terms["adversarial"], 0.1 * generator_loss(*logits))


def test_a_layer_of_the_critic_stretches_no_distance_once_it_is_used():
    generator = torch.Generator().manual_seed(0)
    layer = NormedLayer(torch.nn.Linear(6, 4), generator)
    layer.weight.data.mul_(50)
    for _ in range(40):
        layer(torch.zeros(1, 6), frozen=False)
    x = torch.randn(200, 6, generator=generator)
    stretched = (layer(x, True) - layer.bias).norm(dim=1) / x.norm(dim=1)
    assert 0.5 < float(stretched.detach().max()) <= 1.0001


def test_log_variances_are_kept_within_bounds_and_codes_are_drawn_from_them():
    code = Code(torch.full((20_000, 1), 2.0), torch.full((20_000, 1), np.log(0.25)))
    drawn = code.drawn(torch.Generator().manual_seed(0))
    assert float(drawn.mean()) == pytest.approx(2.0, abs=0.02)
    assert float(drawn.std()) == pytest.approx(0.5, abs=0.02)
    network, _ = fused(np.zeros((2, 5), np.float32))
    network.to_code.bias.data.fill_(1e6)
    assert float(network.code(torch.zeros(2, 5)).log_variances.max()) == 8.0


def test_silent_codes_and_a_side_that_has_won_are_told(blobs):
    network, fusing = fused(blobs)
    with torch.no_grad():
        network.to_code.weight.zero_()
        assert "Only 0 of 4 dimensions of the code" in fusing.unused_codes()[0]
        network.critic.last.bias.fill_(1e3)  # takes everything for real: right about every second
        assert fusing.accuracy() == 0.5
        assert fusing.uneven()[0].startswith("The generator has the upper hand")
    before = network.critic.last.vector.clone()
    fusing.uneven()
    torch.testing.assert_close(network.critic.last.vector, before)  # watching changes nothing


def test_without_a_critic_it_is_a_variational_autoencoder(blobs):
    phases = [
        [phase.name for phase in FAE(3, **SMALL, adversarial_weight=weight).phases(fused(blobs)[0], None)]
        for weight in (0.0, 0.1)
    ]
    assert phases[0] == ["warm up", "embedding", "cluster", "last centres"]
    assert phases[1] == ["warm up", "critic", "fusion", "embedding", "cluster", "last centres"]


def test_codes_are_standardised_means_and_never_drawn(blobs):
    network, _ = fused(blobs)
    features = torch.from_numpy(blobs)
    means = network.code(features).means
    torch.testing.assert_close(network.encode(features), means)
    freeze(network, Data(blobs, CPU))
    torch.testing.assert_close(network.codes.std(dim=0, unbiased=False), torch.ones(4))
    torch.testing.assert_close(network.encode(features), network.embedding(network.codes))


@pytest.mark.parametrize("embedding", ["dec", "centers"])
def test_both_forms_of_the_embedding_draw_groups_together_and_keep_codes_rebuildable(blobs, embedding):
    model = FAE(3, **SMALL | {"epochs": 20, "tolerance": 0.0}, embedding=embedding, device="cpu").fit(blobs)
    losses = [row["losses"] for row in model.history_ if row.get("phase") == "cluster" and "losses" in row]
    assert losses[-1]["total"] < losses[0]["total"]
    assert set(losses[0]) == (
        {"clustering", "codes", "total"} if embedding == "dec" else {"pull", "push", "codes", "total"}
    )
    assert model.weights_["codes"].shape == (0, 4)  # those of the items are not kept
    expected = KMeans(3, n_init=20, random_state=0).fit(model.embedding_).inertia_
    found = ((model.embedding_ - model.cluster_centers_[model.labels_]) ** 2).sum()
    assert found == pytest.approx(expected, rel=0.01)


def test_a_fit_broken_in_every_stage_ends_as_an_unbroken_one(blobs, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "SECONDS_BETWEEN", 0.0)
    method = FAE(3, **SMALL, device="cpu", batch_size=30)
    unbroken = method.fit(blobs)
    places = ("warm up", 2), ("critic", 1), ("fusion", 2), ("embedding", 2), ("cluster", 1)
    for place in places:

        def emit(event, place=place):
            if isinstance(event, Epoch) and (event.phase, event.epoch) == place:
                raise RuntimeError("killed")

        with pytest.raises(RuntimeError, match="killed"):
            clone(method).fit(blobs, emit=emit, checkpoint=tmp_path)
    resumed = clone(method).fit(blobs, checkpoint=tmp_path)
    np.testing.assert_array_equal(unbroken.labels_, resumed.labels_)
    np.testing.assert_array_equal(unbroken.embedding_, resumed.embedding_)


def test_convolutions_refuse_what_is_no_picture(blobs):
    with pytest.raises(StudioError, match="5 features are no pixels"):
        FAE(3, **SMALL, trunk="convolution").fit(blobs)


@pytest.mark.parametrize(("pixels", "channels"), [(28 * 28, 1), (9 * 9 * 3, 3)])
def test_pictures_of_any_size_and_colour_come_back_in_their_own_shape(pixels, channels):
    network = FAE(3, trunk="convolution").setup(pixels, torch.Generator().manual_seed(0))
    rows = torch.rand(2, pixels)
    assert network(rows).shape == (2, pixels)
    assert network.critic(rows).logits.shape == (2,)
    torch.testing.assert_close(network(rows)[:1], network(rows[:1]))  # no row depends on its company


def test_codes_of_digits_carry_the_digits_and_neither_side_of_the_gan_wins(digits):
    X, y = digits
    settings = {"hidden_dims": (64, 64), "pretrain_epochs": 20, "epochs": 1, "scale": "unit"}
    model = FAE(10, **settings, device="cpu").fit(X)
    network = model._trained()[0].float()
    scaled = ((X - model.shift_) * model.factor_).astype(np.float32)
    fusing = Fusing(network, Data(scaled, CPU), 0.05, 0.1, Optimiser("adam", 1e-3), 1)
    assert fusing.unused_codes() == ()
    means = network.code(torch.from_numpy(scaled)).means.detach().numpy()
    assert (means.var(axis=0) > 0.01).sum() >= 8
    assert 0.4 < fusing.accuracy() < EVEN[1]
    labels = KMeans(10, n_init=5, random_state=0).fit_predict(means)
    assert normalized_mutual_info_score(y, labels) >= 0.6
