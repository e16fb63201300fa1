"""What travels to the map arrives as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from clustering.errors import StudioError
from clustering.ui.latent_map.blob import (
    FILTERED,
    MISSING,
    SELECTED,
    layer_sections,
    pack,
    point_sections,
    unpack,
)
from clustering.ui.latent_map.legend import RAMP_STEPS, Legend, ramp_codes

FINITE = st.floats(-1e6, 1e6, width=32)


@given(
    st.integers(0, 60).flatmap(
        lambda n: st.tuples(
            hnp.arrays(np.float32, (n, 2), elements=FINITE),
            hnp.arrays(np.int64, n, elements=st.integers(-1, 70)),
            hnp.arrays(np.float32, n, elements=st.floats(0, 1, width=32)),
            hnp.arrays(np.bool_, n),
        )
    ),
    st.text(max_size=20),
)
def test_a_blob_is_read_back_as_it_was_packed(arrays: tuple[np.ndarray, ...], word: str) -> None:
    positions, codes, confidence, visible = arrays
    selected = np.flatnonzero(~visible)
    sections = {**point_sections(positions), **layer_sections(codes, confidence, visible, selected)}
    options, found = unpack(pack(sections, {"title": word}))
    assert options == {"title": word}
    np.testing.assert_array_equal(found["xy"].reshape(-1, 2), positions)
    np.testing.assert_array_equal(found["codes"].astype(np.int64), np.where(codes < 0, MISSING, codes))
    np.testing.assert_allclose(found["confidence"] / 255, confidence, atol=0.5 / 255 + 1e-6)
    np.testing.assert_array_equal((found["flags"] & FILTERED) == 0, visible)
    np.testing.assert_array_equal(np.flatnonzero(found["flags"] & SELECTED), selected)


def test_every_array_begins_at_a_multiple_of_eight() -> None:
    blob = pack({"codes": np.zeros(3, np.uint16), "confidence": np.arange(3, dtype=np.uint8)}, {"a": "é" * 3})
    length = int.from_bytes(blob[4:8], "little")
    assert (8 + length) % 8 == 0
    assert len(blob) == 8 + length + 8 + 8


def test_seventy_thousand_points_take_eleven_bytes_each() -> None:
    n = 70_000
    sections = {
        **point_sections(np.zeros((n, 2))),
        **layer_sections(np.zeros(n, int), np.zeros(n)),
    }
    assert len(pack(sections)) == pytest.approx(11 * n, rel=0.01)


def test_an_aspect_keeps_its_proportion_within_two_percent() -> None:
    aspects = np.array([0.25, 0.5, 0.8, 1.0, 1.33, 2.0, 4.0])
    sent = point_sections(np.zeros((7, 2)), aspects)["aspect"]
    np.testing.assert_allclose(2 ** ((sent.astype(float) - 128) / 32), aspects, rtol=0.02)


def test_an_unknown_aspect_is_a_square() -> None:
    assert point_sections(np.zeros((1, 2)), [np.nan])["aspect"][0] == 128


@pytest.mark.parametrize("positions", [np.zeros((3, 3)), np.zeros(6)])
def test_positions_of_another_shape_are_refused(positions: np.ndarray) -> None:
    with pytest.raises(StudioError, match="two coordinates an item"):
        point_sections(positions)


def test_positions_that_are_no_numbers_are_counted_and_refused() -> None:
    with pytest.raises(StudioError, match="2 of 4 map positions"):
        point_sections([[0, 0], [np.nan, 1], [1, np.inf], [2, 2]])


def test_more_groups_than_two_bytes_hold_are_refused() -> None:
    with pytest.raises(StudioError, match="65,535"):
        layer_sections([0, 65_535])


def test_other_bytes_are_no_map() -> None:
    with pytest.raises(StudioError, match="not a latent map"):
        unpack(b"PNG and so on")


def test_a_ramp_runs_from_the_smallest_to_the_largest_value() -> None:
    codes, low, high = ramp_codes([1600, np.nan, 1700, 1650, np.inf])
    assert (low, high) == (1600, 1700)
    assert codes.tolist() == [0, -1, RAMP_STEPS - 1, 128, -1]


def test_a_ramp_of_one_value_or_none_is_no_trouble() -> None:
    assert ramp_codes([5, 5])[0].tolist() == [0, 0]
    assert ramp_codes([np.nan])[0].tolist() == [-1]


def test_above_eight_groups_the_map_carries_numbers() -> None:
    names = [f"Group {at}" for at in range(9)]
    assert not Legend("Group", ["#000000"] * 8, names[:8]).options()["numbers"]
    assert Legend("Group", ["#000000"] * 9, names).options()["numbers"]
    assert Legend("Confidence", ["#000000"] * 256).options()["kind"] == "ramp"
