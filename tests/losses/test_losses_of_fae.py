"""The losses of FAE against the worked example and against plain loops."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.losses.adversarial import critic_loss, generator_loss
from clustering.losses.feature_distance import feature_distance
from clustering.losses.prior_divergence import prior_divergence
from clustering.losses.pull_push import pull, push


def tensor(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def close(found: torch.Tensor, expected: float, tolerance: float = 1e-11) -> None:
    assert abs(float(found) - expected) < tolerance


def test_every_loss_is_that_of_the_worked_example():
    means, log_variances = tensor([[0.5, -1], [0, 0.2]]), tensor([[0, math.log(0.25)], [math.log(2), 0]])
    close(prior_divergence(means[:1], log_variances[:1]), 0.943147180560)
    close(prior_divergence(means[1:], log_variances[1:]), 0.173426409720)
    close(prior_divergence(means, log_variances), 0.558286795140)
    real, rebuilt, generated = tensor([2.0, 1]), tensor([-1, 0.5]), tensor([0.0, -2])
    close(critic_loss(real, rebuilt, generated), 1.273801780931)
    close(generator_loss(rebuilt, generated), 2.303706931651)
    close(feature_distance(tensor([[1, 0, 2], [0, 1, 1]]), tensor([[1, 1, 2], [0, 0, 0]])), 0.75)
    h, centers = tensor([[0, 0], [1, 0], [3, 4]]), tensor([[0.5, 0], [3, 4]])
    close(pull(h, centers, torch.tensor([0, 0, 1])), 0.166666666667)
    close(push(centers, 6.0), 1.646113207660)
    close(push(centers, 4.0), 0.0)


@settings(max_examples=30, deadline=None)
@given(b=st.integers(1, 5), k=st.integers(1, 5), m=st.integers(1, 4), seed=st.integers(0, 2**31))
def test_matrix_forms_agree_with_plain_loops(b, k, m, seed):
    rng = np.random.default_rng(seed)
    h, log_variances, centers = rng.normal(size=(b, m)), rng.normal(size=(b, m)), rng.normal(size=(k, m))
    labels = rng.integers(k, size=b)
    prior = sum(
        0.5 * (h[i, d] ** 2 + math.exp(log_variances[i, d]) - 1 - log_variances[i, d])
        for i in range(b)
        for d in range(m)
    )
    close(prior_divergence(tensor(h), tensor(log_variances)), prior / b, 1e-9)
    pulled = sum(((h[i] - centers[labels[i]]) ** 2).sum() for i in range(b)) / b
    close(pull(tensor(h), tensor(centers), torch.from_numpy(labels)), pulled, 1e-9)
    pairs = [(i, j) for i in range(k) for j in range(i)]
    pushed = sum(max(0, 3 - np.linalg.norm(centers[i] - centers[j])) ** 2 for i, j in pairs)
    close(push(tensor(centers), 3.0), pushed / max(1, len(pairs)), 1e-5)
    real, fake = h[:, 0], h[:, -1]
    close(
        critic_loss(tensor(real), tensor(fake)),
        np.mean(np.log1p(np.exp(-real))) + np.mean(np.log1p(np.exp(fake))),
        1e-9,
    )
    close(generator_loss(tensor(fake)), np.mean(np.log1p(np.exp(-fake))), 1e-9)
    close(
        feature_distance(tensor(h), tensor(log_variances)),
        sum(0.5 * ((h[i] - log_variances[i]) ** 2).sum() for i in range(b)) / b,
        1e-9,
    )


def test_features_of_the_real_item_are_held_and_centres_that_meet_have_a_finite_gradient():
    real, rebuilt = tensor([[1.0, 2]]).requires_grad_(), tensor([[0.0, 0]]).requires_grad_()
    feature_distance(real, rebuilt).backward()
    assert real.grad is None
    assert rebuilt.grad is not None
    centers = torch.zeros(3, 2, requires_grad=True)
    push(centers, 1.0).backward()
    assert torch.isfinite(centers.grad).all()
