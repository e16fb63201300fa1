"""Statistics pooling and the losses of JDRL against the worked example and against plain loops."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.losses.size_divergence import size_divergence
from clustering.losses.sized_assignment import log_sized_assignments
from clustering.losses.soft_assignment import soft_assignments
from clustering.losses.target_distribution import target_distribution
from clustering.networks.statistics_pooling import pooled_statistics

H = torch.tensor([[1, 2], [3, 0], [5, 4], [0, 0]], dtype=torch.float64)
Z = torch.tensor([[0.0, 0], [1, 0], [3, 4]], dtype=torch.float64)
MU = torch.tensor([[0.0, 0], [3, 3]], dtype=torch.float64)


def close(found: torch.Tensor, expected: object, tolerance: float = 1e-11) -> None:
    np.testing.assert_allclose(found.detach().numpy(), np.asarray(expected), rtol=0, atol=tolerance)


def test_statistics_of_hard_groups_are_those_of_the_worked_example_and_one_member_has_no_spread():
    weights = torch.nn.functional.one_hot(torch.tensor([0, 0, 0, 1])).double()
    pooled = pooled_statistics(H, weights)
    close(pooled.means, [[3, 2], [0, 0]])
    close(pooled.variances, [[2.666666666667] * 2, [0, 0]])
    close(pooled.sizes, [3, 1])


def test_statistics_of_soft_groups_are_those_of_the_worked_example():
    weights = torch.tensor([[1, 0], [0.5, 0.5], [1, 0], [0, 1]], dtype=torch.float64)
    pooled = pooled_statistics(H, weights)
    close(pooled.sizes, [2.5, 1.5])
    close(pooled.sizes.log(), [0.916290731874, 0.405465108108])
    close(pooled.means, [[3, 2.4], [1, 0]])
    close(pooled.variances, [[3.2, 2.24], [2, 0]])
    table = pooled.table()
    close(table[:, 2:4], np.log1p([[3.2, 2.24], [2, 0]]))
    close(table[:, 4].exp(), [0.625, 0.375])


def test_sizes_and_targets_are_those_of_the_worked_example():
    sized = torch.tensor([0.6, 0.4], dtype=torch.float64)
    close(size_divergence(sized, torch.full((7, 2), 0.5, dtype=torch.float64).log()), 0.020135513551)
    q = soft_assignments(Z, MU)
    close(
        target_distribution(q, 1.0),
        [[0.995262312634, 0.004737687366], [0.966117917305, 0.033882082695],
         [0.003431503198, 0.996568496802]],
    )  # fmt: skip
    close(
        target_distribution(q, 0.0),
        [[0.997237569061, 0.002762430939], [0.98, 0.02], [0.005882352941, 0.994117647059]],
    )


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 6), k=st.integers(1, 4), d=st.integers(1, 4), seed=st.integers(0, 2**31))
def test_matrix_forms_agree_with_plain_loops(n, k, d, seed):
    rng = np.random.default_rng(seed)
    h, weights = rng.normal(3, 2, (n, d)), rng.uniform(0.05, 1, (n, k))
    pooled = pooled_statistics(torch.from_numpy(h), torch.from_numpy(weights))
    for j in range(k):
        mean = sum(weights[i, j] * h[i] for i in range(n)) / weights[:, j].sum()
        variance = sum(weights[i, j] * (h[i] - mean) ** 2 for i in range(n)) / weights[:, j].sum()
        close(pooled.means[j], mean, 1e-9)
        close(pooled.variances[j], variance, 1e-9)
    order = rng.permutation(n)
    shuffled = pooled_statistics(torch.from_numpy(h[order]), torch.from_numpy(weights[order]))
    close(shuffled.table(), pooled.table().numpy(), 1e-9)
    twice = pooled_statistics(torch.from_numpy(h).repeat(2, 1), torch.from_numpy(weights).repeat(2, 1))
    close(twice.sizes.log(), pooled.sizes.log().numpy() + np.log(2))
    close(twice.means, pooled.means.numpy(), 1e-9)
    close(twice.variances, pooled.variances.numpy(), 1e-9)
    centers, shares = rng.normal(size=(k, d)), rng.dirichlet(np.ones(k)) + 1e-3
    kernel = [[shares[j] ** 0.5 / (1 + ((h[i] - centers[j]) ** 2).sum()) for j in range(k)] for i in range(n)]
    q = np.array([np.array(row) / sum(row) for row in kernel])
    tensors = [torch.from_numpy(values) for values in (h, centers, shares)]
    log_q = log_sized_assignments(*tensors, 0.5)
    close(log_q.exp(), q, 1e-9)
    by_hand = sum(shares[j] * np.log(shares[j] / q[:, j].mean()) for j in range(k))
    close(size_divergence(tensors[2], log_q), by_hand, 1e-9)


def test_without_a_say_of_sizes_the_assignment_is_decs():
    shares = torch.tensor([0.9, 0.1], dtype=torch.float64)
    close(log_sized_assignments(Z, MU, shares, 0.0).exp(), soft_assignments(Z, MU).numpy())
    assert log_sized_assignments(Z, MU, shares, 0.5)[2, 0] > log_sized_assignments(Z, MU, shares, 0.0)[2, 0]


def test_large_activations_keep_their_variance_in_single_precision_and_an_empty_group_stays_finite():
    h = torch.tensor([[10_000.0], [10_001.0]])
    pooled = pooled_statistics(h, torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    close(pooled.variances, [[0.25], [0.0]], 1e-4)
    assert torch.isfinite(pooled.table()).all()
