"""From a drawn line to items: the quick test of a polygon against a slow one, and how selections combine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.ui.latent_map.selection import Gesture, inside_polygon, selected_items

COORDINATE = st.floats(-50, 50, width=32)
POINTS = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=60)
CORNERS = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=12)


def slowly(x: float, y: float, corners: list[tuple[float, float]]) -> bool:
    """Count how often a ray to the right crosses the line: the textbook's rule, one point at a time."""
    crossings = 0
    for (xi, yi), (xj, yj) in zip(corners, [corners[-1], *corners[:-1]], strict=True):
        if (yi > y) != (yj > y) and x < (xj - xi) * (y - yi) / (yj - yi) + xi:
            crossings += 1
    return crossings % 2 == 1


@settings(max_examples=200)
@given(POINTS, CORNERS)
def test_the_items_inside_are_those_a_plain_loop_finds(
    points: list[tuple[float, float]], corners: list[tuple[float, float]]
) -> None:
    positions = np.array(points, dtype=np.float32)
    expected = [slowly(float(x), float(y), corners) for x, y in positions]
    assert inside_polygon(positions, corners).tolist() == expected


@given(POINTS, CORNERS, st.integers(0, 11))
def test_it_does_not_matter_where_the_line_begins(
    points: list[tuple[float, float]], corners: list[tuple[float, float]], start: int
) -> None:
    turned = np.roll(np.array(corners), start, axis=0)
    np.testing.assert_array_equal(inside_polygon(points, corners), inside_polygon(points, turned))


def test_a_line_that_crosses_itself_leaves_out_what_is_enclosed_twice() -> None:
    star = [(0, 3), (1.8, -2.4), (-2.9, 0.9), (2.9, 0.9), (-1.8, -2.4)]
    assert inside_polygon([(0, 0), (0, 2), (9, 9)], star).tolist() == [False, True, False]


@pytest.mark.parametrize("polygon", [[], [(0, 0)], [(0, 0), (1, 1)]])
def test_less_than_a_triangle_holds_nothing(polygon: list[tuple[float, float]]) -> None:
    assert not inside_polygon([(0.5, 0.5)], polygon).any()


def test_no_items_are_no_trouble() -> None:
    assert inside_polygon(np.empty((0, 2)), [(0, 0), (1, 0), (1, 1)]).shape == (0,)


SQUARE = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=float)
LINE = np.array([(float(x), 0.0) for x in (-0.5, 0.0, 0.5, 2.0, 3.0)])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("replace", [0, 1, 2]), ("add", [0, 1, 2, 4]), ("subtract", [4]), ("clear", [])],
)
def test_a_gesture_replaces_adds_takes_away_or_clears(mode: str, expected: list[int]) -> None:
    gesture = Gesture("t", mode, SQUARE)  # type: ignore[arg-type]
    assert selected_items(gesture, [1, 4], LINE).tolist() == expected


def test_greyed_groups_and_filtered_items_are_not_selected() -> None:
    gesture = Gesture("t", "replace", SQUARE, frozenset({7}))
    found = selected_items(gesture, [], LINE, codes=[7, 3, -1, 7, 3], visible=[True, True, False, True, True])
    assert found.tolist() == [1]


@given(POINTS, CORNERS, st.sets(st.integers(0, 59)))
def test_adding_then_taking_away_the_same_leaves_nothing_of_it(
    points: list[tuple[float, float]], corners: list[tuple[float, float]], before: set[int]
) -> None:
    start = np.array(sorted(i for i in before if i < len(points)), dtype=np.int64)
    polygon = np.array(corners, dtype=np.float64)
    added = selected_items(Gesture("a", "add", polygon), start, points)
    left = selected_items(Gesture("b", "subtract", polygon), added, points)
    inside = np.flatnonzero(inside_polygon(points, polygon))
    assert set(left) == set(start) - set(inside)


def test_what_the_browser_sent_is_read() -> None:
    gesture = Gesture.read({"token": "x1", "mode": "add", "polygon": [0, 0, 1, 0, 1, 1], "hidden": [2]})
    assert gesture is not None
    assert gesture.polygon.shape == (3, 2)
    assert gesture.hidden == {2}


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "lasso",
        {},
        {"mode": "explode", "polygon": []},
        {"mode": "add", "polygon": [1, 2, 3]},
        {"mode": "add", "polygon": [[1, 2], [3, 4]]},
        {"mode": "add", "polygon": ["a", "b"]},
        {"mode": "add", "polygon": [0, 0, float("nan"), 0]},
        {"mode": "add", "polygon": [], "hidden": "abc"},
        {"mode": "add", "polygon": [], "hidden": [{}]},
    ],
)
def test_anything_else_is_no_gesture(sent: object) -> None:
    assert Gesture.read(sent) is None


def test_a_line_of_a_million_corners_is_cut() -> None:
    gesture = Gesture.read({"mode": "replace", "polygon": [0.0] * 200_000})
    assert gesture is not None
    assert len(gesture.polygon) <= 512
