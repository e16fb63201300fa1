"""DeepCluster and its second version: the cycle as published, what is fixed, what a person is told."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import normalized_mutual_info_score

from clustering.errors import StudioError
from clustering.losses.pseudo_labels import pseudo_label_loss
from clustering.methods.deepcluster import DeepCluster
from clustering.methods.deepcluster_v2 import DeepClusterV2
from clustering.training import snapshots
from clustering.training.data import Data
from clustering.training.events import Epoch, Snapshot
from clustering.training.step import Batch
from clustering.views.affine import AffineViews
from clustering.views.pixels import PictureShape

CPU = torch.device("cpu")
SMALL = {"hidden_dims": (16,), "latent_dim": 8, "epochs": 4, "device": "cpu"}
both = pytest.mark.parametrize("method", [DeepCluster, DeepClusterV2])


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    return make_blobs(200, centers=4, n_features=6, cluster_std=1.0, random_state=2)[0].astype(np.float32)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return (X[:500] / 16).astype(np.float32), y[:500]


def prepared(method, items: np.ndarray):
    """A network that has clustered once, with its first phase."""
    network = method.setup(items.shape[1], torch.Generator().manual_seed(0))
    learn, _ = method.phases(network, Data(items, CPU))
    learn.begin()
    learn.refresh()
    return network, learn


def batch_of(items: np.ndarray, rows: list[int], seed: int = 0) -> Batch:
    numbers = torch.tensor(rows)
    return Batch(torch.from_numpy(items)[numbers], numbers, {}, torch.Generator().manual_seed(seed))


def test_every_clustering_draws_other_pseudo_labels_and_a_fresh_top_layer_without_momentum(blobs):
    method = DeepCluster(3, **SMALL)
    network, learn = prepared(method, blobs)
    first, top = network.pseudo.clone(), network.top.weight.detach().clone()
    assert float(top.std()) == pytest.approx(0.01, rel=0.3)
    assert (network.top.bias == 0).all()
    with torch.no_grad():
        network.top.weight += 1
        network.top.bias += 1
    learn.refresh()
    assert not torch.equal(network.pseudo, first)  # the features are the same: another seed
    assert not torch.equal(network.top.weight, top)
    assert float(network.top.weight.detach().abs().max()) < 0.1
    assert (network.top.bias == 0).all()
    momenta = {
        id(parameter): group["momentum"]
        for group in learn.optimiser.build(learn.parameters, CPU).param_groups
        for parameter in group["params"]
    }
    assert momenta[id(network.top.weight)] == momenta[id(network.top.bias)] == 0.0
    assert momenta[id(network.last.weight)] == 0.9


def test_its_batches_meet_every_pseudo_label_that_has_items_as_often_as_any_other(blobs):
    method = DeepCluster(4, **SMALL, n_prototypes=6, batch_size=50)
    network, learn = prepared(method, blobs)
    network.pseudo[0] = torch.tensor([0] * 150 + [1] * 30 + [3] * 20)  # three of six are empty
    table = learn.draw(4, torch.Generator().manual_seed(0))
    assert table.shape == (4, 50)
    counts = torch.bincount(network.pseudo[0][table.flatten()], minlength=6)
    assert counts.tolist()[2::2] == [0, 0]
    assert counts[[0, 1, 3]].min() >= 60


def test_its_loss_is_that_of_the_views_and_the_labels_of_the_last_clustering(digits):
    X, _ = digits
    method = DeepCluster(10, **SMALL, views="affine")
    network, _ = prepared(method, X)
    rows = list(range(0, 60, 3))
    views = AffineViews(PictureShape(1, 8, 8))
    moved = views(torch.from_numpy(X)[rows], torch.Generator().manual_seed(7))
    expected = pseudo_label_loss(network.scores(moved), network.pseudo[0][rows])
    (loss,) = method.loss(network, batch_of(X, rows, seed=7)).values()
    torch.testing.assert_close(loss, expected)


def test_the_second_version_foretells_both_views_by_cosines_with_centroids_no_gradient_moves(blobs):
    method = DeepClusterV2(3, **SMALL)
    network, _ = prepared(method, blobs)
    assert network.prototypes.shape == (3, 9, 8)
    torch.testing.assert_close(network.prototypes.norm(dim=2), torch.ones(3, 9))
    torch.testing.assert_close(network.memory.norm(dim=2), torch.ones(2, 200))
    rows = [5, 80, 151]
    before = network.memory.clone()
    (loss,) = method.loss(network, batch_of(blobs, rows)).values()
    kept = network.memory[:, rows]  # what the loss has just seen
    expected = torch.stack(
        [
            pseudo_label_loss(kept[view] @ network.prototypes[head].T, network.pseudo[head, rows], 0.1)
            for view in range(2)
            for head in range(3)
        ]
    ).mean()
    torch.testing.assert_close(loss.detach(), expected)
    others = [row for row in range(200) if row not in rows]
    assert torch.equal(network.memory[:, others], before[:, others])
    assert not torch.equal(kept, before[:, rows])
    assert all(parameter is not network.prototypes for parameter in network.parameters())


def test_its_heads_take_turns_on_the_memory_of_the_views(blobs):
    method = DeepClusterV2(3, **SMALL)
    network, _ = prepared(method, blobs)
    for head in range(3):
        nearest = (network.memory[head % 2] @ network.prototypes[head].T).argmax(dim=1)
        assert torch.equal(network.pseudo[head], nearest)


@both
def test_groups_keep_their_numbers_from_look_to_look(method, blobs, monkeypatch):
    monkeypatch.setattr(snapshots, "LIVE_SHARE", float("inf"))
    seen = []
    model = method(4, **SMALL).fit(
        blobs, emit=lambda event: seen.append(event.labels) if isinstance(event, Snapshot) else None
    )
    assert len(seen) >= 5
    for one, other in pairwise(seen[1:]):
        assert (one == other).mean() > 0.9  # by chance a quarter would agree
    assert (seen[-1] == model.labels_).all()


@both
def test_what_is_kept_of_every_item_is_gone_from_a_fitted_model(method, blobs):
    model = method(4, **SMALL).fit(blobs)
    assert all(len(blobs) not in weights.shape for weights in model.weights_.values())


@both
def test_every_epoch_tells_how_far_the_clustering_agrees_with_the_one_before(method, blobs):
    epochs = []
    method(4, **SMALL).fit(
        blobs, emit=lambda event: epochs.append(event) if isinstance(event, Epoch) else None
    )
    agreements = [event.figures["agreement (NMI)"] for event in epochs[:4]]
    assert all(0.2 < agreement < 0.99 for agreement in agreements)  # 1 would mean that no seed changed


@both
def test_a_fit_that_confuses_everything_is_told(method, blobs):
    method = method(4, **SMALL)
    network, learn = prepared(method, blobs)
    assert learn.watch() == ()
    network.pseudo[-1] = 0
    network.idle.copy_(torch.tensor([11, 6]))
    giant, idle = learn.watch()
    assert "holds 100% of all items" in giant
    assert "11 of the" in idle
    assert "6 clusterings running" in idle


@both
def test_affine_views_need_pictures_and_say_so(method, blobs):
    with pytest.raises(StudioError, match="6 features are no pixels") as refusal:
        method(4, **SMALL, views="affine").fit(blobs)
    assert "swap" in refusal.value.mend


@both
def test_one_item_is_too_few_to_learn_from(method):
    with pytest.raises(StudioError, match="only 1 item"):
        method(1, **SMALL).fit(np.ones((1, 3)))


def test_digits_are_grouped_better_than_before_it_learned(digits):
    X, y = digits
    first = []

    def emit(event):
        if isinstance(event, Snapshot) and not first:
            first.append(normalized_mutual_info_score(y, event.labels))

    settings = {"latent_dim": 64, "epochs": 6, "batch_size": 64, "device": "cpu"}
    model = DeepCluster(10, **settings, views="affine").fit(X, emit=emit)
    assert normalized_mutual_info_score(y, model.labels_) > max(0.8, first[0] + 0.02)
