"""The live map: main directions as an eigensolver finds them, and frames that do not jump."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.ui import live
from clustering.ui.generated import GAP, SIDE, in_a_row


def latents(n=200, m=6, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, m)) * np.arange(m, 0, -1)).astype(np.float32)


def test_made_pixels_stand_side_by_side_in_their_own_greys_and_colours():
    grey = np.array([[0, 0.5, 1, 2] * 4, [0.2] * 16], dtype=np.float32)  # 4 × 4 pixels
    drawn = in_a_row(grey, colour=False)
    times = round(SIDE / 4)
    assert drawn.shape == (4 * times, 2 * 4 * times + GAP, 4)
    assert drawn[0, : 4 * times : times, 0].tolist() == [0, 128, 255, 255]
    assert (drawn[:, 4 * times : 4 * times + GAP, 3] == 0).all()  # the page shows through
    colours = np.zeros((1, 48), dtype=np.float32)
    colours[0, 1::3] = 1
    assert (in_a_row(colours, colour=True)[0, 0] == [0, 255, 0, 255]).all()


def test_positions_are_the_two_strongest_directions():
    from sklearn.decomposition import PCA

    points = latents()
    found, expected = live.positions(points), PCA(2).fit_transform(points)
    expected /= np.sqrt((expected**2).sum(axis=1).mean())
    for axis in range(2):
        assert abs(np.corrcoef(found[:, axis], expected[:, axis])[0, 1]) == pytest.approx(1, abs=1e-5)
    assert np.sqrt((found**2).sum(axis=1).mean()) == pytest.approx(1, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.floats(-np.pi, np.pi), st.booleans())
def test_a_turned_or_mirrored_frame_falls_back_onto_the_one_before(angle, mirrored):
    before = live.positions(latents())
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    after = before @ turn * ([-1, 1] if mirrored else [1, 1])
    assert np.allclose(live.aligned(after.astype(np.float32), before), before, atol=1e-4)


def test_turning_keeps_distances():
    before, after = live.positions(latents(seed=1)), live.positions(latents(seed=2))
    turned = live.aligned(after, before)
    assert np.allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(after, axis=1), atol=1e-4)


@pytest.mark.parametrize("points", [np.zeros((5, 3)), np.ones((4, 1)), np.full((3, 2), np.nan)])
def test_collapsed_or_broken_latents_still_give_finite_positions(points):
    found = live.positions(points.astype(np.float32))
    assert found.shape == (len(points), 2)
    assert np.isfinite(found).all()


def test_without_a_frame_before_nothing_is_turned():
    points = live.positions(latents())
    assert live.aligned(points, None) is points
    assert live.aligned(points, points[:10]) is points


def test_how_far_a_method_is_is_told_by_the_newest_epoch():
    rows = [
        {"kind": "epoch", "told": ["9 → 5 + 4"]},
        {"kind": "epoch", "told": ["9 → 5 + 4; 5 → 3 + 2"]},
        {"kind": "snapshot"},
    ]
    assert live.told(rows) == ["9 → 5 + 4; 5 → 3 + 2"]
    assert live.told([{"kind": "epoch"}]) == live.told([]) == []


def test_the_view_holds_every_point_and_moves_in_steps():
    points = live.positions(latents())
    left, _, right, _ = live.bounds(points)
    assert left == -right <= points.min()
    assert right >= points.max()
    assert live.bounds(points * 1.001) == (left, left, right, right)
    assert live.bounds(np.empty((0, 2), np.float32))[2] > 0
