"""The losses of both versions of G-CEALS against the worked example and against plain loops."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import CrossEntropyLoss

from clustering.losses.gaussian_assignment import log_gaussian_assignments, mahalanobis_distances
from clustering.losses.shared_covariance import inverse_covariance, log_shared_assignments
from clustering.losses.soft_cross_entropy import soft_cross_entropy

Z = torch.tensor([[0.0, 0], [1, 0], [3, 4]], dtype=torch.float64)
MU = torch.tensor([[0.0, 0], [3, 3]], dtype=torch.float64)
VARIANCES = torch.tensor([[1, 4], [0.25, 1]], dtype=torch.float64)
P = [[0.998780633775, 0.001219366225], [0.982013790038, 0.017986209962], [0.068782003101, 0.931217996899]]


def close(found: torch.Tensor, expected: object, tolerance: float = 1e-11) -> None:
    np.testing.assert_allclose(found.detach().numpy(), np.asarray(expected), rtol=0, atol=tolerance)


def test_distances_assignments_weights_and_targets_are_those_of_the_worked_example():
    distances = [[0, 6.708203932499], [1, 5], [3.605551275464, 1]]
    close(mahalanobis_distances(Z, MU, VARIANCES), distances, 2e-6)  # 0 is kept off by a millionth
    p = log_gaussian_assignments(Z, MU, VARIANCES).exp()
    close(p, P, 1e-8)
    close(p[1:], P[1:])
    weights = p.mean(dim=0)
    close(weights, [0.683192142305, 0.316807857695], 1e-8)
    close((weights * p)[2], [0.046991324051, 0.295017178645], 1e-8)


def test_the_cross_entropy_is_that_of_the_worked_example_and_its_gradient_reaches_the_targets():
    p = torch.tensor(P, dtype=torch.float64)
    targets = (p.mean(dim=0) * p).requires_grad_()
    logits = torch.tensor([[2.0, 0], [1, 0], [0, 1.5]], dtype=torch.float64)
    loss = soft_cross_entropy(targets, logits)
    close(loss, 0.148151969025)
    close(loss, CrossEntropyLoss()(logits, targets).item(), 1e-14)
    loss.backward()
    close(targets.grad, -torch.log_softmax(logits, dim=1) / 3)
    normalised = targets / targets.sum(dim=1, keepdim=True)
    close(soft_cross_entropy(normalised, logits), 0.285751173043)  # what it would be, and is not


def test_other_forms_of_the_assignment_give_what_the_worked_example_says_of_them():
    distances = mahalanobis_distances(Z, MU, VARIANCES)
    close(torch.softmax(-(distances**2) / 2, dim=1)[2], [0.002472623157, 0.997527376843])
    close(torch.softmax(-(distances**2), dim=1)[2], [6.144174602e-06, 0.999993855825])


def loop_distances(z: np.ndarray, mu: np.ndarray, variances: np.ndarray) -> np.ndarray:
    return np.array(
        [
            [sum((a - b) ** 2 / v for a, b, v in zip(point, center, spread, strict=True)) ** 0.5
             for center, spread in zip(mu, variances, strict=True)]
            for point in z
        ]
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 6), k=st.integers(1, 5), m=st.integers(1, 4), seed=st.integers(0, 2**31))
def test_matrix_forms_agree_with_plain_loops(n, k, m, seed):
    rng = np.random.default_rng(seed)
    z, mu, variances = rng.normal(0, 3, (n, m)), rng.normal(0, 3, (k, m)), rng.uniform(0.2, 5, (k, m))
    distances = loop_distances(z, mu, variances)
    tensors = [torch.from_numpy(values) for values in (z, mu, variances)]
    close(mahalanobis_distances(*tensors), distances, 1e-6)
    weights = np.exp(-distances)
    expected = weights / weights.sum(axis=1, keepdims=True)
    close(log_gaussian_assignments(*tensors).exp(), expected, 1e-6)
    logits = rng.normal(size=(n, k))
    q = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    by_hand = -sum(expected[i, j] * np.log(q[i, j]) for i in range(n) for j in range(k)) / n
    close(soft_cross_entropy(torch.from_numpy(expected), torch.from_numpy(logits)), by_hand)
    metric = np.linalg.inv(np.cov(rng.normal(size=(m, 20))).reshape(m, m))
    squares = np.array([[(a - b) @ metric @ (a - b) for b in mu] for a in z])
    weights = np.exp(-(squares - squares.min(axis=1, keepdims=True)))
    found = log_shared_assignments(tensors[0], tensors[1], torch.from_numpy(metric)).exp()
    close(found, weights / weights.sum(axis=1, keepdims=True), 1e-9)


def test_the_shared_metric_is_the_pseudo_inverse_of_the_covariance_even_with_a_dead_column():
    points = np.random.default_rng(0).normal(size=(30, 4))
    points[:, 2] = 7.0
    close(inverse_covariance(torch.from_numpy(points)), np.linalg.pinv(np.cov(points.T)), 1e-9)


def test_an_item_on_its_centre_and_one_far_off_have_finite_gradients_in_single_precision():
    z = torch.tensor([[0.0, 0.0], [1e6, -1e6]], requires_grad=True)
    mu = torch.tensor([[0.0, 0.0], [1.0, 1.0]], requires_grad=True)
    spread = torch.ones(2, 2, requires_grad=True)
    log_p = log_gaussian_assignments(z, mu, spread)
    soft_cross_entropy(log_p.exp(), torch.zeros(2, 2) + z).backward()
    for tensor in (z, mu, spread):
        assert torch.isfinite(tensor.grad).all()
