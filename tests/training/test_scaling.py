"""Scaling: what each choice promises, and that nothing happens unasked."""

from __future__ import annotations

import numpy as np
import pytest

from clustering.training import scaling as module
from clustering.training.scaling import column_moments, scaled, scaling


@pytest.fixture
def features() -> np.ndarray:
    rng = np.random.default_rng(0)
    X = rng.normal(3, [1, 10, 0.1], (200, 3)).astype(np.float32)
    return np.concatenate([X, np.full((200, 1), 5, np.float32)], axis=1)


def test_moments_are_numpys_whatever_the_chunk(features, monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 7)
    mean, variance = column_moments(features)
    np.testing.assert_allclose(mean, features.mean(0, dtype=np.float64), rtol=1e-9)
    np.testing.assert_allclose(variance, features.var(0, dtype=np.float64), rtol=1e-5, atol=1e-12)


def test_none_hands_back_the_very_same_array(features):
    assert scaled(features, *scaling("none", *column_moments(features))) is features


def test_unit_divides_everything_by_one_number(features):
    result = scaled(features, *scaling("unit", *column_moments(features)))
    assert np.square(result).mean() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(result / features, (result / features)[0, 0], rtol=1e-5)


def test_standardize_gives_mean_zero_and_spread_one_and_leaves_constants_at_zero(features):
    result = scaled(features, *scaling("standardize", *column_moments(features)))
    np.testing.assert_allclose(result.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(result.std(0), [1, 1, 1, 0], atol=1e-4)


def test_all_zeros_stay_zeros():
    zeros = np.zeros((4, 2), np.float32)
    for name in ("none", "unit", "standardize"):
        assert not scaled(zeros, *scaling(name, *column_moments(zeros))).any()
