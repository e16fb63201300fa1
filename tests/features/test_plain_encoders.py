"""Pixels, tables and vectors become numbers as they say they do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from feature_standin import StandIn, noise_pictures
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clustering.errors import Stopped, StudioError
from clustering.features import encode
from clustering.features.pixels import Pixels
from clustering.features.table import Table
from clustering.features.vectors import Vectors


def table(**columns) -> StandIn:
    frame = pd.DataFrame(columns)
    return StandIn("table", len(frame), content=frame)


def vectors(array) -> StandIn:
    array = np.asarray(array, dtype=np.float32)
    return StandIn("vectors", len(array), content=array)


# pixels


def test_small_grey_pictures_keep_every_pixel():
    values = np.random.default_rng(1).integers(0, 256, (7, 8, 8), dtype=np.uint8)
    digits = StandIn("images", 7, pictures=lambda i: Image.fromarray(values[i]).convert("RGB"))
    features = Pixels().encode(digits)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, values.reshape(7, 64) / 255, atol=1e-7)


def test_colour_keeps_three_values_a_pixel_and_size_shrinks():
    pictures = noise_pictures(3, 40, 30)
    assert Pixels(colour="colour").encode(pictures).shape == (3, 40 * 30 * 3)
    assert Pixels(size=5).encode(pictures).shape == (3, 25)


def test_pictures_of_different_sizes_are_squared_to_sixteen():
    mixed = StandIn("images", 2, pictures=lambda i: Image.new("RGB", (20 + i, 20), (255, 255, 255)))
    encoder = Pixels()
    assert encoder.encode(mixed).shape == (2, 256)
    assert "Here they are 16 × 16 pixels." in encoder.describe()


# vectors


def test_standardised_vectors_equal_the_textbook_and_constant_columns_become_zero():
    array = np.random.default_rng(0).normal(5, 3, (50, 4)).astype(np.float32)
    array[:, 2] = 0.1
    encoder = Vectors(scaling="standardised")
    got = encoder.encode(vectors(array))
    wanted = (array - array.mean(0)) / np.where(array.std(0) < 1e-6, 1, array.std(0))
    np.testing.assert_allclose(got[:, [0, 1, 3]], wanted[:, [0, 1, 3]], atol=1e-4)
    np.testing.assert_allclose(got[:, 2], 0, atol=1e-6)
    assert "1 constant column" in encoder.describe()


def test_vectors_of_length_one_keep_their_direction_and_zeros_stay():
    encoder = Vectors(scaling="length one")
    got = encoder.encode(vectors([[3, 4], [0, 0]]))
    np.testing.assert_allclose(got, [[0.6, 0.8], [0, 0]], atol=1e-6)
    assert "1 row of zeros" in encoder.describe()


def test_a_value_that_is_no_number_is_named_by_row_and_column():
    array = np.zeros((9000, 3))
    array[8500, 1] = np.nan
    with pytest.raises(StudioError, match="first: row 8500, column 1"):
        encode(vectors(array))


# tables


def test_numbers_are_standardised_and_categories_become_columns():
    encoder = Table()
    got = encoder.encode(table(height=[1.0, 2.0, 3.0], colour=["red", "blue", "red"]))
    assert encoder.feature_names == ("height", "colour = blue", "colour = red")
    np.testing.assert_allclose(got[:, 0], [-1.224745, 0, 1.224745], atol=1e-5)
    np.testing.assert_array_equal(got[:, 1:], [[0, 1], [1, 0], [0, 1]])


def test_robust_scaling_ignores_an_outlier():
    got = Table(scaling="robust").encode(table(x=[1.0, 2, 3, 4, 5, 1e9]))
    np.testing.assert_allclose(got[:5, 0], (np.arange(1, 6) - 3.5) / 2.5, atol=1e-6)


def test_missing_numbers_take_the_median_and_are_flagged():
    encoder = Table(scaling="none")
    got = encoder.encode(table(x=[1.0, np.nan, 5.0, 9.0]))
    np.testing.assert_array_equal(got, [[1, 0], [5, 1], [5, 0], [9, 0]])
    assert encoder.feature_names == ("x", "x is missing")
    assert "“x”: 1 missing value filled with the median and flagged" in encoder.describe()
    assert Table(scaling="none", flag_missing=False).encode(table(x=[1.0, np.nan, 5.0])).shape == (3, 1)


def test_missing_and_rare_categories_have_columns_of_their_own():
    encoder = Table(max_categories=2)
    got = encoder.encode(table(c=["a", "a", "b", "b", "c", None]))
    assert encoder.feature_names == ("c = a", "c = b", "c = other", "c is missing")
    np.testing.assert_array_equal(got.sum(axis=1), np.ones(6))
    assert "1 rare category in the column “other”" in encoder.describe()


def test_dates_booleans_and_nullable_integers_are_numbers():
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime(["1850-01-01", None, "1850-01-03"]),
            "signed": [True, False, True],
            "count": pd.array([1, None, 3], dtype="Int64"),
            "school": pd.Categorical(["x", "y", "x"]),
        }
    )
    encoder = Table(scaling="none")
    got = encoder.encode(StandIn("table", 3, content=frame))
    assert encoder.feature_names == (
        *("day", "day is missing", "signed", "count", "count is missing"),
        *("school = x", "school = y"),
    )
    np.testing.assert_allclose(got[:, 0], [0, 86400, 172800])
    np.testing.assert_allclose(got[:, 3], [1, 2, 3])


def test_columns_that_tell_nothing_are_left_out_and_named():
    encoder = Table()
    got = encoder.encode(
        table(
            x=[float(i) for i in range(30)],
            same=["a"] * 30,
            title=[f"Untitled {i}" for i in range(30)],
            nothing=[np.nan] * 30,
            infinite=[np.inf] * 30,
        )
    )
    assert got.shape == (30, 1)
    said = encoder.describe()
    assert "Left out because they hold one value only: “same”." in said
    assert "Left out because they hold another text in every row: “title”." in said
    assert "Left out because they hold no value at all: “nothing” and “infinite”." in said


def test_a_table_that_tells_nothing_is_refused_with_the_reason():
    with pytest.raises(
        StudioError, match=r"No column of “Stand-in” tells its rows apart.*one value only: “a”"
    ):
        Table().encode(table(a=[1, 1, 1]))


def test_huge_and_tiny_numbers_keep_their_differences():
    for size in (1e300, 1e-300):
        got = Table().encode(table(x=[0.0, size, 2 * size]))
        np.testing.assert_allclose(got[:, 0], [-1.224745, 0, 1.224745], atol=1e-5)
    with pytest.raises(StudioError, match="Column “x” holds numbers beyond"):
        Table(scaling="none").encode(table(x=[0.0, 1e300]))


def test_duplicate_column_names_are_read_by_place():
    frame = pd.DataFrame([[1.0, 5.0], [2.0, 3.0]], columns=["x", "x"])
    np.testing.assert_array_equal(
        Table(scaling="none").encode(StandIn("table", 2, content=frame)), [[1, 5], [2, 3]]
    )


def test_a_stop_is_heard():
    with pytest.raises(Stopped):
        Table().encode(table(a=[1, 2]), progress=lambda done, total, doing: True)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(-1e30, 1e30)),
            st.one_of(st.none(), st.text(max_size=3)),
            st.booleans(),
        ),
        min_size=3,
        max_size=20,
    ),
    st.sampled_from(["standardise", "robust", "none"]),
)
def test_whatever_a_table_holds_the_features_are_finite_or_a_sentence_says_why(rows, scaling):
    frame = pd.DataFrame(rows, columns=["number", "text", "flag"])
    frame["number"] = frame["number"].astype(float)
    try:
        got = Table(scaling=scaling).encode(StandIn("table", len(frame), content=frame))
    except StudioError as error:
        assert error.mend
    else:
        assert got.dtype == np.float32 and np.isfinite(got).all() and len(got) == len(frame)
