"""Losses of methods that learn from views: specifications, plain loops, properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.losses.contrast import group_contrast, pair_contrast
from clustering.losses.partition_confidence import (
    least_confidence_loss,
    partition_confidence,
    partition_uncertainty,
)
from clustering.losses.uneven_sizes import uneven_sizes


def table(rows: list[list[float]]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def close(found: torch.Tensor, expected: object, tolerance: float = 1e-10) -> None:
    np.testing.assert_allclose(found.detach().numpy(), np.asarray(expected), rtol=0, atol=tolerance)


def some_assignments(n: int, k: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.softmax(3 * torch.randn(n, k, generator=generator, dtype=torch.float64), dim=1)


# Contrast ------------------------------------------------------------------------------------------------

YA, YB = table([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), table([[0.8, 0.2], [0.3, 0.7], [0.7, 0.3]])
ZA, ZB = table([[1, 0], [0.6, 0.8]]), table([[0.8, 0.6], [0, 1]])


def plain_contrast(first: torch.Tensor, second: torch.Tensor, temperature: float) -> float:
    rows = [*first.tolist(), *second.tolist()]
    n = len(first)

    def cosine(one: list[float], other: list[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))

    losses = []
    for u, row in enumerate(rows):
        terms = {v: math.exp(cosine(row, other) / temperature) for v, other in enumerate(rows) if v != u}
        losses.append(-math.log(terms[(u + n) % (2 * n)] / sum(terms.values())))
    return sum(losses) / len(losses)


def test_contrast_of_items_is_that_of_the_specification():
    close(pair_contrast(ZA, ZB, 0.5), 0.870713757057)


def test_contrast_of_groups_is_that_of_the_specification_in_its_two_parts():
    close(pair_contrast(YA.T, YB.T, 1.0), 0.850027272612)
    close(uneven_sizes(YA) + uneven_sizes(YB), 0.029050928980)
    close(group_contrast(YA, YB, 1.0), 0.879078201592)
    close(group_contrast(YA, YB, 1.0) + pair_contrast(ZA, ZB, 0.5), 1.749791958649)


@given(st.integers(2, 6), st.integers(1, 5), st.floats(0.1, 2), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_contrast_is_that_of_a_plain_loop_and_does_not_ask_which_view_came_first(n, d, temperature, seed):
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    found = pair_contrast(first, second, temperature)
    close(found, plain_contrast(first, second, temperature), 1e-9)
    close(pair_contrast(second, 3 * first, temperature), float(found), 1e-9)


# PICA ----------------------------------------------------------------------------------------------------

P = table([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7]])
P_SEEN = table([[0.6, 0.3, 0.1], [0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]])


def test_the_index_and_the_loss_are_those_of_the_specification():
    close(
        partition_uncertainty(P, P_SEEN),
        [
            [0.9702599437, 0.4753826885, 0.3598914866],
            [0.4549052379, 0.9566807698, 0.2774387887],
            [0.3112658781, 0.3222516933, 0.9995693677],
        ],
    )
    own = partition_uncertainty(P, P)
    close(own[[0, 0, 1], [1, 2, 2]], [0.3520950785, 0.3829821909, 0.2983470949])
    close(partition_confidence(P, P_SEEN), 0.737651756837)
    close(uneven_sizes(P), 0.031518393792)
    close(partition_confidence(P, P_SEEN) + 2 * uneven_sizes(P), 0.800688544421)


def test_its_gradient_is_that_of_the_specification():
    free = P.clone().requires_grad_()
    shares = free.sum(dim=0) / free.sum()  # as the specification's, whose rows need not sum to 1
    sizes = math.log(3) + (shares * shares.log()).sum()
    (partition_confidence(free, P_SEEN) + 2 * sizes).backward()
    close(free.grad[0], [0.1476640175, -0.0565429507, -0.0531064793])


@pytest.mark.parametrize("k", [1, 3, 10])
def test_it_lies_between_a_perfect_partition_and_no_opinion(k):
    perfect = torch.eye(k, dtype=torch.float64).repeat(4, 1)
    close(partition_confidence(perfect, perfect), least_confidence_loss(k))
    uniform = torch.full((7, k), 1 / k, dtype=torch.float64)
    close(partition_confidence(uniform, uniform), math.log(k))
    assert least_confidence_loss(3) == pytest.approx(0.551445, abs=1e-6)
    assert least_confidence_loss(10) == pytest.approx(1.461150, abs=1e-6)


@given(st.integers(1, 12), st.integers(1, 6), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_no_partition_is_below_the_floor_and_the_order_of_groups_does_not_matter(n, k, seed):
    first, second = some_assignments(n, k, seed), some_assignments(n, k, seed + 1)
    loss = partition_confidence(first, second)
    assert float(loss) >= least_confidence_loss(k) - 1e-12
    order = torch.randperm(k, generator=torch.Generator().manual_seed(seed))
    close(partition_confidence(first[:, order], second[:, order]), float(loss))


def test_a_group_that_nobody_joins_breaks_nothing():
    empty = P.clone()
    empty[:, 2] = 0
    empty.requires_grad_()
    (
        partition_confidence(empty, P_SEEN) + uneven_sizes(empty) + group_contrast(empty, P_SEEN, 1.0)
    ).backward()
    assert bool(torch.isfinite(empty.grad).all())


# Sizes ---------------------------------------------------------------------------------------------------


def test_even_sizes_cost_nothing_one_that_takes_all_log_k_and_heads_are_added():
    close(uneven_sizes(torch.full((6, 4), 0.25, dtype=torch.float64)), 0)
    one = torch.zeros(6, 4, dtype=torch.float64)
    one[:, 1] = 1
    close(uneven_sizes(one), math.log(4), 1e-6)
    heads = torch.stack([P, P_SEEN], dim=1)
    close(uneven_sizes(heads), float(uneven_sizes(P) + uneven_sizes(P_SEEN)))
