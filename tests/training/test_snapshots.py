"""Snapshots: the same rows each time, at most 20,000, evenly over the epochs."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from clustering.training.data import Data
from clustering.training.phase import Refreshed
from clustering.training.snapshots import MAX_ROWS, LiveView, snapshot_rows


def test_small_sets_are_shown_whole_and_large_ones_by_a_fixed_random_sample():
    np.testing.assert_array_equal(snapshot_rows(50, 0), np.arange(50))
    rows = snapshot_rows(70_000, 1)
    assert len(rows) == len(set(rows.tolist())) == MAX_ROWS
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, snapshot_rows(70_000, 1))
    assert (rows != snapshot_rows(70_000, 2)).any()


@pytest.fixture
def view() -> LiveView:
    data = Data(np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32), torch.device("cpu"))
    return LiveView(data, lambda features: features[:, :2], random_state=0)


def test_about_forty_epochs_are_shown_and_always_the_first_and_the_last(view):
    for epochs in (1, 7, 40, 300, 1001):
        shown = [epoch for epoch in range(epochs + 1) if view.wants(epoch, epochs, elapsed=1.0)]
        assert shown[0] == 0
        assert shown[-1] == epochs
        assert len(shown) <= 82


def test_a_slow_listener_is_shown_less_but_still_the_end(view):
    view.show("pretrain", 0, None, lambda snapshot: time.sleep(0.05))
    assert not view.wants(1, 10, elapsed=1.0)
    assert view.wants(1, 10, elapsed=100.0)
    assert view.wants(10, 10, elapsed=1.0)


def test_several_seeds_divide_the_time_that_snapshots_may_cost(view):
    shared = LiveView(view._data, view._encode, random_state=0, share=0.25)
    for each in (view, shared):
        each.show("pretrain", 0, None, lambda snapshot: time.sleep(0.06))
    assert view.wants(1, 10, elapsed=8.0)
    assert not shared.wants(1, 10, elapsed=8.0)
    assert shared.wants(1, 10, elapsed=32.0)
    assert shared.wants(10, 10, elapsed=8.0)


def test_a_snapshot_holds_copies_that_training_does_not_change(view):
    centers = torch.zeros(2, 2)
    latents = torch.zeros(30, 2)
    seen = Refreshed(latents, centers, torch.zeros(30, dtype=torch.long), torch.ones(30), {})
    taken = []
    view.show("cluster", 3, seen, taken.append)
    centers += 1
    latents += 1
    assert not taken[0].centers.any()
    assert not taken[0].latents.any()
    assert (taken[0].phase, taken[0].epoch) == ("cluster", 3)
