"""How sure a method is: worked oracles and what must hold for any soft assignment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.errors import StudioError
from clustering.metrics import confidence
from clustering.metrics.confidence import margin, max_confidence, normalised_entropy, top_two, typicality

SURE, TORN = (0.9, 0.05, 0.05), (0.4, 0.35, 0.25)


def test_the_worked_example_comes_out():
    np.testing.assert_allclose(normalised_entropy([SURE, TORN]), [0.3589962496, 0.9835386312], atol=1e-9)
    np.testing.assert_allclose(margin([SURE, TORN]), [0.85, 0.05])
    np.testing.assert_allclose(max_confidence([SURE, TORN]), [0.9, 0.4])
    found = {quality.name: quality.value for quality in confidence([SURE, TORN])}
    assert found["mean_confidence"] == pytest.approx(0.65)
    assert found["mean_margin"] == pytest.approx(0.45)
    assert found["border_share"] == 0.5


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 8), st.integers(0, 2**32 - 1), st.floats(0.05, 20))
def test_measures_stay_within_bounds_whatever_the_order_of_clusters(K, seed, sharpness):
    rng = np.random.default_rng(seed)
    q = rng.dirichlet(np.full(K, 1 / sharpness), size=30)
    q /= q.sum(axis=1, keepdims=True)
    order = rng.permutation(K)
    for measure in (max_confidence, margin, normalised_entropy):
        values = measure(q)
        assert ((values >= 0) & (values <= 1)).all()
        np.testing.assert_allclose(measure(q[:, order]), values, atol=1e-9)
    pairs = top_two(q)
    np.testing.assert_array_equal(pairs[:, 0], q.argmax(axis=1))


def test_certain_and_uniform_rows_are_the_ends_of_the_scale():
    np.testing.assert_allclose(normalised_entropy(np.eye(4)), 0)
    np.testing.assert_allclose(normalised_entropy(np.full((2, 4), 0.25)), 1)
    assert "flat" in confidence(np.full((2, 4), 0.25))[0].note
    single = {quality.name: quality.value for quality in confidence(np.ones((3, 1)))}
    assert single == {"mean_confidence": 1, "mean_margin": 1, "mean_entropy": 0, "border_share": 0}


def test_border_pairs_name_the_two_clusters_an_item_lies_between():
    np.testing.assert_array_equal(top_two([SURE, TORN, (0.1, 0.4, 0.5)]), [[0, 1], [0, 1], [2, 1]])
    np.testing.assert_array_equal(top_two(np.ones((2, 1))), [[0, 0], [0, 0]])


def test_typicality_is_the_share_of_the_cluster_that_lies_farther_out():
    Z = np.array([[0.0], [1], [2], [3], [10], [11], [50]])
    labels = np.array([0, 0, 0, 0, 1, 1, -1])
    scores = typicality(Z, labels, [[0.0], [10.5]])
    np.testing.assert_allclose(scores, [1, 2 / 3, 1 / 3, 0, 0.5, 0.5, 0])
    np.testing.assert_allclose(typicality(Z[:1], [0], [[0.0]]), 1)


def test_rows_that_do_not_sum_to_one_are_named():
    with pytest.raises(StudioError, match=r"row 2 sums to 0\.9"):
        confidence([SURE, (0.4, 0.3, 0.2)])
    with pytest.raises(StudioError, match="row 1 sums to nan"):
        confidence([(np.nan, 1)])
    with pytest.raises(StudioError, match="shape"):
        confidence([0.5, 0.5])
