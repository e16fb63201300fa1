"""The guard of a fit's first phase: what counts as steps that were too large."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from clustering.training.data import Data
from clustering.training.guard import Guard

ITEMS = np.random.default_rng(0).random((40, 6), dtype=np.float32)
LOWEST = 0.5


def guard(items: np.ndarray = ITEMS) -> Guard:
    return Guard(nn.Linear(6, 6), Data(items, torch.device("cpu")), torch.arange(40))


def answers(differing: float):
    """Return a network that answers all items alike but for so much."""
    return lambda features: 0.4 + differing * features


UNTRAINED = guard().spread(answers(0.01))


@pytest.mark.parametrize(
    ("total", "differing", "too_large"),
    [
        (math.nan, 1.0, True),
        (3.1 * LOWEST, 1.0, True),
        (2.9 * LOWEST, 1.0, False),
        (1.1 * LOWEST, 0.0005, True),  # only the mean item is rebuilt, after better epochs
        (0.9 * LOWEST, 0.0005, False),  # the mean is what a network learns first
        (1.1 * LOWEST, 0.002, False),
        (0.9 * LOWEST, 0.0, True),  # all units are dead: nothing more will be learned
    ],
)
def test_a_loss_that_explodes_and_a_network_that_no_longer_tells_items_apart_ran_away(
    total, differing, too_large
):
    assert guard().ran_away(total, LOWEST, answers(differing), UNTRAINED) == too_large


def test_items_that_are_all_the_same_may_be_answered_alike():
    assert not guard(np.ones((40, 6), np.float32)).ran_away(LOWEST, LOWEST, answers(0.0), UNTRAINED)
