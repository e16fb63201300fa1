"""Keep a graphics card busy: decode ahead, upload, compute and bring back at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clustering.features.batches import FeatureFile
from clustering.features.feeder import Batch, Feeder
from clustering.features.lanes import Decode, Lanes, processors
from clustering.features.runner import Runner, finite
from clustering.progress import Progress, tell

if TYPE_CHECKING:
    from torch import Tensor

PICTURES_A_PROCESSOR = 256  # that may wait, decoded or not yet, 150 KB each at 224 pixels
MOST_PICTURES = 4096
FEWEST_SLOTS, MOST_SLOTS = 4, 64


def encode_streamed(
    lanes: Lanes,
    stream: Stream,
    rows: FeatureFile,
    decode: Decode | None,
    progress: Progress,
    doing: str,
) -> NDArray[np.float32]:
    """Decode, compute and store every batch that is not stored yet; return all rows.

    Raises
    ------
    StudioError
        When a picture cannot be read; all batches before it are stored.
    Stopped
        When the listener asked for it; what was stored stays.
    """
    tell(progress, rows.done, rows.n, doing)
    with rows:
        if rows.done < rows.n:
            slots = stream.slots()
            feeder = Feeder(rows.done, rows.n, [slot.numpy() for slot in slots])
            lanes.start(feeder, decode)
            _compute(feeder, slots, stream, rows, progress, doing)
    return rows.finished()


def _compute(
    feeder: Feeder, slots: list[Tensor], stream: Stream, rows: FeatureFile, progress: Progress, doing: str
) -> None:
    under_way: deque[tuple[int, Batch]] = deque()

    def end_one() -> None:
        number, batch = under_way.popleft()
        rows.write(batch.first, stream.end(number, batch.count))
        feeder.release(number)
        tell(progress, rows.done, rows.n, doing)

    for number in range(len(feeder)):
        try:
            batch = feeder.batch(number)
        except Exception:
            while under_way:
                end_one()
            raise
        stream.begin(number, slots[number % len(slots)], batch.count, batch.pieces)
        under_way.append((number, batch))
        if len(under_way) == stream.SLOTS:
            end_one()
    while under_way:
        end_one()


class Stream:
    """A runner fed without a pause: while it computes a batch the next goes up and the last comes down.

    Batches have one fixed size (a short one leaves rows unused), so on a graphics card the network's steps
    are recorded once (a CUDA graph, half a second) and replayed: the processor, busy with decoding, need not
    start hundreds of small kernels a batch.

    Parameters
    ----------
    runner : Runner
    batch_size, side : int
    """

    SLOTS = 2

    def __init__(self, runner: Runner, batch_size: int, side: int) -> None:
        import torch

        self._runner = runner
        self._cuda = runner.device.type == "cuda"
        shape = (batch_size, side, side, 3)
        with torch.inference_mode():
            self.input = torch.zeros(shape, dtype=torch.uint8, device=runner.device)
            self._raised = [torch.zeros_like(self.input) for _ in range(self.SLOTS)]
            self.compute: Callable[[], Tensor] = self._recorded() if self._cuda else self._eager
            rows = self.compute()
            self._lowered = [
                torch.empty(rows.shape, dtype=torch.float32, pin_memory=self._cuda) for _ in range(self.SLOTS)
            ]
        self.dimensions = rows.shape[1]
        self._copying = torch.cuda.Stream(runner.device) if self._cuda else None
        # waiting threads sleep: the processors are needed for decoding
        self._events: list[Any] = (
            [torch.cuda.Event(blocking=True) for _ in range(self.SLOTS)] if self._cuda else []
        )

    def slots(self) -> list[Tensor]:
        """Return memory for batches that wait, each like `input`, pinned for a graphics card."""
        import torch

        ahead = min(PICTURES_A_PROCESSOR * processors(), MOST_PICTURES)
        number = min(max(ahead // len(self.input), FEWEST_SLOTS), MOST_SLOTS)
        return [
            torch.empty(self.input.shape, dtype=torch.uint8, pin_memory=self._cuda) for _ in range(number)
        ]

    def begin(
        self, number: int, pixels: Tensor, count: int, pieces: list[tuple[NDArray[np.int64], Tensor]]
    ) -> None:
        """Start batch ``number``; at most `SLOTS` may be under way.

        Parameters
        ----------
        number : int
        pixels : uint8 tensor (batch_size, side, side, 3)
            In pinned memory of the host; must stay as it is until `end`.
        count : int
            How many of its rows are wanted.
        pieces : list of (positions, squares)
            Rows that are on the device already.
        """
        import torch

        slot = number % self.SLOTS
        with torch.inference_mode():
            if sum(len(positions) for positions, _ in pieces) < count:
                self._raise(pixels, slot)
            for positions, squares in pieces:
                where = torch.from_numpy(positions).to(self.input.device, non_blocking=True)
                self.input.index_copy_(0, where, squares)
            self._lowered[slot].copy_(self.compute(), non_blocking=True)
        if self._cuda:
            self._events[slot].record()

    def end(self, number: int, count: int) -> NDArray[np.float32]:
        """Wait for a batch and return its rows, float32 (count, d)."""
        slot = number % self.SLOTS
        if self._cuda:
            self._events[slot].synchronize()
        return finite(self._lowered[slot][:count].numpy())

    def _raise(self, pixels: Tensor, slot: int) -> None:
        """Bring pixels to the device beside the computing, then into the network's input."""
        import torch

        if self._copying is None:
            self.input.copy_(pixels)
            return
        raised = self._raised[slot]  # its last use ended before `end` returned
        with torch.cuda.stream(self._copying):
            raised.copy_(pixels, non_blocking=True)
        torch.cuda.current_stream().wait_stream(self._copying)
        self.input.copy_(raised)

    def _eager(self) -> Tensor:
        return self._runner.forward(self.input)

    def _recorded(self) -> Callable[[], Tensor]:
        """Record the network's steps on the device; the returned function replays them."""
        import torch

        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(2):  # libraries choose their algorithms and take their memory now
                self._eager()
        torch.cuda.current_stream().wait_stream(aside)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                rows = self._eager()
        except RuntimeError:  # a network that asks the processor on its way cannot be recorded
            torch.cuda.synchronize()
            return self._eager

        def replay() -> Tensor:
            graph.replay()
            return rows

        return replay
