"""Works before and after: which are shown, and that what is shown is what a method would see."""

from __future__ import annotations

import numpy as np

from clustering.ui.views_shown import chosen, seen_anew


def test_eight_works_are_spread_over_the_collection_and_fewer_where_there_are_fewer():
    assert chosen(8) == list(range(8))
    assert chosen(3) == [0, 1, 2]
    many = chosen(1000)
    assert (many[0], many[-1], len(many)) == (0, 999, 8)


def test_no_strength_shows_the_work_itself_and_more_shows_another_look_each_time():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 24, 24, 3), dtype=np.uint8)
    assert np.abs(seen_anew(pictures, "photographs", 0, 1).astype(int) - pictures).max() <= 1
    first, again, other = (seen_anew(pictures, "photographs", 1, seed) for seed in (1, 1, 2))
    assert first.shape == pictures.shape
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
