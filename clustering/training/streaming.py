"""Carry rows from host memory or disk to the device in the background, while the device computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

# One buffer is computed with or on its way to the device, one is full, one is being filled.
HOST_BUFFERS = 3
DEVICE_BUFFERS = 2


class Belt:
    """Buffers that are filled, carried and emptied in turn; nothing is allocated while it runs.

    A background thread gathers the rows of a later piece into pinned memory, a side stream copies the next
    one, the current stream computes with this one. The thread touches host memory only, so a CUDA graph may
    be captured meanwhile.

    Parameters
    ----------
    source : float32 Tensor (n, d)
        On the host; may be a memory map.
    device : torch.device
    capacity : int
        Most rows of a piece.
    """

    def __init__(self, source: Tensor, device: torch.device, capacity: int) -> None:
        self.capacity = capacity
        self._source, self._device = source, device
        self._cuda = device.type == "cuda"
        shape = (capacity, source.shape[1])
        self._host = [torch.empty(shape, pin_memory=self._cuda) for _ in range(HOST_BUFFERS)]
        if self._cuda:
            self._copies = torch.cuda.Stream(device)
            self._on_device = [torch.empty(shape, device=device) for _ in range(DEVICE_BUFFERS)]
            for buffer in self._on_device:
                buffer.record_stream(self._copies)
            self._copied = [torch.cuda.Event() for _ in range(HOST_BUFFERS)]
            self._used = [torch.cuda.Event() for _ in range(DEVICE_BUFFERS)]

    def carry(self, pieces: Iterable[slice | Tensor]) -> Iterator[Tensor]:
        """Yield the rows (r, d) of each piece, on the device.

        The caller may change what it gets; it is overwritten once the caller has asked for what follows.

        Parameters
        ----------
        pieces : iterable of slice or int64 Tensor (r,)
            Row numbers on the host; best ascending, since neighbours in memory or on disk are read together.
        """
        left = enumerate(pieces)
        filling: deque[tuple[int, Future[int]]] = deque()
        if self._cuda:  # an earlier run may have been left before its end
            self._copies.wait_stream(torch.cuda.current_stream(self._device))
        with ThreadPoolExecutor(1, thread_name_prefix="rows") as background:

            def fill_one_more() -> None:
                for number, piece in left:
                    self._wait_until_copied(number)
                    filling.append((number, background.submit(self._fill, number % HOST_BUFFERS, piece)))
                    return

            def sent() -> tuple[int, Tensor] | None:
                if not filling:
                    return None
                number, filled = filling.popleft()
                return number, self._send(number, filled.result())

            for _ in range(HOST_BUFFERS):
                fill_one_more()
            now = sent()
            while now is not None:
                following = sent()  # on its way while this one is computed with
                number, rows = now
                self._await(number)
                yield rows
                self._let_go(number)
                fill_one_more()
                now = following

    def _fill(self, slot: int, piece: slice | Tensor) -> int:
        if isinstance(piece, slice):
            rows = self._source[piece]
            self._host[slot][: len(rows)].copy_(rows)
            return len(rows)
        torch.index_select(self._source, 0, piece, out=self._host[slot][: len(piece)])
        return len(piece)

    def _wait_until_copied(self, number: int) -> None:
        if self._cuda:
            self._copied[number % HOST_BUFFERS].synchronize()

    def _send(self, number: int, length: int) -> Tensor:
        full = self._host[number % HOST_BUFFERS][:length]
        if not self._cuda:
            return full
        target = self._on_device[number % DEVICE_BUFFERS][:length]
        with torch.cuda.stream(self._copies):
            self._copies.wait_event(self._used[number % DEVICE_BUFFERS])
            target.copy_(full, non_blocking=True)
            self._copied[number % HOST_BUFFERS].record(self._copies)
        return target

    def _await(self, number: int) -> None:
        if self._cuda:
            torch.cuda.current_stream(self._device).wait_event(self._copied[number % HOST_BUFFERS])

    def _let_go(self, number: int) -> None:
        if self._cuda:
            self._used[number % DEVICE_BUFFERS].record(torch.cuda.current_stream(self._device))
