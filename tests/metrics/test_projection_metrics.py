"""How far a map can be trusted: worked oracles, scikit-learn, plain loops, and what must hold for any map."""

from __future__ import annotations

import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as sk_trustworthiness

from clustering.errors import Stopped, StudioError
from clustering.metrics import neighbourhood, on_device, projection
from clustering.metrics.distance_correlation import distance_correlation, sampled_distance_correlation
from clustering.metrics.distances import CELLS_AT_ONCE, Distances
from clustering.metrics.kept import neighbours_kept
from clustering.metrics.neighbourhood import (
    continuity,
    neighbour_recall,
    neighbourhoods,
    trustworthiness,
)
from clustering.metrics.shape import (
    centroid_order,
    map_label_accuracy,
    shepard_pearson,
    shepard_spearman,
    triplet_accuracy,
)

LINE = np.array([[0], [1], [2.2], [3.5], [5]])
FOLDED = np.array([[0], [1], [5], [2.4], [3.9]])


def by_name(qualities):
    return {quality.name: quality for quality in qualities}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    X = X[:800].astype(np.float32) + np.random.default_rng(0).normal(0, 1e-3, (800, 64)).astype(np.float32)
    return X, PCA(2, random_state=0).fit_transform(X).astype(np.float32), y[:800]


def test_the_worked_example_comes_out_for_one_neighbour():
    assert trustworthiness(LINE, FOLDED, 1) == pytest.approx(0.6)
    assert continuity(LINE, FOLDED, 1) == pytest.approx(0.6)
    assert neighbour_recall(LINE, FOLDED, 1) == pytest.approx(0.4)


def test_the_worked_example_comes_out_item_by_item_for_two_neighbours():
    found = neighbourhoods(LINE, FOLDED, (2,))[0]
    np.testing.assert_allclose(found.trustworthiness, [2 / 3, 2 / 3, 1 / 3, 2 / 3, 1], atol=1e-12)
    np.testing.assert_allclose(found.continuity, [1 / 3, 1 / 3, 2 / 3, 1 / 3, 1], atol=1e-12)
    np.testing.assert_allclose(found.recall, [0.5, 0.5, 0.5, 0.5, 1])
    assert found.trustworthiness.mean() == pytest.approx(0.6666666667, abs=1e-9)
    assert found.continuity.mean() == pytest.approx(0.5333333333, abs=1e-9)


def test_the_worked_example_of_distances_comes_out():
    assert shepard_spearman(LINE, FOLDED) == pytest.approx(0.1878787879, abs=1e-9)
    assert shepard_pearson(LINE, FOLDED) == pytest.approx(0.2427159076, abs=1e-9)
    assert distance_correlation(LINE, FOLDED) == pytest.approx(0.8235263520, abs=1e-9)


@pytest.mark.parametrize("k", [1, 5, 15, 50])
def test_trustworthiness_and_continuity_are_those_of_scikit_learn(digits, k):
    X, Y, _ = digits
    wide, flat = X.astype(float), Y.astype(float)
    assert trustworthiness(X, Y, k) == pytest.approx(sk_trustworthiness(wide, flat, n_neighbors=k), abs=1e-9)
    assert continuity(X, Y, k) == pytest.approx(sk_trustworthiness(flat, wide, n_neighbors=k), abs=1e-9)


@pytest.mark.parametrize("step", [1, 3])
def test_scores_from_the_device_are_those_of_the_plain_ranks(digits, step, monkeypatch):
    X, Y, _ = digits
    X, Y = np.round(X[:300, ::step]), np.round(Y[:300])  # many equal distances
    X = X + np.arange(300)[:, None] * 1e-9  # and no twins
    plain = neighbourhoods(X, Y, (5, 15), anchors=200)
    monkeypatch.setattr(neighbourhood, "_device", lambda n: "cpu")
    monkeypatch.setattr(on_device, "BYTES_AT_ONCE_CPU", 8 * 300 * 64)
    for found, known in zip(neighbourhoods(X, Y, (5, 15), anchors=200), plain, strict=True):
        np.testing.assert_array_equal(found.rows, known.rows)
        for name in ("trustworthiness", "continuity", "recall"):
            # a matrix product rounds equal distances of the space apart, those of the map are exact
            np.testing.assert_allclose(getattr(found, name), getattr(known, name), atol=0.02)
            np.testing.assert_allclose(getattr(found, name).mean(), getattr(known, name).mean(), atol=1e-3)


def test_scores_from_the_device_are_exact_where_distances_differ(digits, monkeypatch):
    X, Y, _ = digits
    plain = neighbourhoods(X, Y, (1, 15, 50))
    monkeypatch.setattr(neighbourhood, "_device", lambda n: "cpu")
    for found, known in zip(neighbourhoods(X, Y, (1, 15, 50)), plain, strict=True):
        for name in ("trustworthiness", "continuity", "recall"):
            np.testing.assert_allclose(getattr(found, name), getattr(known, name), atol=1e-12)


