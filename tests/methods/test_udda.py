"""UDDA: groups that follow the latents, links from three places, batches, and what a person is warned of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import normalized_mutual_info_score

from clustering.errors import StudioError
from clustering.methods import discriminating
from clustering.methods.discriminating import Discriminating, Weights
from clustering.methods.edges import checked_edges, nearest_edges
from clustering.methods.udda import UDDA
from clustering.networks.discriminant_autoencoder import (
    Classes,
    DiscriminantAutoencoder,
    classes_of,
    membership,
)
from clustering.training.data import Data
from clustering.training.events import Snapshot
from clustering.training.step import Batch

CPU = torch.device("cpu")
SMALL = {"hidden_dims": (16,), "latent_dim": 4, "pretrain_epochs": 3, "epochs": 3, "device": "cpu"}
PAIRWISE = Weights("pairwise", 0.05, 0.1)


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    X, _ = make_blobs(90, centers=3, n_features=5, cluster_std=0.6, random_state=3)
    return (X / 5).astype(np.float32)


@pytest.fixture
def latents() -> torch.Tensor:
    """Three clear groups of 30 in the plane."""
    places = torch.tensor([[0.0, 0], [10, 0], [0, 10]]).repeat_interleave(30, dim=0)
    return places + torch.randn(90, 2, generator=torch.Generator().manual_seed(0))


def rounds_on(latents: torch.Tensor, edges: list | None = None, weights: Weights = PAIRWISE, k: int = 3):
    """The clustering of a network whose latents are handed in by the test."""
    network = DiscriminantAutoencoder(2, (4,), 2, k, torch.Generator().manual_seed(0))
    data = Data(latents.numpy(), CPU)
    data.edges = None if edges is None else torch.tensor(edges)
    rounds = Discriminating(network, data, weights, 8, 0)
    network.centers.data.copy_(latents[:: 90 // k][:k])
    return network, rounds


# Groups --------------------------------------------------------------------------------------------------


def test_a_look_gives_the_nearest_centres_and_the_statistics_of_their_members(latents):
    network, rounds = rounds_on(latents)
    seen = rounds.look(latents)
    assert seen.labels.tolist() == [0] * 30 + [1] * 30 + [2] * 30
    torch.testing.assert_close(seen.centers, latents.view(3, 30, 2).mean(dim=1))
    torch.testing.assert_close(network.means, seen.centers)
    torch.testing.assert_close(network.spreads, latents.view(3, 30, 2).var(dim=1, unbiased=False).sum(dim=1))
    assert seen.targets["labels"] is seen.labels
    assert seen.figures["within / between"] < 0.1
    assert 0.8 < seen.figures["closest pair"] < 1
    assert rounds.warnings() == ()


def test_groups_follow_from_where_they_were_and_keep_their_numbers(latents):
    _, rounds = rounds_on(latents)
    before = rounds.look(latents).labels
    assert torch.equal(rounds.look(latents + torch.tensor([2.0, -1.0])).labels, before)


def test_a_group_that_runs_empty_takes_over_half_of_another_and_it_is_told(latents, monkeypatch):
    network, rounds = rounds_on(latents)
    network.centers.data[2] = torch.tensor([1e4, 1e4])
    assert rounds.look(latents).labels.bincount(minlength=3).min() > 0
    monkeypatch.setattr(discriminating, "LLOYD_ROUNDS", 1)
    network.centers.data[2] = torch.tensor([1e4, 1e4])
    rounds.look(latents)
    assert "1 of the 3 groups had run empty" in rounds.warnings()[0]


def test_items_that_go_to_and_fro_are_counted_and_told(latents):
    _, rounds = rounds_on(latents)
    away = latents.clone()
    away[:9] += torch.tensor([10.0, 0])
    assert "went back" not in rounds.look(latents).figures
    assert rounds.look(away).figures.get("went back", 0) == 0
    assert rounds.look(latents).figures["went back"] == pytest.approx(0.1)
    assert "10% of the items went back to the group they had just left" in rounds.warnings()[0]


def test_a_measure_that_looks_perfect_beside_a_tiny_group_is_not_believed(latents):
    odd = latents.clone()
    odd[:30] = latents[30:60]
    odd[0] = torch.tensor([1e3, 1e3])
    network, rounds = rounds_on(odd)
    network.centers.data.copy_(odd[[0, 30, 60]])
    figures = rounds.look(odd).figures
    assert figures["within / between"] < 0.02
    assert "group 1 holds only 1 of 90 items" in rounds.warnings()[0]


# Links ---------------------------------------------------------------------------------------------------


def test_links_are_taken_as_pairs_or_as_a_matrix_each_once_without_direction_weight_or_loops():
    pairs = [[3, 1], [1, 3], [2, 2], [0, 1]]
    expected = [[0, 1], [1, 3]]
    assert checked_edges(pairs, 4).tolist() == expected
    matrix = np.zeros((4, 4))
    matrix[3, 1], matrix[2, 2], matrix[0, 1] = 0.5, 1, 7
    assert checked_edges(csr_array(matrix), 4).tolist() == expected
    assert checked_edges([], 4).shape == (0, 2)


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ([[0, 1], [2, 90]], r"1 of the 2 links .* \(first: 2–90, number 2\); there are 90 items"),
        ([[-1, 0]], r"first: -1–0"),
        ([[0, 1, 2]], "no list of pairs: an array of 1 × 3"),
        ([[0.5, 1.0]], "no row numbers"),
        (csr_array((3, 3)), "matrix of links is 3 × 3, but there are 90 items"),
    ],
)
def test_links_that_cannot_be_used_are_refused_in_sentences(edges, words, blobs):
    with pytest.raises(StudioError, match=words) as refusal:
        UDDA(3, **SMALL).fit(blobs, edges=edges)
    assert refusal.value.mend.endswith(".")


def test_neighbours_are_linked_in_whichever_direction_among_the_features_as_the_network_sees_them():
    rows = np.array([[0, 0], [1, 0], [3, 0], [100, 0]], dtype=np.float32)
    assert nearest_edges(Data(rows, CPU), 1).tolist() == [[0, 1], [1, 2], [2, 3]]
    scaled = Data(rows * [1, 0] + [[0, 0], [0, 9], [0, 0], [0, 9]], CPU, np.zeros(2), np.array([0.0, 1.0]))
    assert [0, 2] in nearest_edges(scaled, 1).tolist()
    assert nearest_edges(Data(rows[:1], CPU), 5).shape == (0, 2)


def test_the_graph_that_is_chosen_is_the_one_that_counts():
    cloud = np.random.default_rng(0).normal(size=(90, 5)).astype(np.float32)
    edges = [[0, 50], [3, 80]]

    def found(graph, given):
        return UDDA(3, graph=graph, **SMALL).fit(cloud, edges=given)

    bare = found("none", None)
    np.testing.assert_array_equal(found("own", None).embedding_, bare.embedding_)
    np.testing.assert_array_equal(found("none", edges).embedding_, bare.embedding_)
    assert "links" not in bare.history_[-2]["losses"]
    own, near = found("own", edges), found("knn", edges)
    assert "links" in own.history_[-2]["losses"]
    assert not np.array_equal(own.embedding_, bare.embedding_)
    assert not np.array_equal(own.embedding_, near.embedding_)
    by_hand = checked_edges(nearest_edges(Data(cloud, CPU), 5), 90)
    np.testing.assert_array_equal(found("own", by_hand).embedding_, near.embedding_)


def test_links_decide_where_the_features_do_not():
    """Items that lie between two groups go where their links lead."""
    rng = np.random.default_rng(0)
    places = np.repeat([[0.0, 0, 0], [2, 0, 0], [1, 0, 0]], [40, 40, 20], axis=0)
    X = (places + rng.normal(0, 0.1, places.shape)).astype(np.float32)
    settings = SMALL | {"epochs": 20, "pretrain_epochs": 100, "latent_dim": 2, "cluster_learning_rate": 0.005}
    bare = UDDA(2, **settings).fit(X)
    other = 40 if (bare.labels_[80:] == bare.labels_[0]).mean() > 0.5 else 0
    edges = [(80 + i, other + j) for i in range(20) for j in range(0, 40, 4)]
    pulled = UDDA(2, graph_weight=10.0, **settings).fit(X, edges=edges)
    assert (pulled.labels_[80:] == pulled.labels_[other]).all()
    assert (pulled.labels_[:40] != pulled.labels_[40]).all()


def test_links_that_are_torn_apart_by_their_own_weight_are_told(latents):
    ring = [[i, (i + 1) % 90] for i in range(90)]
    _, rounds = rounds_on(latents, ring)
    assert rounds.look(latents).figures["links within groups"] == pytest.approx(87 / 90)
    assert rounds.warnings() == ()
    together = torch.randn(90, 2, generator=torch.Generator().manual_seed(1))
    rounds.look(together)
    assert any("did before: they draw all groups into one" in sentence for sentence in rounds.warnings())


def test_a_weight_of_links_far_too_large_is_noticed_while_it_trains():
    X, _ = load_digits(return_X_y=True)
    settings = {"hidden_dims": (64,), "pretrain_epochs": 20, "epochs": 12, "cluster_learning_rate": 1e-3}
    model = UDDA(10, graph="knn", graph_weight=50.0, device="cpu", **settings).fit(X[:600] / 16)
    alarms = [sentence for row in model.history_ for sentence in row.get("alarms", ())]
    assert any("choose a smaller weight of the links" in sentence for sentence in alarms)


def test_a_fit_with_other_links_does_not_go_on_from_the_checkpoint_of_these(blobs, tmp_path):
    method = UDDA(3, **SMALL)
    method.fit(blobs, edges=[[0, 50]], checkpoint=tmp_path)
    heard = []
    method.fit(blobs, edges=[[0, 50]], checkpoint=tmp_path, emit=lambda e: heard.append(e.kind) and None)
    assert "epoch" not in heard
    resumed = UDDA(3, **SMALL).fit(blobs, edges=[[0, 51]], checkpoint=tmp_path)
    fresh = UDDA(3, **SMALL).fit(blobs, edges=[[0, 51]])
    np.testing.assert_array_equal(resumed.embedding_, fresh.embedding_)


# Steps ---------------------------------------------------------------------------------------------------


def test_a_step_sees_all_items_and_every_term_is_that_of_its_loss(latents):
    network, rounds = rounds_on(latents, [[0, 1], [40, 70]])
    labels = rounds.look(latents).targets["labels"]
    rows = rounds.draw(2, torch.Generator())
    assert rows.tolist() == [list(range(90))] * 2
    terms = rounds.loss(Batch(latents, rows[0], {"labels": labels}, None))
    assert set(terms) == {"reconstruction", "discrepancy", "links"}
    z = network.encode(latents)
    classes = classes_of(z, membership(labels, 3))
    s, m = classes.spreads, classes.means
    pairs = [(s[a] + s[b]) / ((m[a] - m[b]) ** 2).sum() for a, b in ((0, 1), (0, 2), (1, 2))]
    torch.testing.assert_close(terms["discrepancy"], 0.05 * sum(pairs) / 3, rtol=1e-3, atol=1e-6)
    q = torch.softmax(-torch.cdist(z, m).square() / s.mean(), dim=1)
    smooth = (((q[0] - q[1]) ** 2).sum() + ((q[40] - q[70]) ** 2).sum()) / 2
    torch.testing.assert_close(terms["links"], 0.1 * smooth, rtol=1e-3, atol=1e-6)
    sum(terms.values()).backward()
    assert all(weight.grad is not None for weight in network.encoder.parameters())
    assert network.centers.grad is None


def test_batches_of_a_large_collection_hold_fifty_items_a_group_and_the_ends_of_links(latents, monkeypatch):
    monkeypatch.setattr(discriminating, "WHOLE_UP_TO", 89)
    monkeypatch.setattr(discriminating, "ITEMS_A_GROUP", 12)
    edges = torch.tensor([[0, 1], [40, 70]])
    network, rounds = rounds_on(latents, edges.tolist())
    rounds.look(latents)
    rows = rounds.draw(5, torch.Generator().manual_seed(0))
    assert rows.shape == (5, 3 * 36)
    ends = torch.stack([rows[:, 36:72], rows[:, 72:]], dim=2)
    assert {tuple(pair) for pair in ends.flatten(0, 1).tolist()} == {(0, 1), (40, 70)}
    labels = torch.arange(90) // 30
    picked = rows[0]
    terms = rounds.loss(Batch(latents[picked], picked, {"labels": labels[picked]}, None))
    sum(terms.values()).backward()
    assert all(torch.isfinite(value) for value in terms.values())
    assert not torch.equal(network.means, network.centers)  # they have followed the batch


def test_statistics_that_follow_batches_have_the_gradient_of_the_batch_and_stay_without_members(latents):
    network, _ = rounds_on(latents)
    labels = torch.arange(90) // 30
    whole = classes_of(latents, membership(labels, 3))
    network.take(whole)
    rows = torch.arange(0, 60, 2)  # none of the third group
    z = latents[rows].clone().requires_grad_()
    batch = classes_of(z, membership(labels[rows], 3))
    followed = network.followed(batch, 0.1)
    torch.testing.assert_close(followed.means[2], whole.means[2])
    torch.testing.assert_close(followed.means[0], 0.9 * whole.means[0] + 0.1 * batch.means[0])
    followed.means[:, 0].sum().backward()
    torch.testing.assert_close(z.grad[:, 0], torch.full((30,), 1 / 15))
    assert isinstance(followed, Classes)


@pytest.mark.parametrize("form", ["pairwise", "trace", "matrix"])
def test_every_form_separates_clear_groups(form, blobs):
    model = UDDA(3, discrepancy=form, **SMALL | {"epochs": 10}).fit(blobs)
    told = [
        row["losses"]["discrepancy"]
        for row in model.history_
        if row["kind"] == "epoch" and row["phase"] == "cluster"
    ]
    assert told[-1] < told[0]
    assert np.bincount(model.labels_).tolist() == [30, 30, 30]


@pytest.mark.parametrize("form", ["pairwise", "matrix"])
def test_half_precision_in_the_network_leaves_the_measure_its_digits(form, latents, monkeypatch):
    network, rounds = rounds_on(latents, weights=Weights(form, 1.0, 0.0))
    monkeypatch.setattr(network, "encode", lambda features: features)
    far = latents + 100
    batch = Batch(far, torch.arange(90), {"labels": torch.arange(90) // 30}, None)
    whole = rounds.loss(batch)["discrepancy"]
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(rounds.loss(batch)["discrepancy"], whole)


def test_k_means_begun_afresh_stands_beside_the_groups(blobs):
    model = UDDA(3, **SMALL).fit(blobs)
    assert normalized_mutual_info_score(model.labels_, model.kmeans_labels_) == pytest.approx(1)
    assert model.kmeans_labels_.dtype == np.int64


def test_large_collections_in_batches_end_where_steps_on_all_items_do(monkeypatch):
    X, y = make_blobs(400, centers=4, n_features=6, cluster_std=1.0, random_state=1)
    X = (X / 10).astype(np.float32)
    settings = SMALL | {"pretrain_epochs": 20, "epochs": 6, "graph": "knn"}
    whole = UDDA(4, **settings).fit(X)
    monkeypatch.setattr(discriminating, "WHOLE_UP_TO", 100)
    parts = UDDA(4, batch_size=256, **settings).fit(X)
    for model in (whole, parts):
        assert normalized_mutual_info_score(y, model.labels_) > 0.95


def test_on_digits_links_to_neighbours_gain_what_the_measure_promises():
    """The check of the specification, on two thirds of the digits: no group starves and J falls."""
    X, y = load_digits(return_X_y=True)
    X, y = (X[:1200] / 16).astype(np.float32), y[:1200]
    starts = []

    def emit(event):
        if isinstance(event, Snapshot) and event.phase == "cluster" and not starts:
            order = event.rows.argsort()
            starts.append(normalized_mutual_info_score(y, event.labels[order]))

    settings = {"hidden_dims": (128, 256), "pretrain_epochs": 40, "device": "cpu"}
    model = UDDA(10, graph="knn", **settings).fit(X, emit=emit)
    assert normalized_mutual_info_score(y, model.labels_) > starts[0] + 0.05
    told = [
        row["losses"]["discrepancy"]
        for row in model.history_
        if row["kind"] == "epoch" and row["phase"] == "cluster"
    ]
    assert told[-1] < told[0] / 2
    assert np.bincount(model.labels_, minlength=10).min() >= 1200 / 50
    assert "before" not in {name for name, value in model.weights_.items() if value.size > 1200}
