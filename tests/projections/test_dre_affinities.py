"""DRE's affinities agree with worked numbers, with slow bisection, and with umap-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from clustering.errors import Stopped
from clustering.progress import silent
from clustering.projections import dre_graph
from clustering.projections.dre_affinities import (
    batch_distances,
    conditional_affinities,
    fuzzy_union,
    joint_affinities,
    memberships,
    nearest,
    precisions,
)
from clustering.projections.dre_graph import Edges, nearest_of_all, principal, union_weights
from clustering.projections.dre_kernels import heavy_kernel, umap_kernel
from clustering.projections.dre_quality import kept_neighbours

FOUR = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
UPPER = np.triu_indices(4, 1)


@pytest.fixture
def rows():
    return torch.randn(120, 6, generator=torch.Generator().manual_seed(0)) * torch.arange(1.0, 7.0)


def test_the_affinities_of_four_items_are_those_worked_by_hand():
    beta = precisions(nearest(FOUR, 3).squared, 2.0)
    np.testing.assert_allclose(beta, [0.2346262475, 0.2618560839, 0.6781484228, 0.3744606757], rtol=1e-5)
    joint = joint_affinities(FOUR, 2.0)
    expected = [0.172275491, 0.122848562, 0.006075348, 0.073071722, 0.033430060, 0.092298817]
    np.testing.assert_allclose(joint.numpy()[UPPER], expected, atol=1e-6)
    assert joint.sum().item() == pytest.approx(1.0)


def test_the_fuzzy_neighbourhoods_of_four_items_are_those_worked_by_hand():
    c = math.log2(3) - 1
    expected = [1, 1, 0, 2 * c - c**2, c, 1]
    np.testing.assert_allclose(fuzzy_union(FOUR, 3).numpy()[UPPER], expected, atol=1e-5)


def test_the_kernels_are_the_published_ones():
    np.testing.assert_allclose(heavy_kernel(0.001), (4.1348162, 0.6737622), rtol=1e-4)
    np.testing.assert_allclose(umap_kernel(0.001), (1.9290734, 0.7915045), rtol=1e-4)
    np.testing.assert_allclose(umap_kernel(0.1), (1.5769434603, 0.8950608779), rtol=1e-4)
    np.testing.assert_allclose(umap_kernel(0.5), (0.5830300203, 1.3341669924), rtol=1e-4)


def test_precisions_are_those_of_slow_bisection(rows):
    squared = nearest(rows, 90).squared
    for row, beta in zip(squared[:10].double(), precisions(squared, 30.0), strict=False):
        low, high = -40.0, 40.0
        for _ in range(200):
            middle = (low + high) / 2
            p = torch.softmax(-math.exp(middle) * row, dim=0)
            entropy = torch.special.entr(p).sum().item()
            low, high = (middle, high) if entropy > math.log(30) else (low, middle)
        assert beta.item() == pytest.approx(math.exp(low), rel=1e-4)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.floats(-6, 6), st.floats(0.2, 3), st.integers(2, 30))
def test_every_row_gets_its_perplexity_whatever_the_scale(seed, log_scale, shape, perplexity):
    random = torch.Generator().manual_seed(seed)
    squared = math.exp(log_scale) * torch.rand(20, 3 * perplexity, generator=random).pow(2 * shape)
    entropy = torch.special.entr(conditional_affinities(squared, perplexity)).sum(dim=1)
    np.testing.assert_allclose(entropy, math.log(perplexity), atol=1e-3)
    sums = memberships(squared).sum(dim=1)
    target = math.log2(3 * perplexity + 1)
    assert (sums > target - 1e-3).all()  # more where UMAP's narrowest width is still too wide
    if shape < 1:
        np.testing.assert_allclose(sums, target, rtol=1e-3)


def test_equally_near_neighbours_are_kept_alike():
    squared = torch.ones(3, 12)
    np.testing.assert_allclose(conditional_affinities(squared, 4.0), 1 / 12)
    np.testing.assert_allclose(memberships(squared), 1.0)
    assert torch.isfinite(memberships(torch.zeros(3, 12))).all()
    some = torch.cat([torch.zeros(3, 9), torch.ones(3, 3)], dim=1)  # nine cannot be made four
    np.testing.assert_allclose(conditional_affinities(some, 4.0)[:, :9], 1 / 9, atol=1e-6)


def test_fuzzy_neighbourhoods_are_those_of_umap_learn(rows):
    from umap.umap_ import fuzzy_simplicial_set

    found = NearestNeighbors(n_neighbors=15).fit(rows.numpy())  # its own search compiles for half a minute
    distances, indices = found.kneighbors(rows.numpy())
    known = {"knn_indices": indices, "knn_dists": distances.astype(np.float32)}
    graph, _, _ = fuzzy_simplicial_set(rows.numpy(), 15, np.random.RandomState(0), "euclidean", **known)
    np.testing.assert_allclose(fuzzy_union(rows, 15), graph.toarray(), atol=2e-4)


def test_distances_by_matrix_product_are_the_true_ones(rows):
    far = rows + 100
    np.testing.assert_allclose(batch_distances(far), torch.cdist(rows, rows).square(), atol=1e-2, rtol=1e-4)


def test_neighbours_of_the_whole_set_are_those_of_the_full_matrix(rows, monkeypatch):
    monkeypatch.setitem(dre_graph.CELLS_AT_ONCE, "cpu", 120 * 50)
    found = nearest_of_all(rows, 10, silent, "finding")
    distances = torch.cdist(rows.double(), rows.double()).fill_diagonal_(torch.inf)
    expected = distances.argsort(dim=1)[:, :10]
    assert torch.equal(found.indices.sort(dim=1).values, expected.sort(dim=1).values)
    with pytest.raises(Stopped):
        nearest_of_all(rows, 10, lambda done, total, doing: done > 0, "finding")


def test_wide_rows_keep_their_distances_along_the_principal_directions():
    flat = torch.randn(80, 20, generator=torch.Generator().manual_seed(0))
    turned = torch.linalg.qr(torch.randn(70, 20, generator=torch.Generator().manual_seed(1))).Q
    wide = flat @ turned.T + 5
    found = principal(lambda: iter(wide.split(30)))
    assert found.shape == (80, 50)
    np.testing.assert_allclose(torch.cdist(found, found), torch.cdist(flat, flat), atol=1e-2)
    assert torch.equal(principal(lambda: iter(flat.split(30))), flat)


def test_edges_are_drawn_in_proportion_to_umaps_union(rows, monkeypatch):
    monkeypatch.setitem(dre_graph.CELLS_AT_ONCE, "cpu", 14 * 14 * 7)  # in blocks of seven rows
    near = nearest(rows[:40], 14)
    weights = union_weights(near.indices, memberships(near.squared))
    both_ways = torch.zeros(40, 40).scatter_(1, near.indices, weights)
    np.testing.assert_allclose(both_ways + both_ways.T, fuzzy_union(rows[:40], 15), atol=1e-5)
    heads, tails = Edges(near.indices, weights).drawn(200_000, torch.Generator().manual_seed(0))
    counts = torch.zeros(40, 40).index_put_((heads, tails), torch.tensor(1.0), accumulate=True)
    expected = both_ways / both_ways.sum()
    np.testing.assert_allclose(counts / counts.sum(), expected, atol=4 * (expected.max() / 200_000) ** 0.5)


def test_the_quick_measures_are_those_of_scikit_learn(rows):
    from sklearn.manifold import trustworthiness

    places = rows[:, :2] + 0.5 * torch.randn(120, 2, generator=torch.Generator().manual_seed(1))
    kept = kept_neighbours(rows, places, rows, places, included=True)
    assert kept.trustworthiness == pytest.approx(trustworthiness(rows, places, n_neighbors=15))
    assert kept.continuity == pytest.approx(trustworthiness(places, rows, n_neighbors=15))
    high, low = (torch.cdist(x, x)[~torch.eye(120, dtype=torch.bool)] for x in (rows, places))
    assert kept.correlation == pytest.approx(np.corrcoef(high, low)[0, 1], abs=1e-6)
    near = [torch.cdist(x, x).fill_diagonal_(9e9).argsort(dim=1)[:, :15] for x in (rows, places)]
    shared = [len(set(a.tolist()) & set(b.tolist())) / 15 for a, b in zip(*near, strict=True)]
    assert kept.recall == pytest.approx(np.mean(shared))


def test_a_perfect_map_of_new_items_keeps_everything(rows):
    kept = kept_neighbours(rows[:20], rows[:20], rows[20:], rows[20:], included=False)
    assert kept == pytest.approx((1.0, 1.0, 1.0, 1.0))
