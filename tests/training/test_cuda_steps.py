"""On a CUDA device: recorded work does what the work does, and fused layers are torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from clustering.networks.fused_linear import fused_linear
from clustering.training.capture import WARM_UP, Replayed
from clustering.training.lanes import side_by_side

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


class Descent:
    """A weight that follows the batches it is given, with a little noise."""

    def __init__(self, replay: bool) -> None:
        device = torch.device("cuda")
        self.weight = nn.Parameter(torch.ones(8, 8, device=device))
        self.optimiser = torch.optim.SGD([self.weight], lr=0.05, momentum=0.9, fused=True)
        self.noise = torch.Generator(device).manual_seed(3)
        self.times = 0
        self.replayed = Replayed(self.optimiser, device, self.noise) if replay else None

    def learn(self, batch: torch.Tensor) -> None:
        if self.replayed:
            self.replayed(self.work, batch)
        else:
            self.work(batch)

    def work(self, batch: torch.Tensor) -> None:
        self.times += 1
        self.optimiser.zero_grad(set_to_none=True)
        noisy = batch + torch.rand(batch.shape, generator=self.noise, device="cuda")
        (noisy @ self.weight - batch).square().mean().backward()
        self.optimiser.step()


@pytest.mark.parametrize("lane", [False, True])
def test_recorded_work_does_what_the_work_does_on_the_default_stream_and_on_a_lane(lane):
    batches = torch.randn(10, 16, 8, generator=torch.Generator().manual_seed(0)).cuda()
    found = []
    for replay in (False, True):
        descent = Descent(replay)

        def turns(descent=descent):
            for batch in batches:
                descent.learn(batch.clone())  # elsewhere in memory each time
                yield

        if lane:
            side_by_side([turns()], torch.device("cuda"))
        else:
            for _ in turns():
                pass
        torch.cuda.synchronize()
        found.append(descent.weight.detach().clone())
        assert descent.times == (WARM_UP + 1 if replay else len(batches))
    torch.testing.assert_close(found[0], found[1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("rectify", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_fused_layer_and_its_gradients_are_those_of_torchs_own(rectify, dtype):
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(20, 7, dtype=dtype).cuda()
    inputs = torch.randn(33, 20, generator=generator, dtype=dtype).cuda().requires_grad_()
    pull = torch.randn(33, 7, generator=generator, dtype=dtype).cuda()
    plain = layer(inputs).relu() if rectify else layer(inputs)
    fused = fused_linear(layer, inputs, rectify)
    torch.testing.assert_close(fused, plain)
    wanted = torch.autograd.grad((plain * pull).sum(), [inputs, layer.weight, layer.bias])
    found = torch.autograd.grad((fused * pull).sum(), [inputs, layer.weight, layer.bias])
    for one, two in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


def test_a_layer_that_serves_twice_gathers_both_gradients():
    layer = nn.Linear(64, 64).cuda()
    inputs = torch.randn(512, 64, generator=torch.Generator().manual_seed(0)).cuda()
    fused_linear(layer, fused_linear(layer, inputs, True), True).sum().backward()
    found = layer.weight.grad.clone(), layer.bias.grad.clone()
    layer.zero_grad()
    layer(layer(inputs).relu()).relu().sum().backward()
    torch.testing.assert_close(found[0], layer.weight.grad, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(found[1], layer.bias.grad, rtol=1e-4, atol=1e-3)


def test_an_input_that_asks_for_no_gradient_gets_none():
    layer = nn.Linear(5, 3).cuda().requires_grad_(False)
    inputs = torch.randn(4, 5, device="cuda", requires_grad=True)
    fused_linear(layer, inputs, True).sum().backward()
    assert layer.weight.grad is None
    assert inputs.grad is not None
