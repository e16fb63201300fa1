"""A history of merges read as a tree: branches, their items, and cuts like SciPy's."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cut_tree, fcluster, linkage, to_tree
from sklearn.metrics import adjusted_rand_score

from clustering.errors import StudioError
from clustering.merge_tree import MergeTree, with_leaves

KINDS = ("ward", "single", "complete", "average")


def tree_of(seed: int, n: int, kind: str) -> tuple[MergeTree, np.ndarray]:
    """Return a tree of ``n`` random points and SciPy's record of it."""
    merged = linkage(np.random.default_rng(seed).normal(size=(n, 3)), kind)
    return MergeTree(merged[:, :2].astype(np.int64), merged[:, 2], np.arange(n)), merged


trees = st.builds(tree_of, st.integers(0, 10_000), st.integers(2, 30), st.sampled_from(KINDS))


@settings(max_examples=40, deadline=None)
@given(trees, st.data())
def test_a_cut_is_that_of_scipy_and_numbers_groups_by_their_first_leaf(made, data):
    tree, merged = made
    k = data.draw(st.integers(1, tree.n_leaves))
    labels = tree.cut(k)
    assert adjusted_rand_score(cut_tree(merged, k).ravel(), labels) == 1
    assert adjusted_rand_score(fcluster(merged, k, "maxclust"), labels) == 1
    _, first = np.unique(labels, return_index=True)
    assert len(first) == k
    assert list(first) == sorted(first)


@settings(max_examples=30, deadline=None)
@given(trees)
def test_every_branch_holds_what_scipy_says_and_its_halves_share_it(made):
    tree, merged = made
    for node in to_tree(merged, rd=True)[1]:
        assert tree.members(node.id).tolist() == sorted(node.pre_order())
        assert tree.size(node.id) == node.count
        assert tree.height(node.id) == pytest.approx(node.dist)
        halves = tree.halves(node.id)
        if node.is_leaf():
            assert halves is None
            continue
        larger, smaller = halves
        assert {larger, smaller} == {node.left.id, node.right.id}
        assert tree.size(larger) >= tree.size(smaller)
        assert np.array_equal(np.union1d(tree.members(larger), tree.members(smaller)), tree.members(node.id))


@settings(max_examples=30, deadline=None)
@given(trees, st.data())
def test_a_finer_cut_lies_within_a_coarser_one_and_is_made_of_whole_branches(made, data):
    tree, _ = made
    coarse = data.draw(st.integers(1, tree.n_leaves))
    fine = data.draw(st.integers(coarse, tree.n_leaves))
    assert len(np.unique(np.stack([tree.cut(coarse), tree.cut(fine)]), axis=1).T) == fine
    members = [set(tree.members(node).tolist()) for node in tree.branches(fine)]
    labels = tree.cut(fine)
    assert sorted(map(sorted, members)) == sorted(np.flatnonzero(labels == j).tolist() for j in range(fine))


@settings(max_examples=30, deadline=None)
@given(trees, st.data())
def test_a_path_leads_from_the_root_through_halves(made, data):
    tree, _ = made
    node = data.draw(st.integers(0, tree.root))
    path = tree.path(node)
    assert (path[0], path[-1]) == (tree.root, node)
    assert all(below in tree.halves(above) for above, below in pairwise(path))


@settings(max_examples=30, deadline=None)
@given(trees, st.data())
def test_the_parts_of_a_branch_are_those_of_a_tree_of_it_alone(made, data):
    tree, _ = made
    node, most = data.draw(st.integers(0, tree.root)), data.draw(st.integers(1, 40))
    members = tree.members(node)
    kept = np.isin(np.arange(tree.n_leaves), members)
    alone = MergeTree(*with_leaves(tree.children, tree.heights, kept), np.arange(len(members)))
    expected = alone.branches(min(most, len(members)))
    found = {tuple(tree.members(part)) for part in tree.parts(node, most)}
    assert found == {tuple(members[alone.members(part)]) for part in expected}


