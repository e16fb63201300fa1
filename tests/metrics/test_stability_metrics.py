"""Would another seed tell the same story: worked oracles, plain loops, and what must hold for any runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.errors import StudioError
from clustering.metrics import stability
from clustering.metrics.external import ari
from clustering.metrics.stability import (
    agreement,
    consensus,
    jaccard_recovery,
    map_distance,
    map_overlap,
    medoid,
    pairwise_ari,
)

RUNS = [[0, 0, 1, 1, 2, 2], [1, 1, 0, 0, 2, 2], [0, 0, 1, 1, 1, 2]]


def test_the_worked_example_comes_out():
    between = pairwise_ari(RUNS)
    np.testing.assert_allclose(between[np.triu_indices(3, 1)], [1, 4 / 9, 4 / 9], atol=1e-4)
    np.testing.assert_allclose(consensus(RUNS), [1, 1, 0.8222, 0.8222, 0.4667, 0.8222], atol=5e-5)
    found = {quality.name: quality for quality in stability(RUNS)}
    assert found["mean_ari"].value == pytest.approx(17 / 27, abs=1e-4)
    assert "3 pairs" in found["mean_ari"].note


def test_recovery_is_the_best_jaccard_of_each_cluster():
    np.testing.assert_allclose(jaccard_recovery(RUNS[0], [RUNS[1]]), 1)
    np.testing.assert_allclose(jaccard_recovery(RUNS[0], RUNS[1:]), [1, (1 + 2 / 3) / 2, (1 + 1 / 2) / 2])
    np.testing.assert_allclose(jaccard_recovery([0, 0, -1], [[-1, -1, -1]]), [0])


def test_agreement_matches_names_first():
    np.testing.assert_allclose(agreement(RUNS), [1, 1, 1, 1, 0.5, 1])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_consensus_is_that_of_a_plain_loop_and_ignores_names(seed, S):
    rng = np.random.default_rng(seed)
    runs = rng.integers(-1, 3, size=(S, 12))
    plain = np.empty(12)
    for i in range(12):
        shares = [np.mean([r[i] == r[j] != -1 for r in runs]) for j in range(12) if j != i]
        plain[i] = 1 - 4 * np.mean([share * (1 - share) for share in shares])
    np.testing.assert_allclose(consensus(runs), plain, atol=1e-6)
    names = np.array([2, 0, 1, -1])
    np.testing.assert_allclose(consensus(names[runs]), plain, atol=1e-6)
    assert ((plain >= -1e-12) & (plain <= 1)).all()
    assert all(quality.value is None or np.isfinite(quality.value) for quality in stability(runs))


def test_a_sample_of_partners_estimates_the_same_consensus():
    runs = np.random.default_rng(0).integers(0, 3, size=(4, 3_000))
    np.testing.assert_allclose(
        consensus(runs, partners=1_500).mean(), consensus(runs, 3_000).mean(), atol=5e-3
    )


def test_equal_maps_overlap_wholly_and_unrelated_ones_hardly():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 300, 2))
    turned = one @ np.array([[0, -1], [1, 0]]) * 3 + 1
    assert map_distance(one, turned) == pytest.approx(0, abs=1e-12)
    assert map_distance(one, other) > 0.9
    np.testing.assert_allclose(map_overlap(one, turned), 1)
    assert map_overlap(one, other).mean() == pytest.approx(15 / 299, abs=0.03)


def test_runs_that_cannot_be_compared_are_refused():
    with pytest.raises(StudioError, match="two or more runs"):
        stability([[0, 1]])
    with pytest.raises(StudioError, match="2 runs of 2, 3 items"):
        stability([[0, 1], [0, 1, 1]])
    with pytest.raises(StudioError, match="fewer neighbours than items"):
        map_overlap(np.zeros((3, 2)), np.zeros((3, 2)), 3)


def test_the_medoid_is_the_run_with_the_highest_mean_ari_and_of_equals_the_first():
    runs = np.random.default_rng(1).integers(0, 3, (4, 60))
    runs[2] = np.where(np.arange(60) < 40, runs[0], runs[1])  # between two of the others
    expected = np.mean([[ari(one, other) for other in runs] for one in runs], axis=1).argmax()
    assert medoid(runs) == expected == 2
    assert medoid([runs[0], runs[1]]) == medoid([runs[0]]) == 0
