"""USL-T: its losses, what teaches and what is left of it, its alarms, and what its surest items tell."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits, make_blobs

from clustering.labelling import guesses, surest_items
from clustering.losses.neighbour_agreement import self_label_loss
from clustering.losses.neighbour_targets import adjusted_targets, local_loss, updated_shares
from clustering.methods.usl_t import USLT
from clustering.networks.selecting import SCALE, SelectingNetwork
from clustering.training.data import Data
from clustering.training.events import Epoch
from clustering.training.step import Batch

SMALL = {"hidden_dims": (16,), "latent_dim": 8, "epochs": 6, "batch_size": 40, "device": "cpu"}


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    return make_blobs(160, centers=4, n_features=6, random_state=2)[0].astype(np.float32)


def network_of(method, items: np.ndarray):
    network = method.setup(items.shape[1], torch.Generator().manual_seed(0))
    *_, cluster = method.phases(network, Data(items, torch.device("cpu")))
    cluster.begin()
    return network, cluster


def batch_of(items: np.ndarray, seed: int = 0) -> Batch:
    rows = torch.arange(len(items))
    return Batch(torch.from_numpy(items), rows, {}, torch.Generator().manual_seed(seed))


def double(rows: list[list[float]]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


# Losses --------------------------------------------------------------------------------------------------

ANCHORS, NEIGHBOURS = double([[1, 0, 0], [0, 1, 0]]), double([[2, 1, 0], [0, 2, 1]])


def test_the_local_loss_is_that_of_the_specification():
    even = torch.full((3,), 1 / 3, dtype=torch.float64)
    targets = adjusted_targets(NEIGHBOURS, even, 5.0, 0.25)
    expected = [[0.9816903928, 0.0179802867, 0.0003293204], [0.0003293204, 0.9816903928, 0.0179802867]]
    np.testing.assert_allclose(targets, expected, atol=1e-10)
    assert float(local_loss(targets, ANCHORS)) == pytest.approx(0.476719308058, abs=1e-11)
    shares = updated_shares(even, NEIGHBOURS)
    np.testing.assert_allclose(shares, [0.3554845489, 0.3941590234, 0.2503564277], atol=1e-10)
    uneven = adjusted_targets(NEIGHBOURS, double([[0.6, 0.3, 0.1]])[0], 5.0, 0.25)
    assert float(local_loss(uneven, ANCHORS)) == pytest.approx(1.551444409052, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(2, 5), st.floats(0, 5), st.floats(0.2, 1), st.integers(0, 1000))
def test_the_local_loss_is_that_of_a_plain_loop(n, k, adjustment, temperature, seed):
    generator = torch.Generator().manual_seed(seed)
    near, own = torch.randn(2, n, k, generator=generator, dtype=torch.float64)
    shares = torch.softmax(torch.randn(k, generator=generator, dtype=torch.float64), dim=0)
    total = 0.0
    for z, a in zip(near.tolist(), own.tolist(), strict=True):
        p = [math.exp(z[c] - adjustment * math.log(shares[c])) for c in range(k)]
        p = [(value / sum(p)) ** (1 / temperature) for value in p]
        s, q = [value / sum(p) for value in p], [math.exp(value) for value in a]
        total += sum(s[c] * math.log(s[c] / (q[c] / sum(q))) for c in range(k) if s[c] > 1e-300)
    found = local_loss(adjusted_targets(near, shares, adjustment, temperature), own)
    assert float(found) == pytest.approx(total / n, abs=1e-9)


def test_a_group_that_few_are_in_draws_its_neighbours():
    level = double([[0.0, 0.0, 0.0]])
    shares = double([[0.6, 0.39, 0.01]])[0]
    assert adjusted_targets(level, shares, 2.5, 0.25).argmax() == 2
    np.testing.assert_allclose(adjusted_targets(level, shares, 0.0, 0.25)[0], 1 / 3)
    assert torch.isfinite(adjusted_targets(level, double([[1.0, 0, 0]])[0], 5.0, 0.25)).all()


# What is learned -----------------------------------------------------------------------------------------


def test_a_batch_loses_what_both_losses_say_and_its_sizes_are_taken_after_their_use(blobs):
    method = USLT(3, threshold=0.4, **SMALL)
    network, _ = network_of(method, blobs)
    generator = torch.Generator().manual_seed(1)
    own, other, taught = 3 * torch.randn(3, 20, 3, generator=generator)
    before = network.shares.clone()
    terms = method.terms(network, own, other, taught)
    targets = adjusted_targets(taught, before, 2.5, 0.25)
    torch.testing.assert_close(terms["local"], 5 * local_loss(targets, other))
    torch.testing.assert_close(terms["global"], self_label_loss(own, other, 0.4))
    torch.testing.assert_close(network.shares, updated_shares(before, taught))
    assert float(network.shares.sum()) == pytest.approx(1)


def test_a_logit_is_a_cosine_so_that_what_lies_far_out_is_no_surer(blobs):
    network, _ = network_of(USLT(3, **SMALL), blobs)
    features, directions = network.codes[:5].double(), network.directions.detach().double()
    for row, found in zip(features, network.logits(features.float()), strict=True):
        for direction, logit in zip(directions, found.detach(), strict=True):
            cosine = float(row @ direction / (row.norm() * direction.norm()))
            assert float(logit) == pytest.approx(SCALE * cosine, abs=1e-4)
    torch.testing.assert_close(network.logits(7 * network.codes), network.logits(network.codes))


def test_only_the_directions_learn_and_only_from_other_views(blobs):
    method = USLT(4, threshold=0.0, **SMALL)
    network, cluster = network_of(method, blobs)
    assert cluster.parameters == [network.directions]
    codes = network.codes.clone()
    sum(cluster.loss(batch_of(blobs)).values()).backward()
    assert float(network.directions.grad.abs().max()) > 0
    assert torch.equal(network.codes, codes)
    still = USLT(4, strength=0.0, **SMALL)
    torch.testing.assert_close(still.noisy(codes, torch.Generator()), codes)


def test_pictures_are_seen_as_they_were_while_features_were_learned():
    X = (load_digits().data[:60] / 16).astype(np.float32)
    method = USLT(3, pretext="contrast", pretrain_epochs=1, views="digits", **SMALL)
    network, cluster = network_of(method, X)
    running = {name: value.clone() for name, value in network.state_dict().items() if "running" in name}
    cluster.loss(batch_of(X))
    assert running
    for name, value in running.items():  # features stand still, and so do the statistics they come from
        assert torch.equal(network.state_dict()[name], value)
    assert network.directions.grad is None


# Alarms --------------------------------------------------------------------------------------------------


def alarms_of(method, items: np.ndarray) -> str:
    events: list = []
    method.fit(items, emit=events.append)
    return " ".join(alarm for event in events if isinstance(event, Epoch) for alarm in event.alarms)


def test_a_network_that_is_sure_of_nothing_says_so_once_it_has_had_the_time(blobs):
    assert "sure enough for them to teach" in alarms_of(USLT(4, threshold=1.0, **SMALL), blobs)
    method = USLT(4, **SMALL)
    network, _ = network_of(method, blobs)
    assert method.teachers_left(network) == ()  # nothing is sure before it has learned
    assert "sure enough" not in alarms_of(USLT(4, threshold=0.3, **SMALL), blobs)


def test_one_group_that_takes_all_says_so(blobs, monkeypatch):
    whole = SelectingNetwork.logits
    monkeypatch.setattr(
        SelectingNetwork, "logits", lambda *given: whole(*given) + 500 * torch.eye(4)[2].to(given[1])
    )
    assert "Group 3 holds 100% of all items" in alarms_of(USLT(4, **SMALL), blobs)


# What it is for ------------------------------------------------------------------------------------------


def test_ten_digits_it_is_surest_of_tell_more_of_the_others_than_ten_drawn():
    X, digits = load_digits(return_X_y=True)
    X, digits = (X[:800] / 16).astype(np.float32), digits[:800]

    def accuracy(chosen: list[int]) -> float:
        names, classes = np.unique(digits[chosen], return_inverse=True)
        return float((names[guesses(X, np.array(chosen), classes, "nearest_label").labels] == digits).mean())

    model = USLT(10, epochs=40, batch_size=100, device="cpu").fit(X)
    chosen = accuracy([pick.item for pick in surest_items(model.soft_assignments_)])
    drawn = np.mean(
        [accuracy(np.random.default_rng(s).choice(800, 10, replace=False).tolist()) for s in range(8)]
    )
    assert chosen - drawn >= 0.1
