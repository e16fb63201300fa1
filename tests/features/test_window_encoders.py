"""Windows of series become features as they say they do, and so do windows that come later."""

from __future__ import annotations

import numpy as np
import pytest
from feature_standin import StandIn
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.errors import StudioError
from clustering.features import default_encoder, encode
from clustering.features.window_statistics import NAMES, WindowStatistics, statistics
from clustering.features.windows import Windows
from clustering.methods import methods

X = np.random.default_rng(0).normal([5, -3], [2, 0.1], (30, 24, 2)).astype(np.float32)


def series(array) -> StandIn:
    array = np.asarray(array, dtype=np.float32)
    return StandIn("series", len(array), content=array)


def test_the_default_is_the_statistics_except_for_a_method_that_reads_step_by_step():
    assert default_encoder("series") == "window-statistics"
    for method in methods().values():
        if "series" in method.info.kinds:
            wanted = "windows" if "channels" in method.info.layout else "window-statistics"
            assert default_encoder("series", layout=method.info.layout) == wanted


def test_encoders_announce_what_they_tell_of_how_the_numbers_lie():
    for encoder in (Windows, WindowStatistics):
        assert set(encoder().layout(series(X))) == set(encoder.info.layout)


def test_windows_as_measured_keep_every_value_step_after_step_with_each_channel_standardised():
    features = encode(series(X), "windows")
    expected = (X - X.mean(axis=(0, 1), dtype=float)) / X.std(axis=(0, 1), dtype=float)
    np.testing.assert_allclose(np.asarray(features).reshape(X.shape), expected, atol=1e-4)
    assert features.layout == {"channels": 2}


@pytest.mark.parametrize("scaling", ["standardised", "min-max", "each window", "as they are"])
def test_windows_that_come_later_are_scaled_as_those_of_the_collection(scaling):
    encoder = Windows(scaling=scaling)
    whole = encoder.encode(series(X))
    later = encoder.prepared(series(X), whole.shape[1])(series(X[7:11]))
    np.testing.assert_allclose(later, whole[7:11], atol=1e-6)


def test_min_max_lies_between_0_and_1_and_each_window_forgets_level_and_strength():
    whole = Windows(scaling="min-max").encode(series(X))
    assert (whole.min(), whole.max()) == (0, 1)
    one = Windows(scaling="each window").encode(series(X))
    other = Windows(scaling="each window").encode(series(X * [3, 7] + [100, -2]))
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_a_constant_channel_becomes_0():
    array = X.copy()
    array[:, :, 1] = 0.1
    for scaling in ("standardised", "min-max", "each window"):
        assert not Windows(scaling=scaling).encode(series(array)).reshape(X.shape)[:, :, 1].any()
    assert np.isfinite(WindowStatistics().encode(series(array))).all()


def test_statistics_of_a_sine_name_its_pace():
    steps = np.arange(80)
    sine = np.sin(2 * np.pi * steps / 8 + 0.1)  # ten periods of eight steps: a quarter of the highest pace
    told = dict(zip(NAMES, statistics(sine[None, :, None].astype(np.float32))[0], strict=True))
    assert told["mean"] == pytest.approx(0, abs=1e-6)
    assert told["deviation"] == pytest.approx(0.5**0.5, rel=1e-5)
    assert told["loudest frequency"] == pytest.approx(1 / 4)
    assert told["spectral entropy"] == pytest.approx(0, abs=1e-4)
    assert told["crossings of the mean"] == pytest.approx(19 / 79)
    assert told["energy in band 2"] == pytest.approx(1, abs=1e-5)


def test_correlations_of_channels_are_told():
    both = np.stack([X[:, :, 0], -X[:, :, 0], X[:, :, 1]], axis=2)
    pairs = statistics(both)[:, -3:]
    np.testing.assert_allclose(pairs[:, 0], -1, atol=1e-6)
    np.testing.assert_allclose(
        pairs[3, 1], np.corrcoef(X[3, :, 0], X[3, :, 1])[0, 1], atol=1e-6
    )  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20), st.integers(1, 15), st.integers(1, 13), st.integers(0, 2**20))
def test_no_window_s_statistics_depend_on_the_others(n, steps, channels, seed):
    windows = np.random.default_rng(seed).normal(size=(n, steps, channels)).astype(np.float32)
    whole = statistics(windows)
    assert whole.shape == (n, 14 * channels + min(66, channels * (channels - 1) // 2))
    assert np.isfinite(whole).all()
    np.testing.assert_allclose(statistics(windows[n // 2 : n // 2 + 1])[0], whole[n // 2], atol=1e-12)


def test_standardised_statistics_of_later_windows_are_those_of_the_collection():
    encoder = WindowStatistics()
    whole = encoder.encode(series(X))
    np.testing.assert_allclose(whole.std(axis=0), 1, atol=1e-5)
    np.testing.assert_allclose(
        encoder.prepared(series(X), whole.shape[1])(series(X[3:9])), whole[3:9], atol=1e-5
    )
    assert encoder.layout(series(X)) == {}


def test_windows_of_another_length_and_other_kinds_are_refused_in_words():
    with pytest.raises(StudioError, match="now gives 48 features"):
        Windows().prepared(series(X), 50)
    with pytest.raises(StudioError, match="reads series"):
        Windows().encode(StandIn("vectors", 3, content=np.ones((3, 4), np.float32)))
