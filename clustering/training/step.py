"""One optimisation step of fixed shape, eager or replayed from a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor

from clustering.training.data import Data

Precision = Literal["float32", "tf32", "bfloat16"]
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
        For noise and views; on the device, seeded anew every epoch.
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
    data : Data
    generator : torch.Generator
        On the device; a replay draws from it as the step itself would.
    precision : {"float32", "tf32", "bfloat16"}
    capture : bool
        On CUDA, replay the step from a graph; everything must then happen on one stream of its own.
    """

    def __init__(
        self,
        loss: Loss,
        optimiser: torch.optim.Optimizer,
        targets: Mapping[str, Tensor],
        data: Data,
        generator: Generator,
        precision: Precision,
        capture: bool = True,
    ) -> None:
        self._loss, self._optimiser, self._targets = loss, optimiser, targets
        self._data, self._generator, self._precision = data, generator, precision
        self._capture = capture and data.device.type == "cuda"
        self._graph: torch.cuda.CUDAGraph | None = None
        self._taken = 0
        self._names: tuple[str, ...] = ()
        self._sums: Tensor | None = None

    def run(self, table: Tensor) -> None:
        """Take a step on each batch of row numbers, int64 (batches, b); the host does not wait for it."""
        if not self._capture:
            for rows, features in self._data.batches(table):
                self._take(rows, features)
        elif self._data.resident:
            for rows in table:
                self._replay(rows)
        else:
            for rows, features in self._data.batches(table):
                self._replay(rows, features)

    def means(self, steps: int) -> dict[str, float]:
        """Return the mean of each term over the last ``steps`` steps and start again from zero.

        This is the only moment at which the host waits for the device.
        """
        if self._sums is None:
            return {}
        means = (self._sums / steps).tolist()
        self._sums.zero_()
        return dict(zip((*self._names, "total"), means, strict=True))

    def _take(self, rows: Tensor, features: Tensor) -> None:
        picked = {name: whole.index_select(0, rows) for name, whole in self._targets.items()}
        batch = Batch(features, rows, picked, self._generator)
        half = self._precision == "bfloat16"
        with products_in(self._precision):
            # Weights change in every step, so a cast that is kept would be out of date in a replay.
            with torch.autocast(self._data.device.type, torch.bfloat16, enabled=half, cache_enabled=False):
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

    def _replay(self, rows: Tensor, features: Tensor | None = None) -> None:
        """Take a step from the graph, which reads its rows, and streamed features, from fixed memory."""
        if self._taken == 0:
            self._rows = rows.clone()
            self._features = None if features is None else features.clone()
        self._rows.copy_(rows)
        if features is not None and self._features is not None:
            self._features.copy_(features)
        if self._taken < WARM_UP:
            self._take_presented()
        else:
            if self._graph is None:
                self._captured()
            assert self._graph is not None
            self._graph.replay()
        self._taken += 1

    def _take_presented(self) -> None:
        streamed = self._features
        self._take(self._rows, self._data.take(self._rows) if streamed is None else streamed)

    def _captured(self) -> None:
        self._optimiser.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        self._graph.register_generator_state(self._generator)
        with torch.cuda.graph(self._graph, stream=torch.cuda.current_stream()):
            self._take_presented()


@contextmanager
def products_in(precision: Precision) -> Iterator[None]:
    """Multiply single-precision matrices on CUDA in TF32 inside the block, or in full."""
    before = torch.backends.cuda.matmul.fp32_precision
    torch.backends.cuda.matmul.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.fp32_precision = before
