"""Filters, colours and groups of the Explore page, worked out by hand on small tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.charts.run_colours import colour_numbers
from clustering.ui.explore_view import (
    BY_TRUST,
    Column,
    Filters,
    colouring,
    columns_of,
    honesty_figures,
    masks_of,
    value_counts,
    visible_items,
)
from clustering.ui.groups import Groups, flattened
from clustering.workspace.records import RunArrays

ITEMS = pd.DataFrame(
    {
        "id": list("abcdef"),
        "path": list("abcdef"),
        "title": ["one", "two", "three", "four", "five", "six"],
        "style": ["Baroque", "Baroque", "Rococo", None, "Rococo", "Baroque"],
        "style_slug": ["baroque", "baroque", "rococo", None, "rococo", "baroque"],
        "year": pd.array([1600, 1650, None, 1700, 1720, 1650], dtype="Int64"),
        "century": [17, 17, 18, 17, 18, 17],
        "weight": np.linspace(0.5, 3, 6),
        "same": ["x"] * 6,
    }
)


def groups_of(labels: list[int], q: list[list[float]], latents: list[list[float]]) -> Groups:
    arrays = RunArrays(
        np.array(labels, dtype=np.int64),
        np.array(q, dtype=np.float32),
        np.array(latents, dtype=np.float32),
        np.array([[0, 0], [10, 0]], dtype=np.float32),
    )
    return Groups(arrays, {1: "Sea"})


GROUPS = groups_of(
    [0, 0, 0, 1, 1, -1],
    [[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7], [0.05, 0.95], [0.5, 0.5]],
    [[0, 0], [3, 0], [0, 0.5], [10, 0], [11, 0], [5, 9]],
)


def test_columns_worth_filtering_are_found() -> None:
    found = {column.name: column for column in columns_of(ITEMS)}
    assert set(found) == {"style", "year", "century", "weight"}  # no title: each is another
    assert "id" not in found
    assert "same" not in found
    assert "style_slug" not in found  # tells apart what "style" tells apart
    assert found["style"].kind == "values"
    assert found["century"].kind == "values"  # few whole numbers are groups
    assert found["weight"] == Column("weight", "numbers", 0.5, 3.0, False)


def test_a_year_with_gaps_is_a_range_of_whole_numbers() -> None:
    items = pd.DataFrame({"year": pd.array([*range(1600, 1620), None], dtype="Int64")})
    assert columns_of(items) == [Column("year", "numbers", 1600.0, 1619.0, True)]


def test_filters_let_through_what_passes_all_of_them() -> None:
    filters = Filters({"style": ["Baroque"]}, {"year": (1600.0, 1650.0)}, (0,), (0.0, 0.95))
    masks = masks_of(ITEMS, filters, GROUPS)
    assert visible_items(masks, 6).tolist() == [True, True, False, False, False, False]
    assert filters.active == 4
    assert visible_items(masks, 6, without="group of the run").tolist() == [
        True, True, False, False, False, True,
    ]  # fmt: skip


def test_no_filter_lets_everything_through() -> None:
    assert Filters().active == 0
    assert visible_items(masks_of(ITEMS, Filters(), GROUPS), 6).all()


def test_items_without_a_number_are_out_of_a_range() -> None:
    masks = masks_of(ITEMS, Filters(ranges={"year": (0.0, 3000.0)}), GROUPS)
    assert masks["year"].tolist() == [True, True, False, True, True, True]


def test_values_are_counted_by_frequency_among_what_passes() -> None:
    passed = np.array([True, False, True, True, True, False])
    assert value_counts(ITEMS["style"], passed) == {"Rococo": 2, "Baroque": 1}
    assert list(value_counts(ITEMS["century"], passed)) == ["17", "18"]


def test_colours_follow_group_confidence_value_or_number() -> None:
    columns = columns_of(ITEMS)
    legend, codes = colouring("Group", ITEMS, columns, GROUPS, "light")
    assert legend.names == ["Group 1", "Sea"]
    assert codes.tolist() == [0, 0, 0, 1, 1, -1]
    legend, codes = colouring("Confidence", ITEMS, columns, GROUPS, "dark")
    assert (legend.kind, legend.low, legend.high) == ("ramp", "50%", "95%")
    assert codes[4] == 255
    assert codes[5] == 0
    legend, codes = colouring("style", ITEMS, columns, GROUPS, "light")
    assert list(legend.names) == ["Baroque", "Rococo"]
    assert codes.tolist() == [0, 0, 1, -1, 1, 0]
    legend, codes = colouring("weight", ITEMS, columns, GROUPS, "light")
    assert (legend.low, legend.high) == ("0.5", "3")
    assert codes[[0, 5]].tolist() == [0, 255]


def test_a_column_that_is_gone_falls_back_to_groups() -> None:
    legend, _ = colouring("no such column", ITEMS, columns_of(ITEMS), GROUPS, "light")
    assert legend.title == "Group"


def test_a_column_with_very_many_values_keeps_the_most_frequent() -> None:
    items = pd.DataFrame({"maker": [f"m{i // 2}" for i in range(300)]})
    legend, codes = colouring("maker", items, columns_of(items), GROUPS, "light")
    assert len(legend.names) == 60
    assert legend.missing == "Other or unknown"
    assert (codes == -1).sum() == 300 - 120


def test_a_group_has_a_medoid_and_looks() -> None:
    # group 0: (0,0), (3,0), (0,.5) with the middle (1, .167); group 1: 10 and 11 with the middle 10.5
    assert GROUPS.medoids[0] == 0
    assert GROUPS.sizes.tolist() == [3, 2]
    assert GROUPS.look(0, "typical").tolist() == [0, 2, 1]
    assert GROUPS.look(0, "borderline").tolist() == [1, 2, 0]
    assert GROUPS.look(0, "odd")[0] == 1
    assert GROUPS.look(1, "typical", most=1).tolist() == [4]
    assert np.isnan(GROUPS.distance[5])
    assert GROUPS.name(1) == "Sea"
    assert GROUPS.name(-1) == "Unassigned"


def test_an_empty_group_has_no_medoid() -> None:
    groups = groups_of([0, 0], [[1, 0], [1, 0]], [[0, 0], [1, 1]])
    assert groups.medoids[1] == -1
    assert groups.look(1, "typical").size == 0


def test_the_middle_of_a_group_is_that_of_a_plain_loop() -> None:
    generator = np.random.default_rng(0)
    latents = generator.normal(size=(200, 4)).astype(np.float32)
    labels = generator.integers(-1, 3, 200)
    q = np.full((200, 3), 1 / 3, np.float32)
    groups = Groups(RunArrays(labels, q, latents, np.zeros((3, 4), np.float32)), {})
    for item in range(0, 200, 17):
        if labels[item] >= 0:
            middle = latents[labels == labels[item]].mean(axis=0)
            assert groups.distance[item] == pytest.approx(np.linalg.norm(latents[item] - middle), rel=1e-4)


def test_colours_repeat_only_when_a_small_palette_is_chosen() -> None:
    q = np.full((4, 12), 1 / 12, np.float32)
    centers = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    groups = Groups(RunArrays(np.arange(4), q, np.zeros((4, 3), np.float32), centers), {})
    assert len(set(groups.colours("light"))) == 12
    assert len(set(groups.colours("light", "okabe-ito"))) == 8
    assert len(groups.colours("dark", "glasbey")) == 12


def test_centres_lie_flat_the_same_way_every_time() -> None:
    centers = np.random.default_rng(1).normal(size=(30, 6))
    first, second = flattened(centers, 30), flattened(centers.copy(), 30)
    assert first is not None
    np.testing.assert_array_equal(first, second)
    assert flattened(centers, 29) is None
    assert flattened(np.full((3, 2), np.nan), 3) is None


TRUST = np.array([0.0, 0.5, 1.0, np.nan, 0.25, 0.75], dtype=np.float32)


def test_trust_is_coloured_from_none_to_all_on_every_map() -> None:
    legend, codes = colouring(BY_TRUST, ITEMS, [], GROUPS, "light", trust=TRUST)
    assert legend.title == BY_TRUST
    assert legend.kind == "ramp"
    assert (legend.low, legend.high, legend.missing) == ("no neighbour kept", "all kept", "Not measured")
    assert codes.tolist() == [0, 128, 255, -1, 64, 191]
    _, narrow = colouring(BY_TRUST, ITEMS, [], GROUPS, "light", trust=TRUST * 0.5)
    assert narrow.max() == 128  # half of the neighbours is half of the ramp, whatever the map's best is


def test_a_map_without_measured_points_shows_groups_instead() -> None:
    legend, codes = colouring(BY_TRUST, ITEMS, [], GROUPS, "light")
    assert legend.title == "Group"
    assert codes.tolist() == GROUPS.labels.tolist()


def test_trust_is_filtered_and_what_was_not_measured_is_left_out() -> None:
    filters = Filters(trust=(0.25, 0.75))
    assert filters.active == 1
    masks = masks_of(ITEMS, filters, GROUPS, TRUST)
    assert visible_items(masks, 6).tolist() == [False, True, False, False, True, True]
    assert visible_items(masks_of(ITEMS, filters, GROUPS), 6).all()


def test_figures_that_were_not_measured_are_left_out() -> None:
    quality = [
        {"name": "trustworthiness", "title": "Trustworthiness", "value": 0.912},
        {"name": "neighbour_recall", "title": "Neighbours kept", "value": None},
        {"name": "pearson", "title": "Pearson", "value": 0.5},
    ]
    assert [figure[:2] for figure in honesty_figures(quality)] == [("Trustworthiness", "0.91")]


def test_a_group_has_the_colour_of_its_like_in_the_first_run() -> None:
    first = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    assert colour_numbers(first, first, 3) == (0, 1, 2)
    assert colour_numbers(first, np.array([2, 2, 2, 0, 0, 0, 1, 1, 1]), 3) == (1, 2, 0)
    assert colour_numbers(first, np.array([3, 3, 3, 0, 0, 2, 1, 1, -1]), 5) == (1, 2, 3, 0, 4)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1_000), st.integers(1, 9), st.integers(1, 9))
def test_no_two_groups_share_a_colour(seed: int, before: int, after: int) -> None:
    random = np.random.default_rng(seed)
    first, labels = random.integers(0, before, 40), random.integers(-1, after, 40)
    numbers = colour_numbers(first, labels, after)
    assert len(numbers) == len(set(numbers)) == after
    assert max(numbers) < max(before, after)
