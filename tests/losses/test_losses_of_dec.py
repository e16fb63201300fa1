"""The losses of DEC and IDEC against the worked example of the method notes and against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.losses.kl import kl_divergence
from clustering.losses.reconstruction import reconstruction
from clustering.losses.soft_assignment import log_soft_assignments, soft_assignments, squared_distances
from clustering.losses.target_distribution import target_distribution

Z = [[0.0, 0.0], [1.0, 0.0], [3.0, 4.0]]
MU = [[0.0, 0.0], [3.0, 3.0]]
Q = [[0.95, 0.05], [0.875, 0.125], [0.071428571429, 0.928571428571]]
P = [[0.995262312634, 0.004737687366], [0.966117917305, 0.033882082695], [0.003431503198, 0.996568496802]]


@pytest.fixture
def z() -> torch.Tensor:
    return torch.tensor(Z, dtype=torch.float64, requires_grad=True)


@pytest.fixture
def mu() -> torch.Tensor:
    return torch.tensor(MU, dtype=torch.float64, requires_grad=True)


def close(found: torch.Tensor, expected: object, tolerance: float = 1e-11) -> None:
    np.testing.assert_allclose(found.detach().numpy(), np.asarray(expected), rtol=0, atol=tolerance)


def test_squared_distances_soft_assignments_and_targets_are_those_of_the_worked_example(z, mu):
    close(squared_distances(z, mu), [[0, 18], [1, 13], [25, 1]])
    close(soft_assignments(z, mu), Q)
    close(soft_assignments(z, mu).sum(0), [1.896428571429, 1.103571428571])
    close(target_distribution(soft_assignments(z, mu)), P)


def test_divergence_and_both_gradients_are_those_of_the_worked_example(z, mu):
    targets = target_distribution(soft_assignments(z, mu)).detach()
    loss = kl_divergence(targets, log_soft_assignments(z, mu))
    close(loss, 0.048881876745)
    (3 * loss).backward()  # the example differentiates the sum over the three rows
    close(
        z.grad,
        [
            [0.014293361884, 0.014293361884],
            [0.117151607963, 0.039050535988],
            [-0.015691631130, 0.047074893390],
        ],
    )
    close(mu.grad, [[-0.075426286175, 0.020922174840], [-0.040327052543, -0.121340966102]])


def test_idec_adds_a_tenth_of_the_divergence_to_the_reconstruction_error(z, mu):
    x = torch.tensor([[1, 2], [0, 1], [2, 2]], dtype=torch.float64)
    x_hat = torch.tensor([[1, 1.5], [0.5, 1], [2, 2]], dtype=torch.float64)
    targets = target_distribution(soft_assignments(z, mu)).detach()
    rebuilt = reconstruction(x, x_hat)
    close(rebuilt, 0.083333333333)
    close(rebuilt + 0.1 * kl_divergence(targets, log_soft_assignments(z, mu)), 0.088221521008)


def test_two_degrees_of_freedom_give_the_assignments_of_the_worked_example(z, mu):
    expected = [
        [0.969346569968, 0.030653430032],
        [0.917900484778, 0.082099515222],
        [0.035714285714, 0.964285714286],
    ]
    close(soft_assignments(z, mu, alpha=2.0), expected)


def loop_assignments(z: np.ndarray, mu: np.ndarray, alpha: float) -> np.ndarray:
    rows = []
    for point in z:
        row = [(1 + sum((point - center) ** 2) / alpha) ** (-(alpha + 1) / 2) for center in mu]
        rows.append([value / sum(row) for value in row])
    return np.array(rows)


def loop_targets(q: np.ndarray) -> np.ndarray:
    frequencies = [sum(q[i][j] for i in range(len(q))) for j in range(q.shape[1])]
    rows = []
    for row in q:
        weights = [value**2 / frequency for value, frequency in zip(row, frequencies, strict=True)]
        rows.append([weight / sum(weights) for weight in weights])
    return np.array(rows)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 6),
    k=st.integers(1, 5),
    m=st.integers(1, 4),
    alpha=st.sampled_from([0.5, 1.0, 3.0]),
    seed=st.integers(0, 2**31),
)
def test_matrix_forms_agree_with_plain_loops(n, k, m, alpha, seed):
    rng = np.random.default_rng(seed)
    z, mu = rng.normal(0, 3, (n, m)), rng.normal(0, 3, (k, m))
    expected_q = loop_assignments(z, mu, alpha)
    log_q = log_soft_assignments(torch.from_numpy(z), torch.from_numpy(mu), alpha)
    close(log_q.exp(), expected_q, 1e-10)
    expected_p = loop_targets(expected_q)
    p = target_distribution(log_q.exp())
    close(p, expected_p, 1e-9)
    by_hand = sum(
        expected_p[i, j] * np.log(expected_p[i, j] / expected_q[i, j]) for i in range(n) for j in range(k)
    )
    close(kl_divergence(p, log_q), by_hand / n, 1e-9)


def test_far_points_give_finite_losses_and_gradients_in_single_precision():
    z = torch.tensor([[1e6, -1e6], [0.0, 0.0]], requires_grad=True)
    mu = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    log_q = log_soft_assignments(z, mu)
    loss = kl_divergence(target_distribution(log_q.exp()).detach(), log_q)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(z.grad).all()


def test_a_cluster_nobody_is_near_leaves_the_targets_finite():
    q = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    close(target_distribution(q), [[1.0, 0.0], [1.0, 0.0]])


def test_distances_far_from_the_origin_keep_their_precision_in_single_precision():
    z = torch.tensor([[1000.0, 1000.0], [1001.0, 1000.0]])
    close(squared_distances(z, z), [[0.0, 1.0], [1.0, 0.0]], 1e-4)
