"""Maps in one frame: every turn, mirroring, scale and shift is undone, nothing made worse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes

from clustering.errors import StudioError
from clustering.projections.alignment import Similarity, align, mirrored, movement, spread

SEEDS = st.integers(0, 10_000)
ANGLES = st.floats(-np.pi, np.pi)


def cloud(seed: int, n: int = 30) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(n, 2)) * [3, 1] + random.normal(size=2)


def turned(points: np.ndarray, angle: float, mirror: bool, scale: float, shift: float) -> np.ndarray:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return scale * (points * [-1 if mirror else 1, 1]) @ turn + shift


def off(points: np.ndarray, onto: np.ndarray) -> float:
    return float(((np.asarray(points, dtype=np.float64) - onto) ** 2).sum(axis=1).mean())


@settings(max_examples=50, deadline=None)
@given(SEEDS, ANGLES, st.booleans(), st.floats(0.05, 20), st.floats(-50, 50))
def test_alignment_does_not_depend_on_how_a_map_lies(seed, angle, mirror, scale, shift):
    points, onto = cloud(seed), cloud(seed + 1)
    lies = turned(points, angle, mirror, scale, shift)
    np.testing.assert_allclose(align(lies, onto), align(points, onto), atol=1e-3)
    np.testing.assert_allclose(align(lies, points), points, atol=1e-3)


@settings(max_examples=50, deadline=None)
@given(SEEDS, SEEDS, st.floats(0.01, 100))
def test_alignment_never_takes_items_further_apart(seed, other, scale):
    points, onto = scale * cloud(seed), cloud(other)
    assert off(align(points, onto), onto) <= off(points, onto) * (1 + 1e-5) + 1e-6
    kept = Similarity.fitted(points, onto, scaled=False)(points)
    assert off(kept, onto) <= off(points, onto) * (1 + 1e-5) + 1e-6
    assert off(mirrored(points, onto)(points), onto) <= off(points, onto) * (1 + 1e-5) + 1e-6


def test_alignment_is_that_of_scipy():
    points, onto = cloud(0), cloud(1)
    standard, _, disparity = procrustes(onto, points)
    size = np.linalg.norm(onto - onto.mean(axis=0))
    assert off(align(points, onto), onto) * len(onto) / size**2 == pytest.approx(disparity, rel=1e-5)
    assert np.linalg.norm(standard) == pytest.approx(1)


def test_without_scaling_the_size_stays():
    points, onto = cloud(0), 7 * cloud(1)
    assert spread(Similarity.fitted(points, onto, scaled=False)(points)) == pytest.approx(
        spread(points), 1e-5
    )


def test_mirroring_leaves_the_axes_alone():
    points = cloud(3)
    onto = turned(points * [-1, 1], 0.4, False, 2.0, 5.0)
    flipped = mirrored(points, onto)(points)
    np.testing.assert_allclose(flipped.mean(axis=0), points.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(
        np.abs(flipped - flipped.mean(axis=0)), np.abs(points - points.mean(axis=0)), atol=1e-5
    )
    assert np.corrcoef(flipped[:, 0], points[:, 0])[0, 1] == pytest.approx(-1)


@settings(max_examples=25, deadline=None)
@given(SEEDS, SEEDS)
def test_two_similarities_after_one_another_are_one(seed, other):
    first = Similarity.fitted(cloud(seed), cloud(other))
    second = Similarity.fitted(cloud(other), cloud(seed + 5))
    points = cloud(seed)
    np.testing.assert_allclose(first.then(second)(points), second(first(points)), atol=1e-4)


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), 3.0), cloud(0)[:1]])
def test_a_map_of_one_place_is_only_shifted(points):
    onto = cloud(1)[: len(points)]
    np.testing.assert_allclose(align(points, onto), np.tile(onto.mean(axis=0), (len(points), 1)), atol=1e-5)


def test_maps_of_other_items_are_refused():
    with pytest.raises(StudioError, match=r"shape \(4, 2\) cannot be laid on one of shape \(5, 2\)"):
        align(cloud(0)[:4], cloud(0)[:5])


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.floats(0.1, 50))
def test_movement_has_no_unit(seed, scale):
    points, onto = cloud(seed), cloud(seed + 1)
    assert movement(scale * points, scale * onto) == pytest.approx(movement(points, onto))
    assert movement(onto, onto) == 0.0


def test_items_put_by_chance_move_about_as_far_as_two_items_lie_apart():
    onto = cloud(0, 400)
    shuffled = onto[np.random.default_rng(1).permutation(400)]
    assert movement(shuffled, onto) == pytest.approx(1, abs=0.08)


def test_the_spread_of_a_large_map_is_estimated():
    some = cloud(0, 5_000)
    exact = np.linalg.norm(some[:1500, None] - some[None, 1500:3000], axis=2).mean()
    assert spread(some) == pytest.approx(exact, rel=0.03)
