"""Maps lie down in a wide frame: turned, never mirrored or stretched, and never where axes mean something."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.projections.turning import angle_of, as_drawn


def standing(n: int = 500, seed: int = 0) -> np.ndarray:
    """A cloud five times as high as wide."""
    return (np.random.default_rng(seed).normal(size=(n, 2)) * [1.0, 5.0] + [3.0, -2.0]).astype(np.float32)


@pytest.mark.parametrize("projection", ["umap", "tsne", "dre", "one that comes later"])
def test_a_standing_map_lies_down(projection: str) -> None:
    points = standing()
    drawn = as_drawn(points, projection)
    width, height = np.ptp(drawn, axis=0)
    assert width > 2 * height
    assert drawn.dtype == np.float32
    assert drawn.shape == points.shape


def test_principal_axes_stay_as_they_are() -> None:
    points = standing()
    np.testing.assert_array_equal(as_drawn(points, "pca"), points)


@given(st.integers(0, 10_000), st.floats(0.1, 8.0))
def test_turning_keeps_distances_and_handedness(seed: int, stretch: float) -> None:
    generator = np.random.default_rng(seed)
    points = (generator.normal(size=(40, 2)) * [1.0, stretch]).astype(np.float32)
    drawn = as_drawn(points, "umap").astype(np.float64)
    before = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(drawn[:, None] - drawn[None], axis=2), before, atol=1e-4)
    (a, b), (c, d) = points[1] - points[0], points[2] - points[0]
    (e, f), (g, h) = drawn[1] - drawn[0], drawn[2] - drawn[0]
    assert e * h - f * g == pytest.approx(a * d - b * c, abs=1e-3)


def test_a_tilted_cloud_lies_horizontally() -> None:
    tilt = np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])
    drawn = as_drawn((standing()[:, ::-1] @ tilt.T).astype(np.float32), "tsne")
    assert angle_of(drawn - drawn.mean(axis=0, dtype=np.float64)) == pytest.approx(0.0, abs=1e-3)


def test_a_map_that_gains_nothing_is_not_turned() -> None:
    lying = standing()[:, ::-1].copy()
    np.testing.assert_array_equal(as_drawn(lying, "umap"), lying)
    circle = np.linspace(0, 2 * np.pi, 400)
    ring = np.stack([np.cos(circle), np.sin(circle)], axis=1).astype(np.float32)
    np.testing.assert_array_equal(as_drawn(ring, "umap"), ring)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_or_equal_points_are_left_alone(n: int) -> None:
    points = np.ones((n, 2), np.float32)
    np.testing.assert_array_equal(as_drawn(points, "umap"), points)
