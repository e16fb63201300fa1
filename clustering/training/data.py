"""The rows of a data set where the step needs them: on the device, or streamed to it in pinned chunks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

# Share of the free device memory the data may take; the rest is for the network and its activations.
RESIDENT_SHARE = 0.5
CHUNK_BYTES = 64 * 2**20


def as_tensor(array: NDArray[Any]) -> Tensor:
    """Return a tensor that shares the memory of ``array``; it may be read-only, nothing here writes to it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


def batch_shape(n_items: int, batch_size: int) -> tuple[int, int]:
    """Return (batches a pass, rows a batch) so that every step of a pass has the same shape.

    A pass is cut into round(n / batch_size) equal batches; the fewer than that many rows left over sit out
    this pass, other ones each time, because the order is drawn anew. No ragged tail is ever computed.
    """
    n_batches = max(1, round(n_items / batch_size))
    return n_batches, n_items // n_batches


class Data:
    """Features of all items with rows picked by index.

    Parameters
    ----------
    features : float32 array (n, d)
        May be a memory map.
    device : torch.device
    """

    def __init__(self, features: NDArray[np.float32], device: torch.device) -> None:
        host = as_tensor(features)
        self.device = device
        self.n_items, self.n_features = host.shape
        self.resident = device.type == "cpu" or _fits(host, device)
        self._features = host.to(device) if self.resident else host

    @property
    def features(self) -> Tensor:
        """The whole set, float32 (n, d), on the device; only where it is `resident`."""
        if not self.resident:
            raise RuntimeError(
                "These features do not fit on the device: read them with `batches` or `chunks`."
            )
        return self._features

    def order(self, generator: Generator) -> Tensor:
        """Return a permutation of all rows, int64 (n,), drawn on the device."""
        return torch.randperm(self.n_items, generator=generator, device=self.device)

    def take(self, rows: Tensor) -> Tensor:
        """Return the features (r, d) of the given rows (r,), on the device."""
        return self._features.index_select(0, rows.to(self._features.device)).to(self.device)

    def batches(self, rows: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (row numbers (b,), features (b, d)) for each row of a table of row numbers.

        Parameters
        ----------
        rows : Tensor (batches, b)
            On the device.
        """
        if self.resident:
            for numbers in rows:
                yield numbers, self._features.index_select(0, numbers)
            return
        batch_bytes = rows.shape[1] * self.n_features * 4
        for table in rows.split(max(1, CHUNK_BYTES // batch_bytes)):
            chunk = self._features.index_select(0, table.flatten().cpu())
            if self.device.type == "cuda":
                chunk = chunk.pin_memory()
            on_device = chunk.to(self.device, non_blocking=True).view(*table.shape, self.n_features)
            yield from zip(table, on_device, strict=True)

    def chunks(self, size: int) -> Iterator[tuple[slice, Tensor]]:
        """Yield (slice, features) in order until all rows were seen; the last may be shorter."""
        for start in range(0, self.n_items, size):
            part = slice(start, min(start + size, self.n_items))
            yield part, self._features[part].to(self.device)


def _fits(features: Tensor, device: torch.device) -> bool:
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return features.nbytes < RESIDENT_SHARE * free
