"""Work of fixed shape on a CUDA device, recorded in a graph and replayed: launching then costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Generator, Tensor

WARM_UP = 3  # times before a recording: cuBLAS, autograd and the optimiser allocate their state in them


class Replayed:
    """Do some work a few times as it stands, then record it and replay the record.

    Warm-up and recording share one stream that is not the default one, because gradients belong to the stream
    that met them first: the current stream where it is such a one, as on a lane, else one kept for this.

    The work is handed over with every call and not held: its owner holds this, and a ring of the two would
    outlive them until some later recording, which a graph that is thrown away in the middle of it breaks.

    Parameters
    ----------
    optimiser : torch.optim.Optimizer
        Of the work; its gradients are let go before the recording, which then makes its own.
    device : torch.device
    generator : torch.Generator, optional
        On the device; a replay draws from it as the work itself would.
    """

    def __init__(
        self, optimiser: torch.optim.Optimizer, device: torch.device, generator: Generator | None = None
    ) -> None:
        self._optimiser, self._device, self._generator = optimiser, device, generator
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: tuple[Tensor, ...] = ()
        self._done = 0

    def __call__(self, work: Callable[..., None], *inputs: Tensor) -> None:
        """Do the work, ever the same, with ``inputs``; the host does not wait for it.

        Parameters
        ----------
        work : callable
            Tensors of ever the same shapes → nothing. What else it reads or writes must stay where it lies.
        *inputs : Tensor
        """
        if self._done < WARM_UP:
            self._warm_up(work, inputs)
        else:
            if self._graph is None:
                self._graph = self._recorded(work, inputs)
            for mine, given in zip(self._inputs, inputs, strict=True):
                mine.copy_(given)
            self._graph.replay()
        self._done += 1

    def _warm_up(self, work: Callable[..., None], inputs: tuple[Tensor, ...]) -> None:
        current, own = torch.cuda.current_stream(self._device), _own_stream(self._device)
        own.wait_stream(current)
        with torch.cuda.stream(own):
            work(*inputs)
        current.wait_stream(own)

    def _recorded(self, work: Callable[..., None], inputs: tuple[Tensor, ...]) -> torch.cuda.CUDAGraph:
        self._inputs = tuple(tensor.clone() for tensor in inputs)
        self._optimiser.zero_grad(set_to_none=True)
        torch.cuda.synchronize(self._device)
        graph = torch.cuda.CUDAGraph()
        if self._generator is not None:
            graph.register_generator_state(self._generator)
        own = _own_stream(self._device)
        with torch.cuda.graph(graph, stream=own):
            work(*self._inputs)
        # A recording begins by writing the generator's seed, on its own stream: no replay may overtake that.
        torch.cuda.current_stream(self._device).wait_stream(own)
        return graph


def _own_stream(device: torch.device) -> torch.cuda.Stream:
    """Return the current stream, or where that is the default one, which cannot be recorded, another."""
    current = torch.cuda.current_stream(device)
    return _side_stream(device) if current == torch.cuda.default_stream(device) else current


@cache
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)
