"""One optimisation step on one batch; on CUDA replayed from a graph, so that launching costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import Tensor

from clustering.projections.dre_parameters import Precision
from clustering.training.step import products_in

WARM_UP = 3  # eager visits before a capture: cuBLAS, autograd and the optimiser allocate in them


class Visit:
    """Compute the objective of a batch, move the parameters, add up the loss on the device.

    Parameters
    ----------
    objective : callable
        Batch tensors, always of the same shapes → scalar.
    optimiser : torch.optim.Optimizer
    device : torch.device
    precision : {"float32", "tf32", "bfloat16"}
        Of the products in the backward pass, which are all the network's.
    """

    def __init__(
        self,
        objective: Callable[..., Tensor],
        optimiser: torch.optim.Optimizer,
        device: torch.device,
        precision: Precision,
    ) -> None:
        self._objective, self._optimiser, self._precision = objective, optimiser, precision
        self._device, self._captures = device, device.type == "cuda"
        self._sum = torch.zeros((), device=device)
        self._taken = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: tuple[Tensor, ...] = ()

    def __call__(self, *batch: Tensor) -> None:
        """Learn from one batch."""
        if not self._captures:
            self._eager(*batch)
        elif self._taken < WARM_UP:
            side = _side_stream(self._device)
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                self._eager(*batch)
            torch.cuda.current_stream().wait_stream(side)
        else:
            self._replay(batch)
        self._taken += 1

    def mean(self, count: int) -> float:
        """Return the mean loss of the last ``count`` visits; here, and only here, the host waits."""
        mean = self._sum.item() / count
        self._sum.zero_()
        return mean

    def _eager(self, *batch: Tensor) -> None:
        self._optimiser.zero_grad(set_to_none=True)
        loss = self._objective(*batch)
        with products_in(self._precision):
            loss.backward()
        self._optimiser.step()
        self._sum += loss.detach()

    def _replay(self, batch: tuple[Tensor, ...]) -> None:
        if self._graph is None:
            self._inputs = tuple(tensor.clone() for tensor in batch)
            self._optimiser.zero_grad(set_to_none=True)
            torch.cuda.synchronize()
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=_side_stream(self._device)):
                self._eager(*self._inputs)
        for mine, given in zip(self._inputs, batch, strict=True):
            mine.copy_(given)
        self._graph.replay()


@contextmanager
def network_numbers(precision: Precision, device: torch.device) -> Iterator[None]:
    """Compute in the network's precision inside the block; distances stay outside of it, in float32."""
    half = torch.autocast(device.type, torch.bfloat16, precision == "bfloat16", cache_enabled=False)
    with half, products_in(precision):
        yield


@cache
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    """Return the one stream of warm-ups and captures: gradients belong to the stream that met them first."""
    return torch.cuda.Stream(device)
