"""The losses and the membership of HC-MGAN against the worked example and against plain loops."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.losses.adversarial import critic_loss, generator_loss
from clustering.losses.generator_identity import generator_identity
from clustering.losses.soft_split import refined_shares, shared_out, variation


def tensor(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_every_loss_is_that_of_the_worked_example():
    real, fakes = tensor([1.0, 2]), tensor([-1, 0.5])
    assert abs(float(critic_loss(real, fakes)) - 0.863764185130) < 1e-11
    apart = float(generator_identity(tensor([[2.0, 0]]), tensor([[0.5, 1]])))
    assert abs(apart - 0.300502497612) < 1e-11
    assert abs(float(generator_loss(fakes)) + apart - 1.194171833461) < 1e-11


def test_memberships_are_those_of_the_worked_example():
    branch = tensor([1, 0.5, 0.8, 1])
    raw = shared_out(branch, tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]]))
    torch.testing.assert_close(raw[:, 0], tensor([0.9, 0.3, 0.16, 0.3]))
    torch.testing.assert_close(raw[:, 1], tensor([0.1, 0.2, 0.64, 0.7]))
    left = tensor([[0.95, 0.05], [0.5, 0.5], [0.1, 0.9], [0.4, 0.6]])
    right = tensor([[0.05, 0.95], [0.3, 0.7], [0.8, 0.2], [0.9, 0.1]])
    refined = shared_out(branch, refined_shares(left, right))
    torch.testing.assert_close(refined[:, 0], tensor([0.95, 0.3, 0.12, 0.25]))
    torch.testing.assert_close(refined[:, 1], tensor([0.05, 0.2, 0.68, 0.75]))
    assert abs(float(variation(raw, refined)) - 0.14) < 1e-12


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 6), seed=st.integers(0, 2**31))
def test_matrix_forms_agree_with_plain_loops_and_no_mass_is_lost_or_made(n, seed):
    rng = np.random.default_rng(seed)
    held = rng.uniform(size=n)
    held[0] = 0
    left, right = rng.dirichlet([0.3, 0.3], n), rng.dirichlet([0.3, 0.3], n)
    shares = refined_shares(tensor(left), tensor(right))
    halves = shared_out(tensor(held), shares).numpy()
    for i in range(n):
        own = (left[i, 0] + right[i, 1]) / 2
        np.testing.assert_allclose(halves[i], [held[i] * own, held[i] * (1 - own)], atol=1e-12)
    np.testing.assert_allclose(halves.sum(axis=1), held, rtol=0, atol=1e-15)
    assert (halves >= 0).all()
    moved = sum(abs(halves[i, 0] - held[i]) for i in range(n))
    assert abs(float(variation(tensor(np.stack([held, held], axis=1)), tensor(halves))) - moved) < 1e-12
    logits = rng.normal(size=(2, n, 2))
    told = [
        -math.log(math.exp(logits[g, i, g]) / sum(math.exp(one) for one in logits[g, i]))
        for g in (0, 1)
        for i in range(n)
    ]
    assert abs(float(generator_identity(tensor(logits[0]), tensor(logits[1]))) - np.mean(told)) < 1e-12