def test_where_there_is_a_device_every_item_is_measured(monkeypatch):
    X = np.random.default_rng(0).normal(size=(3_200, 3))
    monkeypatch.setattr(neighbourhood, "_device", lambda n: "cpu")
    found = neighbourhoods(X, X[:, :2], (5,))[0]
    assert not found.sampled and np.isfinite(found.of_items(found.recall)).all()


def test_the_share_of_neighbours_kept_is_known_for_every_item(digits):
    X, Y, _ = digits
    X, Y = np.concatenate([X, X[:40]]), np.concatenate([Y, Y[:40]])
    found = neighbourhoods(X, Y, (15,), anchors=len(X))[0]
    np.testing.assert_allclose(neighbours_kept(X, Y, 15), found.of_items(found.recall), atol=1e-6)
    with pytest.raises(StudioError, match="smaller k"):
        neighbours_kept(X[:20], Y[:20], 15)


def test_neighbours_that_were_searched_before_are_not_searched_again_and_tell_the_same(digits, monkeypatch):
    X, Y, _ = digits
    whole = projection(X, Y, k=5, seed=3)
    near = neighbourhoods(X, Y, (5,), 3)[0]
    monkeypatch.setattr(sys.modules["clustering.metrics.projection"], "neighbourhoods", None)
    assert projection(X, Y, k=5, seed=3, near=near) == whole


def test_several_k_at_once_equal_one_at_a_time(digits):
    X, Y, _ = digits
    together = neighbourhoods(X[:300], Y[:300], (5, 10, 30))
    for found in together:
        alone = neighbourhoods(X[:300], Y[:300], (found.k,))[0]
        np.testing.assert_array_equal(found.trustworthiness, alone.trustworthiness)
        np.testing.assert_array_equal(found.recall, alone.recall)


def test_a_sample_of_anchors_lies_within_three_standard_errors_of_the_exact_value(digits):
    X, Y, _ = digits
    exact = neighbourhoods(X, Y)[0]
    sampled = neighbourhoods(X, Y, anchors=200, seed=1)[0]
    assert sampled.sampled and len(sampled.rows) == 200
    for name in ("trustworthiness", "continuity", "recall"):
        some, every = getattr(sampled, name), getattr(exact, name)
        assert abs(some.mean() - every.mean()) < 3 * some.std(ddof=1) / np.sqrt(200)
        np.testing.assert_array_equal(some, every[sampled.rows])
    spread = sampled.of_items(sampled.recall)
    assert np.isfinite(spread).sum() == 200
    np.testing.assert_allclose(spread[sampled.rows], sampled.recall)


@pytest.fixture(scope="module")
def two_thousand():
    random = np.random.default_rng(0)
    groups = 3 * random.normal(size=(12, 10))
    X = groups[random.integers(0, 12, 2_000)] + random.normal(size=(2_000, 10))
    return X, PCA(2, random_state=0).fit_transform(X)


def test_neighbours_of_a_few_items_among_all_are_an_unbiased_estimate(two_thousand):
    X, Y = two_thousand
    exact = neighbourhoods(X, Y)[0]
    samples = [neighbourhoods(X, Y, anchors=25, seed=seed)[0] for seed in range(60)]
    for name in ("trustworthiness", "continuity", "recall"):
        means = np.array([getattr(sample, name).mean() for sample in samples])
        assert abs(means.mean() - getattr(exact, name).mean()) < 3 * means.std(ddof=1) / np.sqrt(60)


def test_distances_of_a_few_items_to_all_are_an_unbiased_estimate(two_thousand):
    X, Y = two_thousand
    exact = distance_correlation(X, Y, bias_corrected=True)
    samples = np.array([sampled_distance_correlation(X, Y, anchors=100, seed=seed) for seed in range(60)])
    values, errors = samples.T
    assert abs(values.mean() - exact) < 3 * values.std(ddof=1) / np.sqrt(60)
    assert errors.mean() == pytest.approx(values.std(ddof=1), rel=0.3)


def test_distances_of_all_items_to_all_are_the_exact_value_and_sure(two_thousand):
    X, Y = two_thousand
    value, error = sampled_distance_correlation(X[:300], Y[:300], anchors=300)
    assert value == pytest.approx(distance_correlation(X[:300], Y[:300], bias_corrected=True), abs=1e-9)
    assert error == 0
    assert sampled_distance_correlation(X[:300], np.zeros((300, 2))) is None


