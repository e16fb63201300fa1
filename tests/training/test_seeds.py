"""Seeds by purpose: repeatable, different from each other, and local."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from clustering.training.seeds import derived_seed, numpy_generator, torch_generator


@given(st.integers(0, 2**32 - 1))
def test_a_purpose_has_one_seed_and_another_purpose_another(random_state):
    seed = derived_seed(random_state, "order", "pretrain", 3)
    assert seed == derived_seed(random_state, "order", "pretrain", 3)
    assert 0 <= seed < 2**32
    others = {
        derived_seed(random_state, "order", "pretrain", 4),
        derived_seed(random_state, "order", "cluster", 3),
        derived_seed(random_state, "noise", "pretrain", 3),
        derived_seed(random_state ^ 1, "order", "pretrain", 3),
    }
    assert len(others) == 4
    assert seed not in others


def test_generators_repeat_and_leave_the_global_ones_alone():
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    one = torch.rand(3, generator=torch_generator(7, "weights"))
    two = torch.rand(3, generator=torch_generator(7, "weights"))
    assert torch.equal(one, two)
    assert numpy_generator(7, "snapshot").random() == numpy_generator(7, "snapshot").random()
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == np.random.get_state()[1].tolist()
