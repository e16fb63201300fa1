"""A linear layer, with its ReLU where it has one, in as few kernels as torch has for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def fused_linear(layer: nn.Module, inputs: Tensor, rectify: bool) -> Tensor:
    """Return what ``layer`` makes of ``inputs`` (b, n_in), after a ReLU where ``rectify`` says so.

    On CUDA bias and ReLU ride on the matrix product, and the bias' gradient is a product too. Elsewhere, and
    in half precision, it is torch's own layer.

    Parameters
    ----------
    layer : Linear
    inputs : float Tensor (b, n_in)
    rectify : bool
    """
    assert isinstance(layer, nn.Linear)  # a list of modules does not say what it holds
    if inputs.is_cuda and inputs.ndim == 2 and not torch.is_autocast_enabled("cuda"):
        outputs: Tensor = _FusedLinear.apply(inputs, layer.weight, layer.bias, rectify)
        return outputs
    outputs = layer(inputs)
    return outputs.relu() if rectify else outputs


class _FusedLinear(torch.autograd.Function):
    """y = max(0, x Wᵀ + b), or without the maximum."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, rectify: bool) -> Tensor:
        if rectify:
            outputs = torch._addmm_activation(bias, inputs, weight.t())
        else:
            outputs = torch.addmm(bias, inputs, weight.t())
        ctx.save_for_backward(inputs, weight, outputs if rectify else None)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weight, rectified = ctx.saved_tensors
        if rectified is not None:
            gradient = torch.ops.aten.threshold_backward(gradient, rectified, 0)
        for_inputs, for_weight, for_bias, _ = ctx.needs_input_grad
        of_inputs = gradient @ weight if for_inputs else None
        of_weight = gradient.t() @ inputs if for_weight else None
        of_bias = torch.mv(gradient.t(), gradient.new_ones(len(gradient))) if for_bias else None
        return of_inputs, of_weight, of_bias, None
