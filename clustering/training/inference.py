"""Run a trained network over many rows, and carry its weights in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clustering.training.data import Data

ROWS_AT_ONCE = 8192
ROWS_IN_PART = 2**20
N = TypeVar("N", bound=nn.Module)


class Encodes(Protocol):
    """A network with an `encode`."""

    def encode(self, inputs: Tensor) -> Tensor:
        """Map features (b, d) to latents (b, m)."""


def encode_all(network: Encodes, data: Data, seen: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """Return the latents of all items, float32 Tensor (n, m), on the device.

    Parameters
    ----------
    network : Encodes
    data : Data
    seen : callable, optional
        Features (b, d) → what the network is to see in their place.
    """
    latents: Tensor | None = None
    with torch.no_grad():  # not inference_mode: a loss may keep what follows from these for its gradient
        for part, features in data.chunks(ROWS_AT_ONCE):
            encoded = network.encode(seen(features) if seen else features)
            if latents is None:  # made once: parts put together at the end would take twice the memory
                latents = torch.empty(data.n_items, encoded.shape[1], device=encoded.device)
            latents[part] = encoded
    assert latents is not None  # there is at least one item
    return latents


def in_parts(work: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """Return ``work(rows)``, done on some rows at a time, so that what it needs in between stays small.

    Parameters
    ----------
    work : callable
        (r, m) → (r, k), row by row.
    rows : Tensor (n, m)
    """
    if len(rows) <= ROWS_IN_PART:
        return work(rows)
    result: Tensor | None = None
    for start in range(0, len(rows), ROWS_IN_PART):
        done = work(rows[start : start + ROWS_IN_PART])
        if result is None:
            result = done.new_empty(len(rows), *done.shape[1:])
        result[start : start + len(done)] = done
    assert result is not None
    return result


def weights_of(network: nn.Module) -> dict[str, NDArray[Any]]:
    """Return every weight and buffer of a network as arrays by name."""
    return {name: value.detach().cpu().numpy().copy() for name, value in network.state_dict().items()}


def with_weights(network: N, weights: Mapping[str, Tensor | NDArray[Any]]) -> N:
    """Put weights into a network and return it; buffers and its own parameters take the shapes given.

    A buffer that weights saved by an earlier version lack stays as it was made.
    """
    tensors = dict(network.named_buffers()) | {
        name: torch.as_tensor(np.array(w) if isinstance(w, np.ndarray) else w) for name, w in weights.items()
    }
    own = [*network.named_buffers(), *network.named_parameters(recurse=False)]
    for name, tensor in own:
        if tensor.shape != tensors[name].shape:
            tensor.data = torch.empty_like(tensors[name], device=tensor.device)
    network.load_state_dict(tensors)
    return network


@contextmanager
def threads(count: int | None) -> Any:
    """Use ``count`` CPU threads inside the block, so that a resumed fit adds up its sums as it did before."""
    before = torch.get_num_threads()
    if count is not None and count != before:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)
