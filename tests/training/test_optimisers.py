"""Optimisers by name: rates, what decays, and what forgets its momentum."""

from __future__ import annotations

import torch
from torch import nn

from clustering.training.optimisers import Optimiser, cosine

CPU = torch.device("cpu")


def test_a_forgetful_parameter_moves_by_its_gradient_alone_and_the_others_gather_speed():
    keeps, forgets = nn.Parameter(torch.zeros(2, 2)), nn.Parameter(torch.zeros(2, 2))
    optimiser = Optimiser("sgd", 0.5, momentum=0.9, forgetful=(forgets,)).build([keeps, forgets], CPU)
    for _ in range(2):
        keeps.grad, forgets.grad = torch.ones(2, 2), torch.ones(2, 2)
        optimiser.step()
    torch.testing.assert_close(forgets.detach(), torch.full((2, 2), -1.0))  # two steps of .5
    torch.testing.assert_close(keeps.detach(), torch.full((2, 2), -0.5 - 0.5 * 1.9))


def test_weights_decay_and_the_schedule_reaches_every_parameter():
    weight, still = nn.Parameter(torch.ones(1, 1)), nn.Parameter(torch.ones(1, 1))
    recipe = Optimiser("sgd", 0.1, momentum=0.0, schedule=cosine, weight_decay=0.5, forgetful=(still,))
    optimiser = recipe.build([weight, still], CPU)
    recipe.set_rate(optimiser, 0.5)
    for parameter in (weight, still):
        parameter.grad = torch.zeros(1, 1)
    optimiser.step()
    for parameter in (weight, still):
        torch.testing.assert_close(parameter.detach(), torch.full((1, 1), 1 - 0.05 * 0.5))


def test_a_slow_parameter_learns_a_fifth_as_fast_under_every_schedule():
    quick, slow = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
    recipe = Optimiser("adam", 0.1, schedule=cosine, first_beta=0.5, paces=((0.2, (slow,)),))
    optimiser = recipe.build([quick, slow], CPU)
    assert all(group["betas"] == (0.5, 0.999) for group in optimiser.param_groups)
    for share in (0.0, 0.5):
        recipe.set_rate(optimiser, share)
        rates = {id(weight): group["lr"] for group in optimiser.param_groups for weight in group["params"]}
        assert rates[id(slow)] == 0.2 * rates[id(quick)]


def test_biases_are_spared_the_decay_where_asked_and_the_step_may_look_ahead():
    weight, bias = nn.Parameter(torch.ones(1, 1)), nn.Parameter(torch.ones(1))
    recipe = Optimiser("sgd", 0.1, weight_decay=0.5, nesterov=True, flat_decays=False)
    optimiser = recipe.build([weight, bias], CPU)
    weight.grad, bias.grad = torch.zeros(1, 1), torch.zeros(1)
    optimiser.step()
    torch.testing.assert_close(weight.detach(), torch.full((1, 1), 1 - 0.05 * 1.9))
    torch.testing.assert_close(bias.detach(), torch.ones(1))
