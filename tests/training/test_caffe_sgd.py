"""Caffe's descent against a plain loop over its formula."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from clustering.training.optimisers import Optimiser

CPU = torch.device("cpu")


def walked(rates: list[float], burn_in: int, weight_decay: float = 0.0) -> list[float]:
    """Where w² / 2 leads from w = 1."""
    weight, velocity, places = 1.0, 0.0, []
    for step, rate in enumerate(rates):
        momentum = 0.9 * min(1.0, step / burn_in)
        velocity = momentum * velocity + rate * (weight + weight_decay * weight)
        weight -= velocity
        places.append(weight)
    return places


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_the_momentum_grows_over_the_burn_in_and_the_rate_goes_into_the_velocity(weight_decay):
    weight = nn.Parameter(torch.ones(1, 1))
    optimiser = Optimiser("sgd", 0.1, burn_in=4, weight_decay=weight_decay)
    built = optimiser.build([weight], CPU)
    rates = [0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01]
    for rate, place in zip(rates, walked(rates, 4, weight_decay), strict=True):
        optimiser.set_rate(built, 0.0, rate / 0.1)
        built.zero_grad()
        (weight.square().sum() / 2).backward()
        built.step()
        assert weight.item() == pytest.approx(place, rel=1e-5)


def test_the_count_of_steps_is_kept_with_the_state():
    def descended(steps: int, weight: nn.Parameter, built: torch.optim.Optimizer) -> None:
        for _ in range(steps):
            built.zero_grad()
            (weight.square().sum() / 2).backward()
            built.step()

    optimiser = Optimiser("sgd", 0.1, burn_in=5, bias_factor=2.0)
    weight = nn.Parameter(torch.ones(1, 1))
    built = optimiser.build([weight], CPU)
    descended(3, weight, built)
    again = nn.Parameter(weight.detach().clone())
    rebuilt = optimiser.build([again], CPU)
    rebuilt.load_state_dict(copy.deepcopy(built.state_dict()))
    descended(3, weight, built)
    descended(3, again, rebuilt)
    assert torch.equal(weight, again)
    assert weight.item() == pytest.approx(walked([0.1] * 6, 5)[-1], rel=1e-5)


def test_parameters_without_a_gradient_stay():
    weight = nn.Parameter(torch.ones(2))
    Optimiser("sgd", 0.1, burn_in=5).build([weight], CPU).step()
    assert torch.equal(weight, torch.ones(2))
