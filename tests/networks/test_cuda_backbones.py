"""A timm model in a recorded step does what it does in a plain one, its statistics of batches included."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from clustering.methods.cc import CC
from clustering.training.data import Data
from clustering.training.step import Step

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
STEPS = 10  # more than the warm-up takes


def learned(backbone: str, capture: bool, device: torch.device) -> tuple[dict[str, float], nn.Module]:
    """Take some steps of CC; return the mean losses and the network."""
    pictures = np.random.default_rng(0).random((64, 32 * 32 * 3), dtype=np.float32)
    data = Data(pictures, device)
    method = CC(4, views="photographs", backbone=backbone, batch_size=32)
    network = method.setup(pictures.shape[1], torch.Generator().manual_seed(0)).to(device)
    (phase,) = method.phases(network, data)
    phase.begin()
    optimiser = phase.optimiser.build(phase.parameters, device)
    noise = torch.Generator(device).manual_seed(1)
    step = Step(phase.taken, optimiser, {}, data, noise, "float32", capture)
    step.run(torch.arange(64, device=device).view(2, 32).repeat(STEPS // 2, 1))
    return step.means(STEPS), network


@pytest.mark.parametrize("backbone", ["test_resnet", "test_vit"])
def test_a_recorded_step_of_a_timm_model_is_a_plain_one(backbone):
    device = torch.device("cuda")
    plain, one = learned(backbone, False, device)
    recorded, two = learned(backbone, True, device)
    assert recorded == pytest.approx(plain, rel=0.02)
    counted = [name for name in one.state_dict() if name.endswith("num_batches_tracked")]
    assert bool(counted) == (backbone == "test_resnet")
    for name in counted:
        assert int(one.state_dict()[name]) == int(two.state_dict()[name]) > 0
