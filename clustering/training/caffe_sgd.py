"""Gradient descent with momentum as Caffe takes it, with the momentum growing over the first steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class CaffeSGD(torch.optim.Optimizer):
    """v ← μ_t v + η g, w ← w − v, with μ_t = μ · min(1, t / burn-in) in step t = 0, 1, ….

    The learning rate goes into the velocity, so that a smaller one is felt with a delay; torch's own SGD
    applies it after. The count of steps lies on the device: a step replayed from a graph counts on.

    Parameters
    ----------
    params : iterable of dict
        Groups of parameters, each with its ``lr``: a number, or a tensor on the device.
    lr, momentum, weight_decay : float
    burn_in : int
        ``momentum_burnin`` of the solver that DEC's authors trained with.
    """

    def __init__(self, params: Any, lr: float, momentum: float, weight_decay: float, burn_in: int) -> None:
        super().__init__(
            params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "burn_in": burn_in}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            moved = [weight for weight in group["params"] if weight.grad is not None]
            if not moved:
                continue
            states = [self._state_of(weight) for weight in moved]
            velocities = [state["velocity"] for state in states]
            taken = states[0]["taken"]
            gradients = [weight.grad for weight in moved]
            if group["weight_decay"]:
                gradients = list(torch._foreach_add(gradients, moved, alpha=group["weight_decay"]))
            torch._foreach_mul_(velocities, group["momentum"] * (taken / group["burn_in"]).clamp_max(1.0))
            torch._foreach_add_(velocities, torch._foreach_mul(gradients, group["lr"]))
            torch._foreach_sub_(moved, velocities)
            torch._foreach_add_([state["taken"] for state in states], 1.0)

    def _state_of(self, weight: Tensor) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.state[weight]
        if not state:
            state["velocity"] = torch.zeros_like(weight)
            state["taken"] = torch.zeros((), device=weight.device)
        return state
