"""A step against the arithmetic of its optimiser, and schedules against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from clustering.training.data import Data
from clustering.training.optimisers import Optimiser, constant, cosine, tenth_every, warm_up
from clustering.training.step import Batch, Step, at_once

CPU = torch.device("cpu")


def line(kind: str, **settings) -> tuple[nn.Parameter, Step]:
    """A step on the mean of w·x for one weight."""
    weight = nn.Parameter(torch.zeros(1, 1))
    optimiser = Optimiser(kind, 0.1, **settings).build([weight], CPU)

    def loss(batch: Batch) -> dict[str, torch.Tensor]:
        return {
            "slope": (batch.features @ weight).mean(),
            "pull": (batch.targets["t"] * weight).mean() * 0 + 2.0,
        }

    targets = {"t": torch.arange(4.0)[:, None]}
    data = Data(np.array([[1.0], [3.0], [1.0], [3.0]], dtype=np.float32), CPU)
    return weight, Step(at_once(loss), optimiser, targets, data, torch.Generator(), "float32")


def test_plain_sgd_with_momentum_moves_as_its_formula_says():
    weight, step = line("sgd", momentum=0.9)
    step.run(torch.tensor([[0, 1]]))
    assert weight.item() == pytest.approx(-0.1 * 2)
    step.run(torch.tensor([[2, 3]]))
    assert weight.item() == pytest.approx(-0.1 * 2 - 0.1 * (0.9 * 2 + 2))


def test_terms_are_averaged_over_the_steps_and_start_again_from_zero():
    _, step = line("sgd", momentum=0.0)
    step.run(torch.tensor([[0, 1], [0, 1]]))
    means = step.means(2)
    assert means["slope"] == pytest.approx((0 + -0.2 * 2) / 2)
    assert means["pull"] == pytest.approx(2)
    assert means["total"] == pytest.approx(means["slope"] + 2)
    assert step.means(1) == {"slope": 0, "pull": 0, "total": 0}


def test_turns_follow_one_another_and_each_moves_what_learns_from_it_alone():
    first, second = (nn.Parameter(torch.ones(1)) for _ in range(2))
    optimiser = Optimiser("sgd", 0.1, momentum=0.0).build([first, second], CPU)

    def turns(batch: Batch):
        yield {"first": (first * second).sum()}, [first]
        yield {"second": (first * second).sum()}, [second]  # the first has moved by now

    step = Step(turns, optimiser, {}, Data(np.ones((2, 1), np.float32), CPU), torch.Generator(), "float32")
    step.run(torch.tensor([[0, 1]]))
    assert first.item() == pytest.approx(0.9)
    assert second.item() == pytest.approx(1 - 0.1 * 0.9)
    assert step.means(1) == pytest.approx({"first": 1.0, "second": 0.9, "total": 1.9})


def test_biases_may_learn_twice_as_fast():
    layer = nn.Linear(1, 1)
    optimiser = Optimiser("sgd", 0.1, bias_factor=2.0)
    built = optimiser.build(layer.parameters(), CPU)
    optimiser.set_rate(built, 0.0)
    assert [group["lr"] for group in built.param_groups] == [0.1, 0.2]
    optimiser.set_rate(built, 0.5, factor=0.25)
    assert [group["lr"] for group in built.param_groups] == [0.025, 0.05]


def test_schedules_follow_their_formulas():
    assert constant(0.7) == 1
    assert [cosine(0), cosine(0.5)] == [1, pytest.approx(0.5)]
    assert cosine(0.25) == pytest.approx((1 + math.cos(math.pi / 4)) / 2)
    assert [warm_up(share) for share in (0, 0.05, 0.1, 0.9)] == pytest.approx([0.1, 0.6, 1, 1])
    steps = tenth_every(0.4)  # 20,000 of 50,000 iterations
    assert [steps(share) for share in (0, 0.39, 0.4, 0.79, 0.8)] == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_half_precision_leaves_the_weights_in_single_and_the_loss_close():
    layer = nn.Linear(8, 1)
    generator = torch.Generator().manual_seed(0)
    data = Data(torch.randn(16, 8, generator=generator).numpy(), CPU)
    means = {}
    for precision in ("float32", "bfloat16"):
        optimiser = Optimiser("sgd", 1e-9).build(layer.parameters(), CPU)
        step = Step(
            at_once(lambda batch: {"square": layer(batch.features).float().square().mean()}),
            optimiser,
            {},
            data,
            generator,
            precision,
        )
        step.run(torch.arange(16)[None])
        means[precision] = step.means(1)["total"]
    assert layer.weight.dtype == torch.float32
    assert means["bfloat16"] == pytest.approx(means["float32"], rel=0.05)
    assert means["bfloat16"] != means["float32"]
