"""The order of a pass: a permutation that follows from the seed, for a large set one a disk can follow."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.training import order as module
from clustering.training.order import permutation

CPU = torch.device("cpu")


@pytest.fixture
def large(monkeypatch) -> None:
    """Make anything large: shards of 4 rows of 8 bytes, 8 shards a window."""
    monkeypatch.setattr(module, "ANY_ORDER_BYTES", 0)
    monkeypatch.setattr(module, "SHARD_BYTES", 32)
    monkeypatch.setattr(module, "WINDOW_BYTES", 256)


def drawn(n: int, seed: int, row_bytes: int = 8) -> torch.Tensor:
    return permutation(n, row_bytes, torch.Generator().manual_seed(seed), CPU)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 500), st.integers(1, 100), st.integers(0, 1000))
def test_every_row_comes_once_and_the_seed_decides_where(n, row_bytes, seed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SHARD_BYTES", 32)
        patch.setattr(module, "WINDOW_BYTES", 256)
        for limit in (0, 2**30):
            patch.setattr(module, "ANY_ORDER_BYTES", limit)
            order = drawn(n, seed, row_bytes)
            assert order.dtype == torch.int64
            assert torch.equal(order.sort().values, torch.arange(n))
            assert torch.equal(order, drawn(n, seed, row_bytes))


def test_a_window_is_read_as_whole_shards_and_mixed(large):
    order = drawn(320, seed=0)
    for window in order.split(32):
        shards = (window.sort().values // 4).view(8, 4)
        assert (shards == shards[:, :1]).all()  # all four rows of a shard, next to one another once sorted
        assert not torch.equal(window.view(8, 4) // 4, shards)
    assert not torch.equal(order, drawn(320, seed=1))


def test_every_row_is_as_likely_to_come_first_as_any_other(large):
    n, passes = 40, 8000
    first = torch.stack([drawn(n, seed)[0] for seed in range(passes)])
    shares = first.bincount(minlength=n) / passes * n
    assert shares.min() > 0.6
    assert shares.max() < 1.4  # seven standard deviations; a row that never came would be 0


def test_rows_sorted_by_group_come_mixed(large):
    groups = torch.arange(4000) // 400  # ten groups, one after another
    windows = groups[drawn(4000, seed=3)].split(32)
    shares = torch.stack([window.bincount(minlength=10) / 32 for window in windows])
    # A window comes from 8 random places of the file: a share of .1 has a standard deviation of .106.
    assert 0.07 < shares.std() < 0.14
    assert shares.max() < 0.8
