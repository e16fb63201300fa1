"""JDRL: statistics that follow the clusters, sizes that are kept, and items like nothing seen before."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import adjusted_rand_score

from clustering.losses.target_distribution import target_distribution
from clustering.methods.jdrl import JDRL
from clustering.networks.statistics_pooling import pooled_statistics
from clustering.training.data import Data
from clustering.training.events import Snapshot
from clustering.training.joined import joined_centers
from clustering.training.step import Batch

CPU = torch.device("cpu")
SMALL = {"hidden_dims": (16,), "latent_dim": 4, "pretrain_epochs": 3, "epochs": 3, "device": "cpu"}


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    X, _ = make_blobs(90, centers=3, n_features=5, cluster_std=0.6, random_state=3)
    return (X / 5).astype(np.float32)


def begun(method: JDRL, blobs: np.ndarray):
    network = method.setup(5, torch.Generator().manual_seed(0))
    _, phase = method.phases(network, Data(blobs, CPU))
    phase.begin()
    return network, phase


def test_training_begins_without_context_and_with_the_statistics_of_the_first_clusters(blobs):
    network, phase = begun(JDRL(3, **SMALL), blobs)
    features = torch.from_numpy(blobs)
    h = network.described(features)
    torch.testing.assert_close(network.encode(features), network.head(h))
    q = network.assigned(network.head(h)).exp()
    expected = pooled_statistics(h, q)
    torch.testing.assert_close(network.means, expected.means, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(network.shares, torch.full((3,), 1 / 3))
    torch.testing.assert_close(phase.refresh().targets["p"], target_distribution(q.detach(), 0.25))


def test_every_term_reaches_its_networks_and_the_context_learns(blobs):
    method = JDRL(3, **SMALL)
    network, phase = begun(method, blobs)
    p = phase.refresh().targets["p"]
    before = network.means.clone()
    terms = method.loss(network, Batch(torch.from_numpy(blobs[:30]), torch.arange(30), {"p": p[:30]}, None))
    assert set(terms) == {"reconstruction", "clustering", "sizes"}
    sum(terms.values()).backward()
    assert all(weight.grad is not None for weight in network.parameters())
    assert network.context.weight.grad.abs().sum() > 0
    assert not torch.equal(network.means, before)  # the running statistics have followed the batch


def test_running_statistics_of_a_group_the_batch_lacks_stay_and_no_share_falls_below_its_floor(blobs):
    network, _ = begun(JDRL(3, **SMALL), blobs)
    before = network.means.clone()
    h = network.described(torch.from_numpy(blobs[:20])).detach()
    only_first = torch.tensor([[1.0, 0, 0]]).repeat(20, 1)
    for _ in range(2000):
        network.remember(pooled_statistics(h, only_first), 0.01)
    torch.testing.assert_close(network.means[1:], before[1:])
    torch.testing.assert_close(network.means[0], h.mean(dim=0), atol=1e-4, rtol=1e-3)
    assert float(network.shares.min()) >= 1 / 32
    alarms = JDRL(3).starving(network)
    assert len(alarms) == 2
    assert "Group 2 is kept alive" in alarms[0]


def test_a_rare_group_that_lies_apart_gets_a_centre_where_k_means_spends_it_on_a_large_one():
    rng = np.random.default_rng(0)
    large = rng.normal(0, 1.0, (3000, 2))
    rare = rng.normal(0, 0.2, (85, 2)) + np.array([3.5, 0])
    latents = torch.from_numpy(np.concatenate([large, rare]).astype(np.float32))
    centers = joined_centers(latents, 4, seed=0)
    plain = torch.from_numpy(KMeans(4, n_init=5, random_state=0).fit(latents).cluster_centers_)
    nearest = [float((found - torch.tensor([3.5, 0.0])).norm(dim=1).min()) for found in (centers, plain)]
    assert nearest[0] < 0.6
    assert nearest[1] > 1.0
    assert joined_centers(latents[:3], 3, seed=0).shape == (3, 2)


def test_items_unlike_all_groups_are_told_from_new_items_of_the_groups():
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    known = np.flatnonzero(y < 3)
    model = JDRL(3, hidden_dims=(64,), pretrain_epochs=30, epochs=20, device="cpu").fit(X[known[::2]])
    fitted, new = model.novelty(X[known[::2]]), model.novelty(X[known[1::2]])
    assert (fitted > model.novelty_limit_).mean() == pytest.approx(0.01, abs=0.01)
    assert (new > model.novelty_limit_).mean() < 0.1
    assert (model.novelty(1 - X[known[:50]]) > model.novelty_limit_).all()  # negatives of the pictures
    assert np.median(model.novelty(X[y >= 3])) > np.median(new)


def test_what_is_strange_is_known_after_loading_too(blobs, tmp_path):
    model = JDRL(3, **SMALL).fit(blobs)
    model.save(tmp_path)
    loaded = JDRL.load(tmp_path)
    np.testing.assert_array_equal(loaded.novelty(blobs), model.novelty(blobs))
    assert loaded.novelty_limit_ == model.novelty_limit_
    np.testing.assert_allclose(loaded.novelty(blobs[:3]), model.novelty(blobs)[:3], rtol=1e-6)


def test_a_long_tail_of_digits_is_clustered_no_worse_than_where_it_started():
    X, y = load_digits(return_X_y=True)
    sizes = [170, 127, 95, 71, 53, 40, 30, 22, 17, 12]
    rows = np.concatenate([np.flatnonzero(y == digit)[:size] for digit, size in enumerate(sizes)])
    X, y = (X[rows] / 16).astype(np.float32), y[rows]
    starts = []

    def emit(event):
        if isinstance(event, Snapshot) and event.phase == "cluster" and not starts:
            starts.append(adjusted_rand_score(y, event.labels))

    settings = {"hidden_dims": (64, 64), "pretrain_epochs": 50, "epochs": 25, "batch_size": 64}
    model = JDRL(10, **settings, device="cpu").fit(X, emit=emit)
    assert adjusted_rand_score(y, model.labels_) >= starts[0]
    assert np.bincount(model.labels_, minlength=10).min() > 0
