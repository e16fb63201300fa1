"""One optimisation step on one batch; on CUDA replayed from a graph, so that launching costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from clustering.projections.dre_parameters import Precision
from clustering.training.capture import Replayed
from clustering.training.step import products_in


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
        self._sum = torch.zeros((), device=device)
        self._replayed = Replayed(optimiser, device) if device.type == "cuda" else None

    def __call__(self, *batch: Tensor) -> None:
        """Learn from one batch."""
        if self._replayed:
            self._replayed(self._eager, *batch)
        else:
            self._eager(*batch)

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


@contextmanager
def network_numbers(precision: Precision, device: torch.device) -> Iterator[None]:
    """Compute in the network's precision inside the block; distances stay outside of it, in float32."""
    half = torch.autocast(device.type, torch.bfloat16, precision == "bfloat16", cache_enabled=False)
    with half, products_in(precision):
        yield
