"""SPICE's prototype labels, its bounded loss and its reliable labels: specifications, plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clustering.losses.prototype_labels import double_softmax_cross_entropy, prototype_labels, prototypes
from clustering.losses.reliable_labels import local_consistency, most_reliable, reliable

ANGLES = torch.tensor([0.0, 20, 40, 50, 65, 90], dtype=torch.float64).deg2rad()
FEATURES = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)
ODDS = torch.tensor(
    [[0.70, 0.30], [0.80, 0.20], [0.95, 0.05], [0.60, 0.40], [0.20, 0.80], [0.10, 0.90]], dtype=torch.float64
)
NEIGHBOURS = torch.tensor([[1, 2], [0, 2], [3, 1], [2, 4], [3, 5], [4, 3]])  # of the specification, ties too
LABELS = torch.tensor([0, 0, 0, 0, 1, 1])


def close(found: torch.Tensor, expected: object, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(found.numpy(), np.asarray(expected), rtol=0, atol=tolerance)


def plain_labels(odds: list[list[float]], features: list[list[float]], share: float) -> list[set[int]]:
    n, k = len(odds), len(odds[0])
    each = n // k
    found = []
    for group in range(k):
        surest = sorted(range(n), key=lambda row: -odds[row][group])[: max(1, int(share * each + 1e-9))]
        prototype = [sum(features[row][at] for row in surest) / len(surest) for at in range(len(features[0]))]
        like = [sum(a * b for a, b in zip(row, prototype, strict=True)) for row in features]
        found.append(set(sorted(range(n), key=lambda row: -like[row])[:each]))
    return found


def test_prototypes_are_those_of_the_specification_and_keep_their_length():
    found = prototypes(ODDS[:, None], FEATURES, 0.67)[0]
    close(found, [[0.852868532, 0.4924038765], [0.2113091309, 0.9531538935]])
    close(found.norm(dim=1), [0.984807753, 0.9762960071])
    expected = [
        [0.852868532, 0.9698463104, 0.9698463104, 0.9254165784, 0.8067072841, 0.4924038765],
        [0.2113091309, 0.5245634623, 0.7745476984, 0.8659851347, 0.9531538935, 0.9531538935],
    ]
    close(found @ FEATURES.T, expected)


@pytest.mark.parametrize("share", [0.67, 0.5])
def test_one_item_gets_both_labels_and_one_gets_none_as_in_the_specification(share):
    (labelled,) = prototype_labels(ODDS[:, None], FEATURES, share)
    assert [set(rows.tolist()) for rows in labelled] == [{1, 2, 3}, {4, 5, 3}]


@given(st.integers(4, 12), st.integers(1, 3), st.integers(2, 3), st.floats(0.1, 1), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_every_head_labels_as_a_plain_loop_does(n, heads, k, share, seed):
    assume(int(share * (n // k) + 1e-9) != 2)  # two items are equally like their mean: rounding would choose
    generator = torch.Generator().manual_seed(seed)
    odds = torch.softmax(torch.randn(n, heads, k, generator=generator, dtype=torch.float64), dim=2)
    features = torch.nn.functional.normalize(torch.randn(n, 3, generator=generator, dtype=torch.float64))
    found = prototype_labels(odds, features, share)
    assert found.shape == (heads, k, n // k)
    for head in range(heads):
        expected = plain_labels(odds[:, head].tolist(), features.tolist(), share)
        assert [set(rows.tolist()) for rows in found[head]] == expected


def test_the_loss_is_that_of_the_specification_and_not_the_cross_entropy_of_the_odds():
    odds = torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]], dtype=torch.float64)
    labels = torch.tensor([0, 1, 0])
    assert float(double_softmax_cross_entropy(odds[None], labels[None])) == pytest.approx(
        0.554128905296, abs=1e-11
    )
    plain = -sum(math.log(odds[row, label]) for row, label in enumerate(labels)) / 3
    assert plain == pytest.approx(0.436444439995, abs=1e-11)


@pytest.mark.parametrize(("k", "floor"), [(10, 1.461150), (2, 0.313262)])
def test_the_loss_is_bounded_and_its_gradient_vanishes_where_a_head_is_sure(k, floor):
    scores = torch.zeros(1, 1, k, dtype=torch.float64)
    scores[..., 0] = 60
    scores.requires_grad_()
    for label, expected in ((0, floor), (1, floor + 1)):
        loss = double_softmax_cross_entropy(torch.softmax(scores, dim=2), torch.tensor([[label]])).sum()
        assert float(loss.detach()) == pytest.approx(expected, abs=1e-6)
        scores.grad = None
        loss.backward()
        assert float(scores.grad.abs().max()) < 1e-20


def test_what_is_reliable_is_that_of_the_specification_and_one_group_has_none():
    close(local_consistency(LABELS, NEIGHBOURS), [1, 1, 1, 2 / 3, 2 / 3, 2 / 3], 1e-6)
    sure = torch.nn.functional.one_hot(LABELS).double()
    assert reliable(sure, NEIGHBOURS, 0.9, 0.99).tolist() == [True, True, True, False, False, False]
    assert not bool(reliable(0.9 * sure + 0.05, NEIGHBOURS, 0.0, 0.99).any())  # its neighbours are not enough


def test_a_group_without_any_gives_its_most_reliable_members_and_no_more_than_it_has():
    odds = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.9, 0.1], [0.7, 0.3], [0.4, 0.6], [0.2, 0.8]])
    assert most_reliable(odds, NEIGHBOURS, 1, 1).tolist() == [5]
    assert most_reliable(odds, NEIGHBOURS, 1, 9).tolist() == [5, 4]
    assert most_reliable(odds, NEIGHBOURS, 0, 2).tolist() == [0, 2]
    assert most_reliable(odds[:4], NEIGHBOURS[:4, :1] % 4, 1, 3).tolist() == []
