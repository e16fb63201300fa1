"""Balanced labels, swapped prediction, adversarial directions: the specification, plain loops, properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.losses.balanced_labels import balanced_labels, imbalance
from clustering.losses.swapped_prediction import swapped_prediction
from clustering.views.adversarial import adversarial_directions, random_directions

S = torch.tensor([[0.9, 0.1], [0.8, 0.3], [0.2, 0.7]], dtype=torch.float64)
AFTER = {  # rounds: the share of the first prototype in each label
    1: [0.891667920012, 0.712568699722, 0.043433987351],
    3: [0.858995973048, 0.647250629290, 0.032514187886],
    500: [0.846426348283, 0.624066090748, 0.029507560969],
}


def close(found: torch.Tensor, expected: object, tolerance: float = 1e-11) -> None:
    np.testing.assert_allclose(found.detach().numpy(), np.asarray(expected), rtol=0, atol=tolerance)


def plain_labels(scores: list[list[float]], epsilon: float, rounds: int) -> list[list[float]]:
    """SwAV's rounds as they are written, with exponentials."""
    b, k = len(scores), len(scores[0])
    q = [[math.exp(score / epsilon) for score in row] for row in scores]
    for _ in range(rounds):
        columns = [sum(q[i][j] for i in range(b)) for j in range(k)]
        q = [[q[i][j] / columns[j] / k for j in range(k)] for i in range(b)]
        q = [[value / sum(row) / b for value in row] for row in q]
    return [[value * b for value in row] for row in q]


@pytest.mark.parametrize("rounds", AFTER)
def test_labels_are_those_of_the_specification_after_one_three_and_many_rounds(rounds):
    first = np.array(AFTER[rounds])
    close(balanced_labels(S, 0.25, rounds), np.stack([first, 1 - first], axis=1))


def test_shares_of_the_prototypes_are_those_of_the_specification_and_end_equal():
    third = balanced_labels(S, 0.25, 3)
    close(third.mean(dim=0), [0.512920263408, 0.487079736592])
    close(imbalance(third), 0.012920263408)
    close(imbalance(balanced_labels(S, 0.25, 500)), 0)


def test_labels_are_those_of_a_plain_loop():
    scores = torch.rand(7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for rounds in (1, 2, 5):
        close(balanced_labels(scores, 0.1, rounds), plain_labels(scores.tolist(), 0.1, rounds))


tables = st.tuples(st.integers(1, 8), st.integers(1, 8), st.integers(0, 2**32 - 1)).map(
    lambda drawn: (
        torch.rand(drawn[:2], generator=torch.Generator().manual_seed(drawn[2]), dtype=torch.float64) * 2 - 1
    )
)


@given(tables, st.floats(0.2, 2))
@settings(max_examples=60, deadline=None)
def test_every_item_gives_one_label_and_every_prototype_gets_the_same_share(scores, epsilon):
    labels = balanced_labels(scores, epsilon, 400)
    b, k = scores.shape
    assert (labels >= 0).all()
    close(labels.sum(dim=1), np.ones(b))
    close(labels.sum(dim=0), np.full(k, b / k), tolerance=1e-6)


@given(tables, st.floats(0.001, 2), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_small_epsilons_overflow_nothing_and_a_prototype_that_all_like_better_gains_nothing(
    scores, epsilon, rounds
):
    labels = balanced_labels(scores.float(), epsilon, rounds)
    np.testing.assert_allclose(labels.sum(dim=1), 1, atol=1e-5)
    liked = torch.rand(scores.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    raised = balanced_labels(scores + liked, epsilon, rounds)
    close(raised, balanced_labels(scores, epsilon, rounds), tolerance=1e-8)


def test_no_gradient_flows_through_labels():
    assert not balanced_labels(S.clone().requires_grad_(), 0.25, 3).requires_grad


def test_the_loss_of_one_pair_is_that_of_the_specification():
    labels = balanced_labels(S, 0.25, 500)
    close(swapped_prediction([labels], [torch.randn(3, 2).double(), S], 0.1), 1.089854222729)


def test_the_loss_is_the_mean_over_ordered_pairs_of_other_views_of_a_plain_loop():
    generator = torch.Generator().manual_seed(1)
    scores = [torch.randn(5, 3, generator=generator, dtype=torch.float64) for _ in range(3)]
    labels = [balanced_labels(view, 0.5, 3) for view in scores[:2]]
    pairs = []
    for i, label in enumerate(labels):
        for j, score in enumerate(scores):
            if i == j:
                continue
            total = 0.0
            for q, s in zip(label.tolist(), score.tolist(), strict=True):
                normaliser = sum(math.exp(value / 0.3) for value in s)
                total -= sum(
                    weight * math.log(math.exp(v / 0.3) / normaliser) for weight, v in zip(q, s, strict=True)
                )
            pairs.append(total / len(score))
    assert len(pairs) == 4
    close(swapped_prediction(labels, scores, 0.3), sum(pairs) / 4)


W = torch.tensor([[1, -1], [0.5, 0.5], [-1, 1]], dtype=torch.float64)
X = torch.tensor([[0.2, -0.1]], dtype=torch.float64)


def linear(rows: torch.Tensor) -> torch.Tensor:
    return rows @ W.T


def divergence(rows: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    p, q = (torch.softmax(linear(x), dim=1) for x in (rows, moved))
    return (p * (p / q).log()).sum(dim=1)


def test_the_direction_is_that_of_the_specification():
    direction = adversarial_directions(linear, X, torch.tensor([[0.1, 0.0]], dtype=torch.float64))
    close(direction, [[0.729198164250, -0.684302591881]])
    close(torch.softmax(linear(X), dim=1), [[0.429624791381, 0.334592123954, 0.235783084664]])
    moved = X + 0.5 * direction
    close(torch.softmax(linear(moved), dim=1), [[0.657032198856, 0.255240577411, 0.087727223734]])
    close(divergence(X, moved), [0.141176475719])


def test_rows_find_their_directions_each_for_itself_and_better_ones_than_chance():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(200, 2, generator=generator, dtype=torch.float64)
    probes = 0.1 * random_directions(rows, generator)
    together = adversarial_directions(linear, rows, probes)
    close(together.norm(dim=1), np.ones(200))
    close(together[7:8], adversarial_directions(linear, rows[7:8], probes[7:8]))
    gained = divergence(rows, rows + 0.5 * together) - divergence(rows, rows + 5 * probes)
    assert float((gained >= -1e-9).double().mean()) > 0.9
    assert float(gained.mean()) > 0.02


def test_where_nothing_changes_the_probes_own_direction_is_kept():
    rows, probes = torch.randn(4, 3), 1e-3 * torch.eye(3)[[0, 1, 2, 0]]
    constant = adversarial_directions(
        lambda x: (x * 0).sum(dim=1, keepdim=True) + torch.zeros(1, 5), rows, probes
    )
    torch.testing.assert_close(constant, torch.eye(3)[[0, 1, 2, 0]])
