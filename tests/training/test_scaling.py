"""Scaling: what each choice promises, and that nothing happens unasked."""

from __future__ import annotations

import numpy as np
import pytest

from clustering.training import scaling as module
from clustering.training.scaling import column_moments, is_identity, scaling


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


def scaled(name: str, features: np.ndarray) -> np.ndarray:
    shift, factor = scaling(name, *column_moments(features))
    return (features - shift) * factor


def test_none_changes_nothing_and_the_others_do(features):
    moments = column_moments(features)
    assert is_identity(*scaling("none", *moments))
    assert not is_identity(*scaling("unit", *moments))
    assert not is_identity(*scaling("standardize", *moments))


def test_unit_divides_everything_by_one_number(features):
    result = scaled("unit", features)
    assert np.square(result).mean() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(result / features, (result / features)[0, 0], rtol=1e-5)


def test_standardize_gives_mean_zero_and_spread_one_and_leaves_constants_at_zero(features):
    result = scaled("standardize", features)
    np.testing.assert_allclose(result.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(result.std(0), [1, 1, 1, 0], atol=1e-4)


@pytest.mark.parametrize("name", ["none", "unit", "standardize"])
def test_all_zeros_stay_zeros(name):
    assert not scaled(name, np.zeros((4, 2), np.float32)).any()
