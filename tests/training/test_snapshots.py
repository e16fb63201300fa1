"""Snapshots: the same rows each time, at most 20,000, evenly over the epochs."""

from __future__ import annotations

import numpy as np

from clustering.training.snapshots import MAX_ROWS, is_snapshot_epoch, snapshot_rows


def test_small_sets_are_shown_whole_and_large_ones_by_a_fixed_random_sample():
    np.testing.assert_array_equal(snapshot_rows(50, 0), np.arange(50))
    rows = snapshot_rows(70_000, 1)
    assert len(rows) == len(set(rows.tolist())) == MAX_ROWS
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, snapshot_rows(70_000, 1))
    assert (rows != snapshot_rows(70_000, 2)).any()


def test_about_forty_epochs_are_shown_and_always_the_first_and_the_last():
    for epochs in (1, 7, 40, 300, 1001):
        shown = [epoch for epoch in range(epochs + 1) if is_snapshot_epoch(epoch, epochs)]
        assert shown[0] == 0
        assert shown[-1] == epochs
        assert len(shown) <= 82
