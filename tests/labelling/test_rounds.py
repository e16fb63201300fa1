"""The rounds of selective labelling against figures worked out in one dimension."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clustering.labelling.rounds import PAPER, densities, pick

X = np.array([0, 0.8, 2.6, 3.0, 4.2, 5.2])
CLUSTERS = np.array([0, 0, 0, 1, 1, 1])
APART = np.abs(X[:, None] - X)
NEAREST_TWO = np.sort(APART, axis=1)[:, 1:3]
WEIGHING = replace(PAPER, regulariser=1, momentum=0.5)


def to(rows):
    return np.square(APART[:, rows])


def test_density_is_one_over_the_mean_squared_distance_the_item_itself_included():
    expected = [0.4054054054, 0.7731958763, 1.1029411765, 1.875, 1.2295081967, 0.5136986301]
    np.testing.assert_allclose(densities(NEAREST_TWO), expected, rtol=1e-9)


def test_two_close_neighbours_of_different_groups_repel_each_other():
    scores = {
        1: [0.4054054054, 0.7731958763, 1.1029411765, 1.875, 1.2295081967, 0.5136986301],
        2: [0.2387337387, 0.5459181490, -0.1470638235, 0.6249950000, 0.9170031967, 0.3213859378],
        3: [0.2030169530, 0.5124931891, 0.1654336765, 1.0227197727, 0.9261918732, 0.3039009203],
    }
    picks = {1: [2, 3], 2: [1, 4], 3: [1, 3]}
    for rounds, expected in scores.items():
        found, last = pick(densities(NEAREST_TWO), CLUSTERS, to, replace(WEIGHING, rounds=rounds))
        np.testing.assert_allclose(last, expected, rtol=1e-9, atol=1e-10)
        assert found.tolist() == picks[rounds]


def test_a_horizon_shuts_out_what_is_further():
    near, far = (
        pick(densities(NEAREST_TWO), CLUSTERS, to, replace(WEIGHING, rounds=2, horizon=horizon))[1]
        for horizon in (1, None)
    )
    assert near[0] == pytest.approx(densities(NEAREST_TWO)[0], abs=1e-4), "3.0 is beyond the horizon of 0"
    assert far[0] < near[0]


def test_a_frozen_item_closes_its_group_and_still_repels():
    frozen = np.array([3])
    found, _ = pick(densities(NEAREST_TWO), CLUSTERS, to, WEIGHING, frozen=frozen)
    assert found.tolist() == [1], "2.6 is denser but lies beside 3.0"
    free, _ = pick(densities(NEAREST_TWO), CLUSTERS, to, replace(WEIGHING, regulariser=0), frozen=frozen)
    assert free.tolist() == [2]


def test_what_is_refused_is_not_picked_and_a_group_all_refused_gives_nothing():
    refused = np.array([1, 3, 4, 5])
    found, _ = pick(densities(NEAREST_TWO), CLUSTERS, to, WEIGHING, refused=refused)
    assert found.tolist() == [2]


def test_both_terms_are_on_one_scale_whatever_the_scale_of_the_features():
    whole = replace(WEIGHING, standardised=True, nearest=1e-12, horizon=None)
    found, scores = pick(densities(NEAREST_TWO), CLUSTERS, to, whole)
    for scale in (0.01, 100):
        again, same = pick(
            densities(NEAREST_TWO * scale), CLUSTERS, lambda rows, by=scale: to(rows) * by**2,
            replace(whole, nearest=1e-20),
        )  # fmt: skip
        assert again.tolist() == found.tolist()
        np.testing.assert_allclose(same, scores, atol=2e-3)  # what does not count is 1e10 on any scale
