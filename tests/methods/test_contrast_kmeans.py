"""Contrast + k-means: the features its relatives begin with, and what k-means makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import normalized_mutual_info_score

from clustering.errors import StudioError
from clustering.methods.contrast_kmeans import ContrastKMeans
from clustering.methods.scan import SCAN
from clustering.training.kept_weights import weights_kept_in

SMALL = {"hidden_dims": (16,), "latent_dim": 8, "pretrain_epochs": 4, "batch_size": 40, "device": "cpu"}


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    return make_blobs(160, centers=4, n_features=6, random_state=2)[0].astype(np.float32)


def test_every_item_is_in_the_group_of_the_nearest_centre_and_every_centre_is_the_mean_of_its_group(blobs):
    model = ContrastKMeans(4, **SMALL).fit(blobs)
    distances = np.linalg.norm(model.embedding_[:, None] - model.cluster_centers_, axis=2)
    assert (model.labels_ == distances.argmin(axis=1)).all()
    means = [model.embedding_[model.labels_ == group].mean(axis=0) for group in range(4)]
    np.testing.assert_allclose(model.cluster_centers_, means, atol=1e-4)
    np.testing.assert_allclose(model.embedding_.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(model.embedding_.std(axis=0), 1, atol=1e-3)


@pytest.mark.parametrize("pretext", ["contrast", "momentum"])
def test_it_sees_the_features_in_which_scan_looks_for_groups(blobs, pretext):
    told = SMALL | {"pretext": pretext, "random_state": 3}
    scan = SCAN(4, epochs=1, tuning_epochs=0, self_label_epochs=0, **told).fit(blobs)
    np.testing.assert_array_equal(ContrastKMeans(4, **told).fit(blobs).embedding_, scan.embedding_)


def test_features_that_scan_has_learned_are_not_learned_again(blobs, tmp_path):
    with weights_kept_in(tmp_path):
        SCAN(4, pretext="contrast", epochs=1, self_label_epochs=0, **SMALL).fit(blobs)
        model = ContrastKMeans(4, **SMALL).fit(blobs)
    assert [row["phase"] for row in model.history_ if row["kind"] == "epoch"] == ["cluster"]
    np.testing.assert_array_equal(model.labels_, ContrastKMeans(4, **SMALL).fit(blobs).labels_)


def test_features_as_they_are_would_be_plain_k_means_and_are_refused(blobs):
    with pytest.raises(StudioError, match="pretext"):
        ContrastKMeans(4, pretext="features").fit(blobs)  # type: ignore[arg-type]


def test_digits_fall_apart_better_in_features_that_neighbours_share():
    X, digits = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    plain = KMeans(10, n_init=10, random_state=0).fit(X).labels_
    learned = ContrastKMeans(10, pretrain_epochs=30, batch_size=100, device="cpu").fit(X).labels_
    gain = normalized_mutual_info_score(digits, learned) - normalized_mutual_info_score(digits, plain)
    assert gain >= 0.02