def test_measuring_many_items_takes_memory_for_a_few_rows_of_distances():
    X = np.random.default_rng(0).normal(size=(100_000, 4)).astype(np.float32)
    tracemalloc.start()
    try:
        neighbourhoods(X, X[:, :2], anchors=60)
        sampled_distance_correlation(X, X[:, :2], anchors=60)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * 8 * CELLS_AT_ONCE < 0.005 * 8 * len(X) ** 2  # a thousandth of all distances


def test_a_large_collection_is_sampled_and_says_how_sure_it_is():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3_500, 3)).astype(np.float32)
    found = by_name(projection(X, X[:, :2], seed=5))
    assert found["trustworthiness"].n_used == 2_000
    assert found["trustworthiness"].seed == 5
    assert 0 < found["trustworthiness"].standard_error < 0.01
    assert found["spearman"].n_used == 1_500
    assert found["distance_correlation"].n_used == 500
    assert 0 < found["distance_correlation"].standard_error < 0.02
    assert "500 items to all 3,500" in found["distance_correlation"].note


def test_the_matrix_product_finds_the_same_distances_as_pair_by_pair(digits):
    X = digits[0]
    slow, quick = Distances(X, 10), Distances(X, 10)
    quick.pairwise = False
    rows = np.arange(0, 800, 80)
    np.testing.assert_allclose(quick.to_all(rows), slow.to_all(rows), rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_order_of_items_does_not_matter_and_roles_swap(seed, k):
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(20, 4)), rng.normal(size=(20, 2))
    found = neighbourhoods(X, Y, (k,))[0]
    order = rng.permutation(20)
    shuffled = neighbourhoods(X[order], Y[order], (k,))[0]
    np.testing.assert_allclose(shuffled.trustworthiness, found.trustworthiness[order], atol=1e-12)
    swapped = neighbourhoods(Y, X, (k,))[0]
    np.testing.assert_allclose(swapped.trustworthiness, found.continuity, atol=1e-12)
    np.testing.assert_allclose(swapped.recall, found.recall, atol=1e-12)
    for scores in (found.trustworthiness, found.continuity, found.recall):
        assert (scores <= 1).all()
    assert found.trustworthiness.mean() >= 0
    assert 0 <= distance_correlation(X, Y) <= 1
    assert distance_correlation(X, Y) == pytest.approx(distance_correlation(Y, X))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 100))
def test_a_turned_and_scaled_copy_is_a_perfect_map(seed, scale):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 2))
    Y = scale * X @ np.array([[0.6, 0.8], [-0.8, 0.6]]) + 3
    for quality in projection(X, Y, k=5, labels=np.arange(60) % 5):
        assert quality.value == pytest.approx(1, abs=1e-9), quality


def test_an_unrelated_map_scores_as_chance():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(1_200, 5)), rng.normal(size=(1_200, 2))
    found = by_name(projection(X, Y, reference=np.arange(1_200) % 2))
    assert found["trustworthiness"].value == pytest.approx(0.5, abs=0.03)
    assert found["neighbour_recall"].value == pytest.approx(15 / 1_199, abs=0.005)
    assert found["triplet_accuracy"].value == pytest.approx(0.5, abs=0.02)
    assert found["spearman"].value == pytest.approx(0, abs=0.05)
    assert found["distance_correlation"].value < 0.1 < distance_correlation(X[:50], Y[:50])
    assert found["map_label_accuracy"].value == pytest.approx(0.5, abs=0.06)
    assert "0.013" in found["neighbour_recall"].note


def test_the_bias_corrected_distance_correlation_is_that_of_a_plain_loop():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(12, 3))
    Y = X[:, :2] + 0.3 * rng.normal(size=(12, 2))

    def centred(P):
        n = len(P)
        a = np.array([[np.linalg.norm(p - q) for q in P] for p in P])
        out = np.zeros((n, n))
        for i in range(n):
            for j in range(n):
                if i != j:
                    rows = a[i].sum() / (n - 2) + a[:, j].sum() / (n - 2)
                    out[i, j] = a[i, j] - rows + a.sum() / ((n - 1) * (n - 2))
        return out

    A, B = centred(X), centred(Y)
    squared = (A * B).sum() / np.sqrt((A * A).sum() * (B * B).sum())
    assert distance_correlation(X, Y, bias_corrected=True) == pytest.approx(np.sqrt(squared), abs=1e-12)


def test_rank_correlation_is_that_of_scipy_with_ties():
    X, Y = np.round(np.random.default_rng(0).normal(size=(2, 30, 2)), 1)
    from scipy.spatial.distance import pdist

    assert shepard_spearman(X, Y) == pytest.approx(spearmanr(pdist(X), pdist(Y))[0], abs=1e-12)


