"""Compactness and separation: worked oracles, scikit-learn, and what must hold for any points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.datasets import make_blobs

from clustering.errors import StudioError
from clustering.metrics import internal
from clustering.metrics.internal import (
    calinski_harabasz,
    davies_bouldin,
    silhouette_sample,
    simplified_silhouette,
    stratified_rows,
)

POINTS = np.array([(0, 0), (0, 1), (1, 0), (5, 5), (5, 6), (6, 5)], dtype=float)
HALVES = np.array([0, 0, 0, 1, 1, 1])


def by_name(qualities):
    return {quality.name: quality for quality in qualities}


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(600, centers=5, n_features=4, cluster_std=2.5, random_state=0)
    return X.astype(np.float32), y


def test_the_worked_example_comes_out():
    rows, silhouettes = silhouette_sample(POINTS, HALVES)
    np.testing.assert_array_equal(rows, range(6))
    expected = [0.8677922958, 0.8249326194, 0.8249326194, 0.8490741931, 0.83608313, 0.83608313]
    np.testing.assert_allclose(silhouettes, expected, atol=1e-9)
    found = {name: quality.value for name, quality in by_name(internal(POINTS, HALVES)).items()}
    assert found["silhouette"] == pytest.approx(0.8398163313, abs=1e-9)
    assert found["simplified_silhouette"] == pytest.approx(0.9076786229, abs=1e-9)
    assert found["calinski_harabasz"] == pytest.approx(112.5)
    assert found["davies_bouldin"] == pytest.approx(0.1849901182, abs=1e-9)


def test_measures_agree_with_scikit_learn(blobs):
    X, y = blobs
    found = {name: quality.value for name, quality in by_name(internal(X, y)).items()}
    assert found["silhouette"] == pytest.approx(sk.silhouette_score(X.astype(float), y), rel=1e-6)
    assert found["calinski_harabasz"] == pytest.approx(sk.calinski_harabasz_score(X, y), rel=1e-5)
    assert found["davies_bouldin"] == pytest.approx(sk.davies_bouldin_score(X, y), rel=1e-5)


def test_a_sampled_silhouette_lies_within_three_standard_errors_of_the_exact_one(blobs):
    X, y = blobs
    exact = silhouette_sample(X, y)[1].mean()
    rows, sampled = silhouette_sample(X, y, size=200, seed=4)
    assert len(rows) == pytest.approx(200, abs=5)
    assert abs(sampled.mean() - exact) < 3 * sampled.std(ddof=1) / np.sqrt(len(rows))


def test_a_sample_keeps_the_shares_and_the_smallest_cluster():
    labels = np.repeat([0, 1, 2, -1], [9_000, 990, 10, 500])
    rows = stratified_rows(labels, 100, 0)
    assert np.unique(labels[rows], return_counts=True)[1].tolist() == [90, 10, 2]
    assert len(np.unique(rows)) == len(rows)
    np.testing.assert_array_equal(rows, stratified_rows(labels, 100, 0))


def test_large_collections_say_how_sure_the_silhouette_is():
    X, y = make_blobs(10_500, centers=3, n_features=2, random_state=0)
    quality = by_name(internal(X, y, seed=7))["silhouette"]
    assert quality.n_used == pytest.approx(10_000, abs=3)
    assert quality.seed == 7
    assert 0 < quality.standard_error < 0.01


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10), st.integers(2, 4))
def test_order_names_place_and_scale_do_not_matter(seed, scale, n_clusters):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(40, 3)), np.arange(40) % n_clusters
    order, names = rng.permutation(40), rng.permutation(n_clusters)
    moved = (X * scale + 5)[order]
    for measure in (calinski_harabasz, davies_bouldin):
        assert measure(moved, names[y][order]) == pytest.approx(measure(X, y), rel=1e-6)
    simple = simplified_silhouette(X, y)
    np.testing.assert_allclose(simplified_silhouette(moved, names[y][order]), simple[order], atol=1e-6)
    assert (np.abs(simple) <= 1).all()


def test_noise_is_left_out_and_counted():
    X = np.concatenate([POINTS, [[100.0, 100.0]]])
    found = by_name(internal(X, [*HALVES, -1]))
    assert found["silhouette"].value == pytest.approx(0.8398163313, abs=1e-9)
    assert found["silhouette"].n_used == 6
    assert found["noise_share"].value == pytest.approx(1 / 7)
    assert simplified_silhouette(X, [*HALVES, -1])[6] == 0


@pytest.mark.parametrize("labels", [[0] * 6, [-1] * 6, [0, 1, 2, 3, 4, 5], [0, -1, -1, -1, -1, -1]])
def test_what_cannot_be_measured_is_left_empty_with_a_reason(labels):
    found = by_name(internal(POINTS, labels))
    for name in ("silhouette", "simplified_silhouette", "calinski_harabasz", "davies_bouldin"):
        assert found[name].value is None
        assert "at least two clusters" in found[name].note
    assert all(quality.value is None or np.isfinite(quality.value) for quality in found.values())
    with pytest.raises(StudioError, match="takes two"):
        simplified_silhouette(POINTS, [0] * 6)


def test_points_on_one_spot_give_no_nan():
    for X in (np.zeros((6, 2)), np.repeat([[0.0, 0.0], [1.0, 1.0]], 3, axis=0)):
        for quality in internal(X, HALVES):
            assert quality.value is None or np.isfinite(quality.value)
            assert quality.value is not None or quality.note


def test_a_collapse_and_empty_clusters_are_noticed():
    labels = np.array([0] * 99 + [1])
    X = np.random.default_rng(0).normal(size=(100, 2))
    found = by_name(internal(X, labels, n_clusters=4))
    assert found["largest_cluster"].value == 0.99
    assert "collapsed" in found["largest_cluster"].note
    assert found["empty_clusters"].value == 2
    even = by_name(internal(X, np.arange(100) % 4))
    assert even["cluster_entropy"].value == pytest.approx(1)
    assert even["largest_cluster"].note == ""


def test_a_latent_space_comes_with_its_warning():
    assert "by construction" in by_name(internal(POINTS, HALVES, "latent"))["silhouette"].note
    assert "by construction" not in by_name(internal(POINTS, HALVES, "features"))["silhouette"].note
    assert by_name(internal(POINTS, HALVES))["davies_bouldin"].arrow == "▼"


def test_labels_of_another_length_are_refused():
    with pytest.raises(StudioError, match=r"\(6, 2\) and the labels \(5,\)"):
        internal(POINTS, HALVES[:5])
