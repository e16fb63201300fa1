"""Views of rows of numbers: a neighbour in place of the item, and noise."""

from __future__ import annotations

import torch

from clustering.views.neighbours import NeighbourViews
from clustering.views.noisy import NoisyViews


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_neighbour_is_one_of_those_of_the_item_each_alike_often():
    neighbours = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    rows = torch.tensor([0, 2]).repeat(3000)
    seen = NeighbourViews(neighbours)(rows, drawn(1))
    first, last = seen[::2], seen[1::2]
    for found, known in ((first, [1, 2, 3]), (last, [7, 8, 9])):
        values, counts = found.unique(return_counts=True)
        assert values.tolist() == known
        assert 900 < int(counts.min()) < 1100
    assert torch.equal(seen, NeighbourViews(neighbours)(rows, drawn(1)))


def test_noise_keeps_the_mean_and_knows_how_much_a_column_varies():
    rows = torch.tensor([[5.0, 100.0]]).repeat(20_000, 1)
    spread = torch.tensor([1.0, 40.0])
    seen = NoisyViews(spread)(rows, drawn(1))
    torch.testing.assert_close(seen.mean(dim=0), rows[0], atol=1, rtol=0.02)
    left_out = (seen.abs() < 4 * 0.1 * spread).float().mean(dim=0)
    torch.testing.assert_close(left_out, torch.full((2,), 0.2), atol=0.02, rtol=0)
    kept = seen[:, 0] > 3
    assert abs(float(seen[kept, 0].std()) - 0.1) < 0.01
    still = NoisyViews(spread, share=0, noise=0)
    assert torch.equal(still(rows, drawn(1)), rows)
