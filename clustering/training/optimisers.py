"""Optimisers and learning-rate schedules by name, set up so that a step can be captured in a CUDA graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from clustering.training.caffe_sgd import CaffeSGD

# Share of the phase that is done, in [0, 1) → factor on the learning rate.
Schedule = Callable[[float], float]


def constant(share: float) -> float:  # noqa: ARG001
    """Keep the learning rate."""
    return 1.0


def cosine(share: float) -> float:
    """Let the learning rate fall to zero along half a cosine."""
    return (1 + math.cos(math.pi * share)) / 2


def warm_up(share: float) -> float:
    """Let the learning rate grow from a tenth over the first tenth of the phase, then keep it.

    Adam's first steps move every weight by the whole rate: in a wide network they add up and units die.
    """
    return min(1.0, 0.1 + 10 * share)


def gentle_cosine(share: float) -> float:
    """Let the learning rate fall along 7/16 of a cosine's half turn, to a fifth of what it was (FixMatch)."""
    return math.cos(7 * math.pi * share / 16)


def tenth_every(length: float) -> Schedule:
    """Divide the learning rate by ten after every ``length`` of the phase (a share of 1)."""

    def factor(share: float) -> float:
        return float(10.0 ** -math.floor(share / length + 1e-9))

    return factor


@dataclass(frozen=True)
class Optimiser:
    """How a phase moves its parameters.

    Parameters
    ----------
    kind : {"sgd", "adam"}
    learning_rate : float
    momentum : float
        Of plain SGD.
    schedule : callable
    bias_factor : float
        Biases learn this many times as fast; 2 in DEC's Caffe code.
    weight_decay : float
    forgetful : sequence of Parameter
        Those that plain SGD moves without momentum.
    first_beta : float
        β₁ of Adam.
    paces : sequence of (float, sequence of Parameter)
        Parameters that learn that many times as fast as the others, such as a GAN's critic.
    nesterov : bool
        Plain SGD looks ahead along its momentum.
    flat_decays : bool
        Whether biases and the scales of a normalisation decay too.
    burn_in : int
        Plain SGD's steps in which the momentum grows from 0; with any, the step is Caffe's, see `CaffeSGD`.
    """

    kind: Literal["sgd", "adam"]
    learning_rate: float
    momentum: float = 0.9
    schedule: Schedule = constant
    bias_factor: float = 1.0
    weight_decay: float = 0.0
    forgetful: Sequence[nn.Parameter] = ()
    first_beta: float = 0.9
    paces: Sequence[tuple[float, Sequence[nn.Parameter]]] = ()
    nesterov: bool = False
    flat_decays: bool = True
    burn_in: int = 0

    def build(self, parameters: Iterable[nn.Parameter], device: torch.device) -> torch.optim.Optimizer:
        """Return a torch optimiser over ``parameters``, fused where torch has a fused one."""
        forgetful = {id(parameter) for parameter in self.forgetful}
        paced = {id(parameter): pace for pace, some in self.paces for parameter in some}
        known = list(parameters)
        kept = [p for p in known if id(p) not in forgetful | paced.keys()]
        spared: dict[str, Any] = {} if self.flat_decays else {"weight_decay": 0.0}
        biases = [p for p in kept if p.ndim <= 1] if self.bias_factor != 1 or spared else []
        apart = {id(parameter) for parameter in biases}
        groups: list[dict[str, Any]] = [  # as few as can be: each is a launch of its own
            {"params": [p for p in kept if id(p) not in apart], "factor": 1.0},
            {"params": biases, "factor": self.bias_factor, **spared},
            {"params": [p for p in known if id(p) in forgetful], "factor": 1.0, "momentum": 0.0},
            *(
                {"params": [p for p in known if paced.get(id(p)) == pace], "factor": pace}
                for pace in dict.fromkeys(paced.values())
            ),
        ]
        groups = [group for group in groups if group["params"]]
        on_cuda = device.type == "cuda"
        for group in groups:
            # A captured step reads its learning rate from device memory, where the schedule can change it.
            rate = self.learning_rate * group["factor"]
            group["lr"] = torch.tensor(rate, device=device) if on_cuda else rate
        shared: dict[str, Any] = {
            "fused": device.type in ("cuda", "cpu"),
            "weight_decay": self.weight_decay,
        }
        if self.kind == "adam":
            return torch.optim.Adam(groups, betas=(self.first_beta, 0.999), capturable=on_cuda, **shared)
        if self.burn_in:
            return CaffeSGD(groups, self.learning_rate, self.momentum, self.weight_decay, self.burn_in)
        return torch.optim.SGD(
            groups, lr=self.learning_rate, momentum=self.momentum, nesterov=self.nesterov, **shared
        )

    def set_rate(self, optimiser: torch.optim.Optimizer, share: float, factor: float = 1.0) -> None:
        """Set the learning rate, times ``factor``, for the moment when ``share`` of the phase is done."""
        rate = factor * self.learning_rate * self.schedule(share)
        for group in optimiser.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(rate * group["factor"])
            else:
                group["lr"] = rate * group["factor"]
