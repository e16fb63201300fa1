"""SEC and LDMGI: their matrices against plain loops, their solver, and items beyond the sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import eigh, subspace_angles
from scipy.sparse.csgraph import connected_components
from sklearn.datasets import load_digits, make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from clustering.methods.cutting import linked, neighbourhoods
from clustering.methods.kmeans import KMeans
from clustering.methods.ldmgi import LDMGI, integrated, local_models
from clustering.methods.nystrom import last_eigenvectors, last_of_pieces
from clustering.methods.sec import RidgeFit, SpectralEmbedded

both = pytest.mark.parametrize("method", [SpectralEmbedded, LDMGI])


@pytest.fixture(scope="module")
def items() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    X, y = make_blobs(600, centers=4, n_features=6, cluster_std=1.0, random_state=1)
    return X.astype(np.float32), y


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def test_what_the_ridge_misses_is_the_loss_at_its_best_weights_and_constant(items):
    F = np.random.default_rng(1).normal(size=(60, 3))
    X = items.astype(np.float64)
    unit = np.square(X - X.mean(axis=0)).sum() / 4
    fit = RidgeFit(items, ridge=0.5)
    W = fit.weights(F)
    b = F.mean(axis=0) - X.mean(axis=0) @ W

    def loss(W, b):
        return np.square(X @ W + b - F).sum() + 0.5 * unit * np.square(W).sum()

    assert np.einsum("nm,nm->", F, fit.missed(F)) == pytest.approx(loss(W, b))
    rng = np.random.default_rng(2)
    for _ in range(20):
        assert loss(W + 0.01 * rng.normal(size=W.shape), b + 0.01 * rng.normal(size=3)) > loss(W, b)


def test_sec_finds_the_last_eigenvectors_of_graph_and_ridge_together(items):
    model = SpectralEmbedded(3, linearity=0.7, ridge=2.0).fit(items)
    graph = linked(items, 10).toarray()
    root = np.sqrt(graph.sum(axis=1))
    X = items - items.mean(axis=0, dtype=np.float64)
    H = np.eye(60) - 1 / 60
    unit = np.trace(X.T @ X) / 4
    L_g = H - X @ np.linalg.inv(X.T @ X + 2.0 * unit * np.eye(4)) @ X.T
    _, expected = eigh(np.eye(60) - graph / np.outer(root, root) + 0.7 * L_g, subset_by_index=(0, 2))
    assert np.rad2deg(subspace_angles(model.embedding_, expected)).max() < 0.01


def test_the_models_of_cliques_are_those_of_a_plain_loop(items):
    cliques = neighbourhoods(items, 5)
    assert cliques[:, 0].tolist() == list(range(60))
    whole = integrated(cliques, local_models(items[cliques], 0.3), 60).toarray()
    expected = np.zeros((60, 60))
    H = np.eye(5) - 1 / 5
    for clique in cliques:
        X = items[clique].T.astype(np.float64)  # (d, k)
        model = H @ np.linalg.inv(H @ X.T @ X @ H + 0.3 * np.eye(5)) @ H
        for a, one in enumerate(clique):
            for b, other in enumerate(clique):
                expected[one, other] += model[a, b]
    np.testing.assert_allclose(whole, expected, atol=1e-9)
    np.testing.assert_allclose(whole.sum(axis=1), 0, atol=1e-9)
    assert np.linalg.eigvalsh(whole).min() > -1e-9


def test_the_solver_for_many_items_agrees_with_the_dense_one():
    rng = np.random.default_rng(0)
    Q, _ = np.linalg.qr(rng.normal(size=(500, 500)))
    values = np.sort(rng.uniform(0, 3, size=500))
    matrix = Q @ np.diag(values) @ Q.T
    found, vectors = last_eigenvectors(lambda v: matrix @ v, 500, 4, 3.0, seed=1)
    np.testing.assert_allclose(found, values[:4], atol=1e-9)
    assert np.rad2deg(subspace_angles(vectors, Q[:, :4])).max() < 0.01


def test_the_solver_finds_every_copy_of_an_eigenvalue_one_for_each_piece_of_a_graph(blobs):
    X, _ = blobs
    cliques = neighbourhoods(X, 5)
    whole = integrated(cliques, local_models(X[cliques], 1.0), len(X))
    assert connected_components(whole)[0] == 4
    found, vectors = last_of_pieces(whole, 5, seed=0)
    expected, _ = eigh(whole.toarray(), subset_by_index=(0, 4))
    np.testing.assert_allclose(found, expected, atol=1e-9)
    np.testing.assert_allclose(whole @ vectors, vectors * found, atol=1e-7)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(5), atol=1e-9)
    assert last_of_pieces(whole, 2, seed=0)[0].tolist() == [0, 0]


@both
def test_unit_and_place_of_the_features_change_nothing(method, blobs):
    X, _ = blobs
    plain, moved = method(4).fit(X), method(4).fit(X * 32 + 64)
    assert adjusted_rand_score(plain.labels_, moved.labels_) > 0.99


@both
def test_items_beyond_the_sample_join_the_groups_they_belong_to(method, blobs):
    X, y = blobs
    model = method(4, sample_size=200).fit(X)
    assert adjusted_rand_score(y, model.labels_) > 0.99
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    alarm = next(row for row in model.history_ if row["kind"] == "epoch")["alarms"][0]
    assert "200 of the 600 different items" in alarm
    assert not next(row for row in method(4).fit(X).history_ if row["kind"] == "epoch")["alarms"]


@both
def test_the_extension_of_an_item_does_not_depend_on_the_others(method, blobs):
    X, _ = blobs
    solved = method(4)._solved(X[:300], method(4).get_params())
    together = solved.extended(X[300:])
    for row in (0, 7, 299):
        np.testing.assert_allclose(solved.extended(X[300 + row : 301 + row])[0], together[row], atol=1e-9)


@both
def test_an_item_next_to_a_fitted_one_is_extended_to_nearly_its_values(method, digits):
    X = digits[0][:500]
    solved = method(10)._solved(X, method(10).get_params())
    near = solved.extended(X[:50] + np.float32(1e-4))
    spread = solved.vectors.std(axis=0)
    assert np.median(np.abs(near - solved.vectors[:50]) / spread) < 0.3


def test_without_the_linear_part_moons_are_told_apart_and_with_much_of_it_they_are_not():
    X, y = make_moons(400, noise=0.05, random_state=0)
    free = SpectralEmbedded(2, linearity=0.0).fit(X)
    bound = SpectralEmbedded(2, linearity=100.0).fit(X)
    assert adjusted_rand_score(y, free.labels_) > 0.95
    assert adjusted_rand_score(y, bound.labels_) < 0.7


def test_ldmgi_follows_bent_sheets():
    X, y = make_moons(400, noise=0.05, random_state=0)
    model = LDMGI(2, n_neighbors=10).fit(X)
    assert adjusted_rand_score(y, model.labels_) > 0.95
    assert model.history_[1]["alarms"] == ()


def test_a_web_in_more_pieces_than_groups_is_told(blobs):
    model = LDMGI(2).fit(blobs[0])
    assert "falls into 4 pieces, more than the 2 groups" in model.history_[1]["alarms"][0]


@both
def test_digits_are_grouped_better_than_by_k_means_as_published_on_mnist(method, digits):
    X, y = digits
    reached = normalized_mutual_info_score(y, method(10).fit(X).labels_)
    assert reached > normalized_mutual_info_score(y, KMeans(10, device="cpu").fit(X).labels_) + 0.03
