"""An item's views as lines over what the middle half of the items have."""

from __future__ import annotations

import numpy as np

from clustering.charts.view_profiles import view_profiles_figure


def test_every_view_has_a_lane_and_one_that_is_missing_says_so():
    wide = ("<b>shape</b>", np.arange(20.0), np.zeros(20), np.ones(20), ())
    missing = ("colour", np.full(3, np.nan), np.zeros(3), np.ones(3), ("red", "green", "blue"))
    figure = view_profiles_figure([wide, missing], "light")
    assert len(figure.data) == 4
    titles = [note.text for note in figure.layout.annotations]
    assert titles == ["&lt;b&gt;shape&lt;/b&gt;", "colour: this item lacks it"]
    np.testing.assert_array_equal(figure.data[1].y, np.arange(20.0))


def test_few_numbers_of_different_units_are_each_drawn_by_their_own_middle_half():
    figure = view_profiles_figure(
        [("facts", np.array([1.0, 3000]), np.array([0.0, 1000]), np.array([2.0, 2000]), ("a", "b"))], "dark"
    )
    line = figure.data[1]
    np.testing.assert_allclose(line.y, [0, 3])
    np.testing.assert_allclose(line.customdata, [1, 3000])
    assert tuple(line.text) == ("a", "b")
