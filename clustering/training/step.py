"""One optimisation step of fixed shape, eager or replayed from a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal

import torch
from torch import Generator, Tensor, nn

from clustering.training.capture import Replayed
from clustering.training.data import Data

Precision = Literal["float32", "tf32", "bfloat16"]


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


Terms = dict[str, Tensor]
Loss = Callable[[Batch], Terms]
# Named terms, and the parameters that learn from them; None for all that they reach.
Turn = tuple[Terms, Sequence[nn.Parameter] | None]
Turns = Callable[[Batch], Iterator[Turn]]


def at_once(loss: Loss) -> Turns:
    """Return a step of one turn, in which everything learns from all terms."""

    def turns(batch: Batch) -> Iterator[Turn]:
        yield loss(batch), None

    return turns


class Step:
    """Compute the loss of a batch, move the parameters, and add up the terms on the device.

    Parameters
    ----------
    turns : callable
        Batch → the turns of a step, each computed once the one before has moved its parameters. A turn's
        named scalar terms are summed and minimised.
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
        turns: Turns,
        optimiser: torch.optim.Optimizer,
        targets: Mapping[str, Tensor],
        data: Data,
        generator: Generator,
        precision: Precision,
        capture: bool = True,
    ) -> None:
        self._turns, self._optimiser, self._targets = turns, optimiser, targets
        self._data, self._generator, self._precision = data, generator, precision
        self._replayed: Replayed | None = None
        if capture and data.device.type == "cuda":
            self._replayed = Replayed(optimiser, data.device, generator)
        self._names: tuple[str, ...] = ()
        self._sums: list[Tensor] = []

    def run(self, table: Tensor) -> None:
        """Take a step on each batch of row numbers, int64 (batches, b); the host does not wait for it."""
        # Resident features are picked within the step, so that only row numbers are carried to a record.
        batches = ((rows,) for rows in table) if self._data.resident else self._data.batches(table)
        for batch in batches:
            if self._replayed:
                self._replayed(self._take, *batch)
            else:
                self._take(*batch)

    def means(self, steps: int) -> dict[str, float]:
        """Return the mean of each term over the last ``steps`` steps and start again from zero.

        This is the only moment at which the host waits for the device.
        """
        if not self._sums:
            return {}
        means = (torch.stack(self._sums) / steps).tolist()
        torch._foreach_zero_(self._sums)
        return dict(zip((*self._names, "total"), means, strict=True))

    def _take(self, rows: Tensor, features: Tensor | None = None) -> None:
        picked = {name: whole.index_select(0, rows) for name, whole in self._targets.items()}
        batch = Batch(self._data.take(rows) if features is None else features, rows, picked, self._generator)
        told: Terms = {}
        turns = self._turns(batch)
        with products_in(self._precision):
            while turn := self._next(turns):
                terms, parameters = turn
                self._optimiser.zero_grad(set_to_none=True)
                reduce(add, terms.values()).backward(inputs=None if parameters is None else list(parameters))
                self._optimiser.step()  # parameters without a gradient stay where they are
                told |= {name: value.detach().float() for name, value in terms.items()}
        values = [*told.values(), reduce(add, told.values())]
        if not self._sums:
            self._names = tuple(told)
            self._sums = [torch.zeros_like(value) for value in values]
        torch._foreach_add_(self._sums, values)

    def _next(self, turns: Iterator[Turn]) -> Turn | None:
        half = self._precision == "bfloat16"
        # Weights change in every turn, so a cast that is kept would be out of date, in a replay too.
        with torch.autocast(self._data.device.type, torch.bfloat16, enabled=half, cache_enabled=False):
            return next(turns, None)


@contextmanager
def products_in(precision: Precision) -> Iterator[None]:
    """Multiply single-precision matrices on CUDA in TF32 inside the block, or in full.

    Convolutions add up in the same order every time: cuDNN's choice, left to itself, does not, and a seed
    would not give the same fit twice.
    """
    before = torch.backends.cuda.matmul.fp32_precision
    torch.backends.cuda.matmul.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    deterministic = torch.backends.cudnn.deterministic
    torch.backends.cudnn.deterministic = True
    try:
        yield
    finally:
        torch.backends.cuda.matmul.fp32_precision = before
        torch.backends.cudnn.deterministic = deterministic
