"""Run several fits at once on one device: each on a lane of its own, taking turns on the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any

import torch


def side_by_side(
    turns: Sequence[Iterator[None]], device: torch.device, ended: Callable[[int], None] | None = None
) -> None:
    """Take a turn of each in rotation until all have ended.

    On CUDA a turn leaves its work in the queue of its own stream and gives the word to the next, so the
    device computes all of them at once; small networks leave most of it idle. On the CPU the turns simply
    alternate. What each computes does not depend on its company.

    Parameters
    ----------
    turns : sequence of iterator
        Each step of an iterator hands out work, and hears of the work of the step before.
    device : torch.device
    ended : callable, optional
        Called with the place in ``turns`` of each that has ended.
    """
    streams = [_stream(device, number) for number in range(len(turns))] if device.type == "cuda" else []
    for stream in streams:
        stream.wait_stream(torch.cuda.current_stream(device))
    running = dict(enumerate(turns))
    try:
        while running:
            for number, turn in list(running.items()):
                with _on(streams[number] if streams else None):
                    if next(turn, _END) is _END:
                        del running[number]
                        if ended:
                            ended(number)
    finally:
        for stream in streams:
            torch.cuda.current_stream(device).wait_stream(stream)


_END: Any = object()


def _on(stream: torch.cuda.Stream | None) -> Any:
    return nullcontext() if stream is None else torch.cuda.stream(stream)


@cache
def _stream(device: torch.device, number: int) -> torch.cuda.Stream:  # noqa: ARG001
    """Return the stream of a lane, ever the same: cuBLAS keeps a workspace for every stream it meets."""
    return torch.cuda.Stream(device)
