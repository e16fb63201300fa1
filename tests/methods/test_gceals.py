"""Both versions of G-CEALS: their steps against the authors' code, and what they may claim."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_breast_cancer, make_blobs
from sklearn.metrics import adjusted_rand_score

import clustering as dc
from clustering.losses.gaussian_assignment import log_gaussian_assignments
from clustering.methods.gceals import GCEALS
from clustering.methods.gceals_v1 import GCEALSv1
from clustering.training.balanced import balanced_batches
from clustering.training.data import Data
from clustering.training.events import Snapshot
from clustering.training.step import Batch

CPU = torch.device("cpu")
SMALL = {"hidden_dims": (16,), "latent_dim": 4, "pretrain_epochs": 3, "epochs": 3, "device": "cpu"}


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    X, _ = make_blobs([50, 30, 10], n_features=5, cluster_std=0.6, random_state=3)
    return X.astype(np.float32)


def begun(method: GCEALS, blobs: np.ndarray):
    """A network with the clusters it starts from, and the phase that trains it."""
    network = method.setup(5, torch.Generator().manual_seed(0))
    data = Data(blobs, CPU)
    phase = method.clustering(network, data)
    phase.begin()
    return network, phase


def test_clusters_start_as_those_of_k_means_with_unit_variances_and_equal_weights(blobs):
    network, phase = begun(GCEALS(3, **SMALL), blobs)
    torch.testing.assert_close(network.variances, torch.ones(3, 4))
    seen = phase.refresh()
    torch.testing.assert_close(network.weights, torch.full((3,), 1 / 3))
    assert sorted(network.groups.bincount().tolist()) == sorted(seen.labels.bincount().tolist())
    torch.testing.assert_close(network.first_weights, seen.targets["p"].mean(dim=0))
    again = phase.refresh()  # after the first steps, the weights are the mean assignments
    torch.testing.assert_close(network.weights, again.targets["p"].mean(dim=0))


@pytest.mark.parametrize("detach", [False, True])
def test_the_loss_is_the_authors_and_its_gradient_reaches_the_clusters_unless_the_target_is_held(
    blobs, detach
):
    method = GCEALS(3, **SMALL, gamma=0.25, detach_target=detach)
    network, phase = begun(method, blobs)
    phase.refresh()
    features = torch.from_numpy(blobs)
    terms = method.loss(network, Batch(features, torch.arange(90), {}, torch.Generator()))
    latents = network.encode(features)
    p = log_gaussian_assignments(latents, network.centers, network.variances).exp()
    expected = torch.nn.CrossEntropyLoss()(network.head(latents), network.weights * p)
    torch.testing.assert_close(terms["clustering"], 0.25 * expected)
    torch.testing.assert_close(terms["reconstruction"], (network(features) - features).square().mean())
    sum(terms.values()).backward()
    assert (network.centers.grad is None) == (network.spreads.grad is None) == detach
    assert {id(weight) for weight in phase.parameters} == {id(weight) for weight in network.parameters()}


def test_a_batch_holds_as_many_items_of_every_group_and_none_twice_where_there_are_enough():
    groups = torch.tensor([0] * 50 + [1] * 30 + [2] * 10)
    tables = balanced_batches(groups, 3, 256, 4, torch.Generator().manual_seed(0))
    assert tables.shape == (4, 30)
    for rows in tables:
        assert groups[rows].bincount().tolist() == [10, 10, 10]
        assert len(rows.unique()) == 30
    assert len(torch.cat([*tables]).unique()) > 60  # of the large groups, others in every batch


def test_a_loose_item_does_not_shrink_the_batches_and_an_empty_group_takes_no_place():
    groups = torch.tensor([0] * 50 + [1] * 30 + [3])
    (rows,) = balanced_batches(groups, 4, 256, 1, torch.Generator().manual_seed(0))
    assert groups[rows].bincount().tolist() == [4, 4, 0, 4]
    assert balanced_batches(groups, 4, 3, 1, torch.Generator()).shape == (1, 3)


def test_a_group_about_to_be_swallowed_ends_the_training_and_one_that_was_always_small_does_not(blobs):
    method = GCEALS(3, **SMALL)
    network, phase = begun(method, blobs)
    assert phase.ends() == ""
    network.first_weights.copy_(torch.tensor([0.5, 0.49, 0.01]))
    network.weights.copy_(torch.tensor([0.5, 0.49, 0.01]))
    assert phase.ends() == ""  # below a tenth of a third, as it has been from the start
    network.weights.copy_(torch.tensor([0.56, 0.436, 0.004]))
    assert "Group 3 has shrunk to 0.4%" in phase.watch()[0]
    network.weights.copy_(torch.tensor([0.97, 0.02, 0.01]))
    assert phase.ends().startswith("Group 2 was about to be swallowed")
    assert GCEALS(3, **SMALL, stop_share=0.0).swallowed(network) == ""


def test_gaps_and_categories_of_a_table_are_dealt_with_on_the_way_in(tmp_path):
    rng = np.random.default_rng(0)
    kind = np.repeat([0, 1, 2], 40)
    table = pd.DataFrame(
        {
            "length": 3.0 * kind + rng.normal(size=120),
            "weight": 4.0 * (kind == 1) + rng.normal(size=120),
            "width": 4.0 * (kind == 2) + rng.normal(size=120),
            "colour": np.array(["red", "blue", "green"])[kind],
        }
    )
    table.loc[::19, "length"] = np.nan
    table.loc[::23, "colour"] = None
    table.to_csv(tmp_path / "beads.csv", index=False)
    features = dc.encode(dc.load(tmp_path / "beads.csv", workspace=tmp_path / "house"))
    labels = dc.GCEALS(3, **SMALL | {"pretrain_epochs": 30}).fit(features).labels_
    assert adjusted_rand_score(kind, labels) > 0.6


def test_clustering_adds_agreement_to_autoencoder_and_k_means_on_breast_cancer():
    X, y = load_breast_cancer(return_X_y=True)
    gains = []
    for seed in range(2):
        starts = []

        def emit(event, starts=starts):
            if isinstance(event, Snapshot) and event.phase == "cluster" and not starts:
                starts.append(adjusted_rand_score(y, event.labels))

        settings = {"hidden_dims": (64, 64), "pretrain_epochs": 30, "epochs": 30, "device": "cpu"}
        model = GCEALS(2, **settings, random_state=seed).fit(X, emit=emit)
        gains.append(adjusted_rand_score(y, model.labels_) - starts[0])
    assert np.mean(gains) >= 0.05


def test_the_loss_of_the_first_version_trains_the_encoder(blobs):
    method = GCEALSv1(3, hidden_dims=(16,), latent_dim=4, device="cpu")
    network = method.setup(5, torch.Generator().manual_seed(0))
    (phase,) = method.phases(network, Data(blobs, CPU))
    phase.begin()
    targets = phase.refresh().targets
    batch = Batch(torch.from_numpy(blobs), torch.arange(90), targets, torch.Generator())
    phase.loss(batch)["clustering"].backward()
    assert network.encoder.layers[0].weight.grad.abs().sum() > 0
    assert network.centers.grad is None


def test_the_first_version_agrees_with_its_target_more_and_more_and_keeps_the_target(blobs):
    method = GCEALSv1(3, hidden_dims=(16,), latent_dim=4, epochs=60, learning_rate=0.01, device="cpu")
    model = method.fit(blobs)
    losses = [row["losses"]["clustering"] for row in model.history_ if row["kind"] == "epoch"]
    assert losses[-1] < 0.5 * losses[0]
    target = method.independent_target(Data((blobs - model.shift_) * model.factor_, CPU))
    assert (target.argmax(dim=1).numpy() == model.labels_).mean() > 0.95  # cluster j of q is that of p
    assert method.rows_a_batch(90) == 90
    assert method.rows_a_batch(10**6) == 10_000


def test_the_first_version_cuts_off_what_is_negative_at_both_ends_unless_told_otherwise(blobs):
    features = torch.from_numpy(blobs)
    for rectified in (True, False):
        network = GCEALSv1(3, hidden_dims=(16,), rectified=rectified).setup(5, torch.Generator())
        latents = network.encode(features)
        assert bool((latents < 0).any()) is not rectified
        assert bool((network.decode(latents) < 0).any()) is not rectified
