"""The rows of a data set where the step needs them: on the device, or streamed to it in pinned chunks."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from clustering.training.order import permutation
from clustering.training.scaling import column_moments, is_identity
from clustering.training.streaming import Belt

# Share of the free memory the data may take; the rest is for the network and its activations.
RESIDENT_SHARE = 0.5
CHUNK_BYTES = 32 * 2**20  # of a piece on its way to the device


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
        May be a memory map, also one larger than the host's memory.
    device : torch.device
    shift, factor : float64 array (d,), optional
        What is handed out is (x − shift) · factor, scaled piece by piece where the rows are not resident.

    Attributes
    ----------
    resident : bool
        Whether all rows are on the device. The others are streamed to it.
    edges : int64 Tensor (e, 2) or None
        Links between the items on the device, each named once, for methods that use any.
    edges_given : bool
        Whether links were given to the fit.
    together, apart : int64 Tensor (p, 2)
        Pairs of items that belong together, and to keep apart, on the device.
    labels : int64 Tensor (n,) or None
        The group of each item on the device, −1 where nobody said, for methods that are told some.
    twins : pair of int arrays or None
        What `clustering.arrays.distinct_rows` found among the rows as they are handed out, once a method has
        looked for equal ones.
    """

    def __init__(
        self,
        features: NDArray[np.float32],
        device: torch.device,
        shift: NDArray[np.float64] | None = None,
        factor: NDArray[np.float64] | None = None,
    ) -> None:
        self.device = device
        self.edges: Tensor | None = None
        self.edges_given = False
        self.together = self.apart = torch.empty(0, 2, dtype=torch.int64, device=device)
        self.labels: Tensor | None = None
        self.twins: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None
        self.n_items, self.n_features = features.shape
        self.resident = _fits(features, device)
        self._scale: tuple[Tensor, Tensor] | None = None
        self._given = features
        self._features = as_tensor(features)
        if self.resident:
            self._features = self._features.to(device)
        self._belt: Belt | None = None
        if shift is not None and factor is not None:
            self.scale(shift, factor)

    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance of each column as given, float64 (d,)."""
        if self._scale is not None:
            raise RuntimeError("The moments are those of the features before they are scaled.")
        if not (self.resident and self.device.type == "cuda"):
            return column_moments(self._given)
        mean = self._features.mean(dim=0, dtype=torch.float64)
        squares = torch.zeros_like(mean)
        for part in self._features.split(max(1, CHUNK_BYTES // self._row_bytes)):
            squares += (part - mean).square().sum(dim=0)
        return mean.cpu().numpy(), (squares / self.n_items).cpu().numpy()

    def scale(self, shift: NDArray[np.float64], factor: NDArray[np.float64]) -> None:
        """Hand out (x − shift) · factor from now on; to be called once at most."""
        if is_identity(shift, factor):
            return
        self._scale = (
            torch.from_numpy(shift.astype(np.float32)).to(self.device),
            torch.from_numpy(factor.astype(np.float32)).to(self.device),
        )
        if self.resident:  # what was given stays as it is
            on_host = self.device.type == "cpu"
            self._features = self._scaled(self._features.clone() if on_host else self._features)

    def unscaled(self, rows: Tensor) -> Tensor:
        """Return rows (r, d), scaled as they are handed out, in the numbers they were given in."""
        return rows if self._scale is None else rows / self._scale[1] + self._scale[0]

    @property
    def given(self) -> NDArray[np.float32]:
        """The rows as they were given, on the host."""
        return self._given

    @property
    def as_given(self) -> bool:
        """Whether the rows are handed out as they were given."""
        return self._scale is None

    @property
    def features(self) -> Tensor:
        """The whole set, float32 (n, d), on the device; only where it is `resident`."""
        if not self.resident:
            raise RuntimeError(
                "These features do not fit on the device: read them with `batches` or `chunks`."
            )
        return self._features

    def order(self, generator: Generator) -> Tensor:
        """Return a random order of all rows, int64 (n,); see `permutation`.

        It lies on the device, or on the host where the rows are streamed.
        """
        place = self.device if self.resident else torch.device("cpu")
        return permutation(self.n_items, self._row_bytes, generator, place)

    def take(self, rows: Tensor) -> Tensor:
        """Return the features (r, d) of the given rows (r,), on the device."""
        if self.resident:
            return self._features.index_select(0, rows.to(self.device))
        return self._scaled(self._features.index_select(0, rows.cpu()).to(self.device))

    def batches(self, rows: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (row numbers (b,), features (b, d)) for each row of a table of row numbers.

        Streamed features lie in a buffer that is used again: they hold until the next batch is asked for.

        Parameters
        ----------
        rows : Tensor (batches, b)
            On the device, or on the host where the rows are streamed; those yielded are on the device.
        """
        if self.resident:
            for numbers in rows:
                yield numbers, self._features.index_select(0, numbers)
            return
        size = rows.shape[1]
        tables = rows.cpu().split(max(1, CHUNK_BYTES // (size * self._row_bytes)))
        ascending = (table.flatten().sort().values for table in tables)
        whole = torch.empty(len(tables[0]) * size, self.n_features, device=self.device)
        for table, arrived in zip(tables, self._carried(ascending, len(whole)), strict=True):
            numbers, batches = table.to(self.device), whole[: len(arrived)]
            # They came in the order of their numbers, and go to where those stand in the table.
            batches.index_copy_(0, numbers.flatten().argsort(), self._scaled(arrived))
            yield from zip(numbers, batches.view(*table.shape, -1), strict=True)

    def chunks(self, size: int) -> Iterator[tuple[slice, Tensor]]:
        """Yield (slice, features) in order until all rows were seen; the last may be shorter.

        Streamed features lie in a buffer that is used again: they hold until the next chunk is asked for.
        """
        parts = [slice(start, min(start + size, self.n_items)) for start in range(0, self.n_items, size)]
        if self.resident:
            for part in parts:
                yield part, self._features[part]
            return
        stride = max(1, CHUNK_BYTES // (size * self._row_bytes)) * size
        pieces = [slice(start, min(start + stride, self.n_items)) for start in range(0, self.n_items, stride)]
        together = (
            rows for piece in self._carried(pieces, stride) for rows in self._scaled(piece).split(size)
        )
        yield from zip(parts, together, strict=True)

    @property
    def _row_bytes(self) -> int:
        return 4 * self.n_features

    def _carried(self, pieces: Iterable[slice | Tensor], capacity: int) -> Iterator[Tensor]:
        """Yield pieces of at most ``capacity`` rows from the belt, which stays for the next time."""
        belt, self._belt = self._belt, None  # taken, in case another run begins before this one ends
        if belt is None or belt.capacity < capacity:
            belt = Belt(self._features, self.device, max(capacity, CHUNK_BYTES // self._row_bytes))
        try:
            yield from belt.carry(pieces)
        finally:
            self._belt = belt

    def _scaled(self, rows: Tensor) -> Tensor:
        """Scale rows (r, d) on the device in place."""
        return rows if self._scale is None else rows.sub_(self._scale[0]).mul_(self._scale[1])


def _fits(features: NDArray[np.float32], device: torch.device) -> bool:
    """Say whether the whole set may stay on the device; for the CPU, what is in memory is there already."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        # What PyTorch has set aside and does not use is free as well.
        free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return features.nbytes < RESIDENT_SHARE * free
    if device.type == "cpu" and _on_disk(features):
        import psutil

        return features.nbytes < RESIDENT_SHARE * psutil.virtual_memory().available
    return True


def _on_disk(array: Any) -> bool:
    """Say whether an array is a memory map, or a view of one."""
    while array is not None:
        if isinstance(array, np.memmap):
            return True
        array = getattr(array, "base", None)
    return False
