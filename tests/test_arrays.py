"""Twins are found wherever they stand, and the first of them stands for all."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from clustering.arrays import distinct_rows


@given(
    arrays(
        np.float32, array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.sampled_from([-1, 0, 1.5])
    )
)
def test_distinct_rows_rebuild_the_array_and_come_in_order(X):
    first, twin_of = distinct_rows(X)
    np.testing.assert_array_equal(X[first][twin_of], X)
    np.testing.assert_array_equal(first, np.sort(first))
    assert len(first) == len(np.unique(X, axis=0))
    for place, row in enumerate(first):
        assert np.flatnonzero((X[row] == X).all(axis=1))[0] == row
        assert twin_of[row] == place


def test_a_negative_zero_is_a_zero():
    first, twin_of = distinct_rows(np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0]]))
    assert first.tolist() == [0, 2]
    assert twin_of.tolist() == [0, 0, 1]


def test_columns_stored_the_other_way_round_are_read_the_same():
    X = np.asfortranarray(np.arange(12.0).reshape(4, 3) % 6)
    assert distinct_rows(X)[0].tolist() == [0, 1]
