"""Principal axes agree with slow, plain computations."""

from __future__ import annotations

import numpy as np
import pytest

from clustering.projections import axes as axes_module
from clustering.projections.axes import Axes
from clustering.projections.pca import PCA


@pytest.fixture
def rows():
    random_state = np.random.default_rng(0)
    return (random_state.normal(size=(90, 7)) * np.arange(7, 0, -1)).astype(np.float32)


def test_axes_are_those_of_the_singular_value_decomposition(rows):
    axes = Axes.fitted(rows, 3, 0)
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(axes.directions @ directions[:3].T), np.eye(3), atol=1e-6)
    np.testing.assert_allclose(axes.shares, values[:3] ** 2 / (values**2).sum(), rtol=1e-6)


def test_pca_shows_how_much_of_the_variance_it_shows(rows):
    model = PCA().fit(rows)
    np.testing.assert_allclose(
        model.explained_variance_ratio_.sum() * rows.var(axis=0).sum(),
        model.embedding_.var(axis=0).sum(),
        rtol=1e-4,
    )


def test_axes_that_do_not_exist_are_zero():
    axes = Axes.fitted(np.array([[1.0, 2.0], [3.0, 2.0]], dtype=np.float32), 3, 0)
    places = axes(np.array([[1.0, 2.0], [3.0, 2.0]], dtype=np.float32))
    np.testing.assert_allclose(np.abs(places), [[1, 0, 0], [1, 0, 0]], atol=1e-6)


def test_of_large_data_a_sample_gives_nearly_the_same_axes(monkeypatch):
    rows = (np.random.default_rng(0).normal(size=(600, 7)) * 2.0 ** -np.arange(7)).astype(np.float32)
    whole = Axes.fitted(rows, 2, 0)
    monkeypatch.setattr(axes_module, "LARGEST", 300 * 7)
    sampled = Axes.fitted(rows, 2, 0)
    assert abs(sampled.directions[0] @ whole.directions[0]) > 0.9
    np.testing.assert_array_equal(sampled.directions, Axes.fitted(rows, 2, 0).directions)
