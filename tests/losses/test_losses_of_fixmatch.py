"""FixMatch's losses, its teacher and its learning rate: specifications, a plain loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from clustering.losses.fixmatch import confident_labels, consistency_loss
from clustering.networks.refining import Refiner
from clustering.training.optimisers import gentle_cosine


def table(rows: list[list[float]]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def plain_consistency(weak: list[list[float]], strong: list[list[float]], threshold: float) -> float:
    total = 0.0
    for light, seen in zip(weak, strong, strict=True):
        odds = [math.exp(score) / sum(map(math.exp, light)) for score in light]
        if max(odds) >= threshold:
            label = odds.index(max(odds))
            total -= math.log(math.exp(seen[label]) / sum(map(math.exp, seen)))
    return total / len(weak)


def test_both_losses_are_those_of_the_specification_and_the_mean_is_over_all_not_over_the_sure():
    own = cross_entropy(table([[2, 0, 0], [0, 1, 0]]), torch.tensor([0, 1]))
    labels, sure = confident_labels(table([[4, 0, 0], [1, 0.5, 0], [0, 0, 6]]), 0.95)
    assert labels.tolist() == [0, 0, 2]
    assert sure.tolist() == [True, False, True]
    others = consistency_loss(labels, sure, table([[1, 0, 0], [0, 1, 0], [0, 1, 1]]))
    assert float(own) == pytest.approx(0.395494740077, abs=1e-11)
    assert float(others) == pytest.approx(0.471146505997, abs=1e-11)
    assert float(own + others) == pytest.approx(0.866641246074, abs=1e-11)


@given(st.integers(1, 6), st.integers(2, 4), st.floats(0.2, 0.99), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_consistency_is_that_of_a_plain_loop_and_teaches_through_strong_views_alone(n, k, threshold, seed):
    generator = torch.Generator().manual_seed(seed)
    weak, strong = 2 * torch.randn(2, n, k, generator=generator, dtype=torch.float64)
    weak.requires_grad_()
    strong.requires_grad_()
    labels, sure = confident_labels(weak, threshold)
    loss = consistency_loss(labels, sure, strong)
    expected = plain_consistency(weak.tolist(), strong.tolist(), threshold)
    np.testing.assert_allclose(float(loss.detach()), expected, atol=1e-10)
    loss.backward()
    assert weak.grad is None
    assert bool(((strong.grad.abs().sum(dim=1) > 0) == sure).all())


def test_the_learning_rate_falls_to_a_fifth_along_the_published_cosine():
    rates = [0.03 * gentle_cosine(share) for share in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(rates, [0.03, 0.0231903136, 0.0058527097], atol=1e-9)


def test_the_teacher_is_the_mean_of_weights_over_steps_and_takes_the_statistics_of_batches_as_they_are():
    refiner = Refiner(16, (4, 4, 1), 5, 3, torch.Generator().manual_seed(0))
    student, teacher = refiner.student, refiner.teacher
    with torch.no_grad():
        teacher.head.bias[:2] = torch.tensor([1.0, 2.0])
        student.head.bias[:2] = torch.tensor([0.0, 4.0])
    refiner.learn(torch.rand(8, 16))
    before = next(teacher.buffers()).clone()
    refiner.follow(0.999)
    torch.testing.assert_close(teacher.head.bias[:2], torch.tensor([0.999, 2.002]))
    assert not torch.equal(next(teacher.buffers()), before)
    for own, other in zip(teacher.buffers(), student.buffers(), strict=True):
        assert torch.equal(own, other)
