"""One optimisation step of fixed shape, eager or replayed from a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from torch import Generator, Tensor

Precision = Literal["float32", "bfloat16"]
WARM_UP = 3  # eager steps before a capture: cuBLAS, autograd and the optimiser allocate their state in them


@dataclass(frozen=True)
class Batch:
    """What a loss sees of a batch.

    Parameters
    ----------
    features : Tensor (b, d)
    rows : int64 Tensor (b,)
        Which items these are.
    targets : dict of str to Tensor (b, …)
        The items' rows of every whole-set tensor the last refresh made.
    generator : torch.Generator
        For noise; on the device, seeded anew every epoch.
    """

    features: Tensor
    rows: Tensor
    targets: Mapping[str, Tensor]
    generator: Generator


Loss = Callable[[Batch], dict[str, Tensor]]


class Step:
    """Compute the loss of a batch, move the parameters, and add up the terms on the device.

    Parameters
    ----------
    loss : callable
        Batch → named scalar terms; their sum is minimised.
    optimiser : torch.optim.Optimizer
    targets : dict of str to Tensor (n, …)
        Whole-set tensors; the caller may change their values in place, never replace them.
    generator : torch.Generator
    device : torch.device
    precision : {"float32", "bfloat16"}
    capture : bool
        Replay the step from a CUDA graph; only on CUDA and only for a loss without noise.
    """

    def __init__(
        self,
        loss: Loss,
        optimiser: torch.optim.Optimizer,
        targets: Mapping[str, Tensor],
        generator: Generator,
        device: torch.device,
        precision: Precision,
        capture: bool,
    ) -> None:
        self._loss, self._optimiser, self._targets = loss, optimiser, targets
        self._generator, self._device, self._precision = generator, device, precision
        self._capture = capture and device.type == "cuda"
        self._graph: torch.cuda.CUDAGraph | None = None
        self._taken = 0
        self._names: tuple[str, ...] = ()
        self._sums: Tensor | None = None

    def __call__(self, rows: Tensor, features: Tensor) -> None:
        """Take one step on items ``rows`` (b,) with ``features`` (b, d)."""
        if not self._capture:
            self._eager(rows, features)
        elif self._taken < WARM_UP:
            self._warm_up(rows, features)
        else:
            if self._graph is None:
                self._captured(rows, features)
            self._rows.copy_(rows)
            self._features.copy_(features)
            assert self._graph is not None
            self._graph.replay()
        self._taken += 1

    def means(self, steps: int) -> dict[str, float]:
        """Return the mean of each term over the last ``steps`` steps and start again from zero.

        This is the only moment at which the host waits for the device.
        """
        if self._sums is None:
            return {}
        means = (self._sums / steps).tolist()
        self._sums.zero_()
        return dict(zip((*self._names, "total"), means, strict=True))

    def _eager(self, rows: Tensor, features: Tensor) -> None:
        picked = {name: whole.index_select(0, rows) for name, whole in self._targets.items()}
        batch = Batch(features, rows, picked, self._generator)
        bfloat16 = self._precision == "bfloat16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=bfloat16, cache_enabled=False):
            terms = self._loss(batch)
        total = torch.stack(list(terms.values())).sum()
        self._optimiser.zero_grad(set_to_none=True)
        total.backward()
        self._optimiser.step()
        values = torch.stack([*terms.values(), total]).detach().float()
        if self._sums is None:
            self._names = tuple(terms)
            self._sums = torch.zeros_like(values)
        self._sums += values

    def _warm_up(self, rows: Tensor, features: Tensor) -> None:
        side = _side_stream(self._device)
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self._eager(rows, features)
        torch.cuda.current_stream().wait_stream(side)

    def _captured(self, rows: Tensor, features: Tensor) -> None:
        self._rows, self._features = rows.clone(), features.clone()
        self._optimiser.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, stream=_side_stream(self._device)):
            self._eager(self._rows, self._features)


@cache
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    """Return the one stream of warm-ups and captures: cuBLAS keeps a workspace for every stream it meets."""
    return torch.cuda.Stream(device)
