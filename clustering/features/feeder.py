"""Let several decoders fill the same few batches at once, in order, never far ahead of the network."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


class ClosedError(Exception):
    """The work is over: nobody wants more pictures."""


@dataclass
class Batch:
    """Pictures ``first`` to ``first + count``.

    Parameters
    ----------
    first, count : int
    pixels : uint8 array (batch_size, side, side, 3)
        Squares decoded by processors; rows named in ``pieces`` hold nothing of worth.
    pieces : list of (positions, squares)
        Rows decoded on the device, as int array and uint8 tensor there.
    """

    first: int
    count: int
    pixels: NDArray[np.uint8]
    pieces: list[tuple[NDArray[np.int64], Any]] = field(default_factory=list)
    missing: int = 0
    problems: dict[int, Exception] = field(default_factory=dict)


class Feeder:
    """Hands out runs of pictures to decoders and whole batches, in order, to the network.

    Every decoder takes the next run when it is free, so a fast one does more than a slow one and none is
    waited for. There are as many batches in memory as there are ``slots``.

    Parameters
    ----------
    start, stop : int
        Indices of the first picture and of the one after the last.
    slots : list of uint8 arrays (batch_size, side, side, 3)
        Memory for the batches under way.
    """

    def __init__(self, start: int, stop: int, slots: list[NDArray[np.uint8]]) -> None:
        self._start, self._stop = start, stop
        self._slots = slots
        self._size = len(slots[0])
        self._next = start
        self._returned: deque[int] = deque()
        self._batches: dict[int, Batch] = {}
        self._free, self._opened = len(slots), -1
        self._closed = False
        self._changed = threading.Condition()
        with self._changed:
            self._open()

    def take(self, most: int, anything: bool = True) -> range:
        """Return the next pictures to decode, at most ``most`` and of one batch; wait until there are some.

        Parameters
        ----------
        most : int
        anything : bool
            False for a decoder that reads only plain files: it is not given what it gave back.

        Raises
        ------
        ClosedError
            When nothing will come any more.
        """
        with self._changed:
            while True:
                if self._closed:
                    raise ClosedError
                if anything and self._returned:
                    return self._returned_run(most)
                batch = self._batches.get(self._number(self._next)) if self._next < self._stop else None
                if batch is not None:
                    end = min(self._next + most, batch.first + batch.count)
                    run = range(self._next, end)
                    self._next = end
                    return run
                self._changed.wait()

    def room(self, run: range) -> NDArray[np.uint8]:
        """Return the memory where the squares of a run belong, uint8 (len(run), side, side, 3)."""
        batch = self._batches[self._number(run[0])]
        return batch.pixels[run[0] - batch.first : run[-1] + 1 - batch.first]

    def filled(self, indices: range | list[int], squares: Any = None) -> None:
        """Hear that pictures of one batch are in their `room`, or ``squares`` of them on the device."""
        with self._changed:
            batch = self._batches[self._number(indices[0])]
            if squares is not None:
                batch.pieces.append((np.asarray(indices) - batch.first, squares))
            batch.missing -= len(indices)
            self._changed.notify_all()

    def spoilt(self, index: int, problem: Exception) -> None:
        """Hear that a picture cannot be read; it counts as filled, and its batch will raise ``problem``."""
        with self._changed:
            self._batches[self._number(index)].problems[index] = problem

    def give_back(self, indices: list[int]) -> None:
        """Let another decoder take these pictures."""
        with self._changed:
            self._returned.extend(indices)
            self._changed.notify_all()

    def batch(self, number: int) -> Batch:
        """Return a batch when all of it is there.

        Raises
        ------
        Exception
            What is wrong with the first picture of it that cannot be read.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._batches[number].missing == 0)
            batch = self._batches[number]
        if batch.problems:
            raise batch.problems[min(batch.problems)]
        return batch

    def release(self, number: int) -> None:
        """Use the memory of a batch for a later one."""
        with self._changed:
            del self._batches[number]
            self._free += 1
            self._open()
            self._changed.notify_all()

    def close(self) -> None:
        """Send every decoder home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        """How many batches there are."""
        return -(-(self._stop - self._start) // self._size)

    def _returned_run(self, most: int) -> range:
        first = end = self._returned[0]
        while (
            self._returned
            and self._returned[0] == end < first + most
            and self._number(end) == self._number(first)
        ):
            end = self._returned.popleft() + 1
        return range(first, end)

    def _number(self, index: int) -> int:
        return (index - self._start) // self._size

    def _open(self) -> None:
        """Open as many further batches as there is memory for."""
        while self._free and self._opened + 1 < len(self):
            self._opened += 1
            self._free -= 1
            first = self._start + self._opened * self._size
            count = min(self._size, self._stop - first)
            pixels = self._slots[self._opened % len(self._slots)]
            self._batches[self._opened] = Batch(first, count, pixels, missing=count)