def test_triplets_count_as_a_plain_loop_counts_them():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    hits = [
        (np.linalg.norm(X[i] - X[j]) < np.linalg.norm(X[i] - X[l]))
        == (np.linalg.norm(Y[i] - Y[j]) < np.linalg.norm(Y[i] - Y[l]))
        for i in range(9)
        for j in range(9)
        for l in range(9)
        if len({i, j, l}) == 3
    ]
    share, error, count = triplet_accuracy(X, Y, seed=1)
    assert abs(share - np.mean(hits)) < 4 * error
    assert count > 40_000


def test_twins_are_counted_once_and_share_their_scores(digits):
    X, Y, _ = digits
    X2, Y2 = np.concatenate([X[:200], X[:60]]), np.concatenate([Y[:200], Y[:60]])
    alone, doubled = neighbourhoods(X[:200], Y[:200])[0], neighbourhoods(X2, Y2)[0]
    np.testing.assert_allclose(doubled.trustworthiness, alone.trustworthiness, atol=1e-12)
    items = doubled.of_items(doubled.trustworthiness)
    assert items.shape == (260,)
    np.testing.assert_array_equal(items[200:], items[:60])
    assert "60 items equal to another one" in by_name(projection(X2, Y2))["continuity"].note


def test_equal_distances_are_ordered_by_index_so_scores_repeat():
    grid = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), axis=-1).reshape(-1, 2)
    assert trustworthiness(grid, grid, 4) == 1
    assert neighbour_recall(grid, grid * 2, 4) == 1


def test_neighbourhoods_of_half_the_collection_are_hidden_with_a_reason():
    found = by_name(projection(LINE, FOLDED, k=15))
    for name in ("trustworthiness", "continuity", "neighbour_recall"):
        assert found[name].value is None
        assert "k is 15, but with 5 different items" in found[name].note
    assert found["spearman"].value == pytest.approx(0.1878787879, abs=1e-9)
    with pytest.raises(StudioError, match="between 1 and 2 items"):
        trustworthiness(LINE, FOLDED, 3)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_tiny_and_pointlike_collections_give_reasons_not_nan(n, spread):
    rng = np.random.default_rng(0)
    X, Y = spread * rng.normal(size=(n, 3)), spread * rng.normal(size=(n, 2))
    for quality in projection(X, Y, labels=np.zeros(n, dtype=int), reference=["a"] * n):
        assert (quality.value is None and quality.note) or np.isfinite(quality.value)


def test_far_clusters_that_trade_places_are_noticed():
    middles = np.array([[0, 0], [10, 0], [20, 0], [30, 0], [40, 0.0]])
    labels = np.repeat(np.arange(5), 20)
    noise = np.random.default_rng(0).normal(size=(100, 2))
    X = middles[labels] + noise
    assert centroid_order(X, X, labels) == pytest.approx(1)
    assert centroid_order(X, middles[[4, 1, 0, 3, 2]][labels] + noise, labels) < 0.5
    assert centroid_order(X, X, labels % 3) is None


def test_labels_of_neighbours_in_the_map_are_counted_without_the_item_itself():
    Y = np.array([[0.0], [1], [2], [10], [11], [12]])
    assert map_label_accuracy(Y, list("aaabbb"), k=2) == (1.0, 6)
    assert map_label_accuracy(Y, list("ababab"), k=1)[0] < 0.5


def test_a_stop_is_heard_and_progress_is_told(digits):
    X, Y, _ = digits
    told = []
    projection(X[:100], Y[:100], progress=lambda *step: told.append(step))
    assert told[-1][0] == told[-1][1]
    with pytest.raises(Stopped):
        projection(X[:100], Y[:100], progress=lambda *step: True)


def test_maps_that_do_not_fit_are_refused_in_words():
    with pytest.raises(StudioError, match=r"\(5, 1\) and the map \(4, 1\)"):
        projection(LINE, FOLDED[:4])
    with pytest.raises(StudioError, match="The map holds values that are NaN"):
        projection(LINE, np.where(FOLDED > 4, np.nan, FOLDED))


@pytest.mark.parametrize(
    "theirs",
    [
        "test_trustworthiness",
        "test_trustworthiness_n_neighbors_error",
        "test_preserve_trustworthiness_approximately",
    ],
)
def test_scikit_learns_own_tests_pass_with_our_function_in_its_place(theirs, monkeypatch, pytestconfig):
    def ours(X, X_embedded, *, n_neighbors=5):
        try:
            return trustworthiness(X, X_embedded, n_neighbors)
        except StudioError as refused:  # the same refusal in their words
            raise ValueError(f"n_neighbors ({n_neighbors}) should be less than n / 2") from refused

    pytestconfig.addinivalue_line("markers", "thread_unsafe: a mark of scikit-learn's own tests")
    tests = pytest.importorskip("sklearn.manifold.tests.test_t_sne")
    monkeypatch.setattr(tests, "trustworthiness", ours)
    settings = {"method": "exact", "init": "pca"} if "preserve" in theirs else {}
    getattr(tests, theirs)(**settings)
