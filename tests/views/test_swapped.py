"""Swapped views: a share of the numbers come from other items, in their own column."""

from __future__ import annotations

import pytest
import torch

from clustering.views.swapped import SwappedViews


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_numbers_come_from_the_same_column_and_a_fifth_are_replaced():
    rows = torch.arange(200.0)[:, None] + 1000 * torch.arange(50.0)  # every number names its place
    view = SwappedViews()(rows, drawn(1))
    assert torch.equal(view // 1000, rows // 1000)
    changed = (view != rows).float().mean()
    assert float(changed) == pytest.approx(0.2, abs=0.02)


def test_no_share_changes_nothing_and_the_same_generator_gives_the_same_view():
    rows = torch.rand(20, 7, generator=drawn())
    assert torch.equal(SwappedViews(0.0)(rows, drawn(1)), rows)
    assert torch.equal(SwappedViews()(rows, drawn(1)), SwappedViews()(rows, drawn(1)))
    assert not torch.equal(SwappedViews()(rows, drawn(1)), SwappedViews()(rows, drawn(2)))