def test_a_leaf_may_hold_several_items_and_one_may_hold_none():
    tree = MergeTree(np.array([[0, 1], [2, 3]]), np.array([1.0, 2.0]), np.array([2, 0, 2, 2, 0]))
    assert tree.cut(2).tolist() == [1, 0, 1, 1, 0]
    assert tree.members(2).tolist() == [0, 2, 3]
    assert [tree.size(node) for node in range(5)] == [2, 0, 3, 2, 5]
    assert tree.halves(tree.root) == (2, 3)


@settings(max_examples=30, deadline=None)
@given(trees, st.data())
def test_leaves_that_hold_items_by_degrees_lose_no_mass_in_any_cut(made, data):
    whole, _ = made
    rng, n = np.random.default_rng(data.draw(st.integers(0, 99))), whole.n_leaves
    memberships = rng.dirichlet(np.full(n, 0.4), size=7).astype(np.float32)
    tree = MergeTree(whole.children, whole.heights, memberships.argmax(axis=1), memberships)
    k = data.draw(st.integers(1, n))
    held, groups = tree.held(k), tree.cut_leaves(k)
    for j in range(k):
        np.testing.assert_allclose(held[:, j], memberships[:, groups == j].sum(axis=1), atol=1e-6)
    np.testing.assert_array_equal(tree.cut(k), held.argmax(axis=1))
    for node in range(n, tree.root + 1):
        halves = tree.halves(node)
        assert tree.mass(node) == pytest.approx(sum(map(tree.mass, halves)), rel=1e-5)
    assert tree.mass(tree.root) == pytest.approx(7, rel=1e-5)
    np.testing.assert_array_equal(tree.cut(n), tree.leaf_of)


@settings(max_examples=20, deadline=None)
@given(trees, st.data())
def test_leaves_that_hold_whole_items_are_the_case_of_degrees_that_are_one(made, data):
    tree, _ = made
    k = data.draw(st.integers(1, tree.n_leaves))
    crisp = MergeTree(tree.children, tree.heights, tree.leaf_of, np.eye(tree.n_leaves, dtype=np.float32))
    np.testing.assert_array_equal(tree.held(k), crisp.held(k))
    np.testing.assert_array_equal(tree.cut(k), crisp.cut(k))
    for node in range(tree.root + 1):
        assert tree.mass(node) == crisp.mass(node) == tree.size(node)


def test_one_item_is_a_tree():
    tree = MergeTree(np.empty((0, 2), dtype=np.int64), np.empty(0), np.zeros(4, dtype=np.int64))
    assert tree.cut(1).tolist() == [0, 0, 0, 0]
    assert tree.path(0) == [0]
    assert tree.halves(0) is None


@settings(max_examples=30, deadline=None)
@given(trees, st.data())
def test_branches_lose_the_leaves_that_are_left_out_and_nothing_else(made, data):
    tree, _ = made
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=tree.n_leaves, max_size=tree.n_leaves)))
    kept[0] = True
    left = MergeTree(*with_leaves(tree.children, tree.heights, kept), np.arange(kept.sum()))
    places = np.cumsum(kept) - 1
    expected = {
        tuple(places[[item for item in tree.members(node) if kept[item]]]) for node in range(tree.root + 1)
    } - {()}
    assert {tuple(left.members(node)) for node in range(left.root + 1)} == expected


@pytest.mark.parametrize(
    "children", [[[0, 1], [0, 2]], [[0, 4], [1, 2]], [[0, 1], [2, 2]], [[0, 1, 2], [3, 4, 5]]]
)
def test_merges_that_make_no_tree_are_refused(children):
    with pytest.raises(StudioError, match="make no tree"):
        MergeTree(np.array(children), np.zeros(2), np.arange(3))


@pytest.mark.parametrize("n_clusters", [0, 4])
def test_a_cut_into_more_groups_than_leaves_is_refused(n_clusters):
    tree = MergeTree(np.array([[0, 1], [2, 3]]), np.array([1.0, 2.0]), np.arange(3))
    with pytest.raises(StudioError, match="with 3 leaves cannot be cut"):
        tree.cut(n_clusters)
