"""The decoders that fill a feeder: a process each for the processors, and the graphics card's own decoder."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable
from clustering.features.feeder import ClosedError, Feeder
from clustering.features.picture_server import squares as squares_here
from clustering.features.pictures import Square

RUN = 8  # pictures a processor takes at a time
DEVICE_RUN = 64
MISSES = 4  # runs without one suitable file, or too slow, after which the graphics card's decoder gives up
SLOWEST = (
    200_000_000  # pixels a second; slower means no decoding engine but one thread, which holds others up
)
WORTH_PROCESSES = 512  # pictures; fewer are decoded before the processes have started

# JPEG files in; their squares on the device out, uint8 (n, side, side, 3); RuntimeError when it cannot
Decode = Callable[[list[NDArray[np.uint8]]], Any]


class Server:
    """A process that runs `picture_server`; started at once, spoken to by one thread."""

    def __init__(self, about: bytes) -> None:
        paths = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._about = about
        self._process = subprocess.Popen(
            [sys.executable, "-m", "clustering.features.picture_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths, **one_thread},
        )

    def ask(
        self, what: str, run: range, room: NDArray[np.uint8] | None = None
    ) -> tuple[Any, NDArray[np.uint8]]:
        """Return the head of the answer and its bytes, read into ``room`` when given.

        Raises
        ------
        OSError, EOFError
            When the process died.
        """
        give, take = self._process.stdin, self._process.stdout
        assert give is not None and take is not None
        give.write(self._about)
        self._about = b""  # told once
        pickle.dump((what, run[0], run[-1] + 1), give)
        give.flush()
        head, length = pickle.load(take)
        content = np.empty(length, dtype=np.uint8) if room is None else room.reshape(-1)
        if take.readinto(content.data) != length:  # type: ignore[attr-defined]
            raise EOFError
        return head, content

    @property
    def lives(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process; whatever it was doing is not wanted."""
        self._process.kill()

    def close(self) -> None:
        """Give back what the killed process held."""
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not sent yet cannot be sent any more
                    pipe.close()


class Lanes:
    """Decoders for one collection, each in its thread, filling one feeder.

    A collection that cannot be sent to another process, and a process that dies (of memory, say), are
    served by threads here.

    Parameters
    ----------
    collection : Collection
    square : Square
    workers : int
        Processes that decode.
    n_items : int
        How many pictures there are to decode.
    device_lanes : int
        Processes that fetch files for the graphics card's decoder; 0 for none. What it cannot read they
        decode themselves, and all the rest once it gives up.
    """

    def __init__(
        self, collection: Encodable, square: Square, workers: int, n_items: int, device_lanes: int = 0
    ) -> None:
        self._collection, self._square = collection, square
        self._threads: list[threading.Thread] = []
        self._feeder: Feeder | None = None
        self._servers: list[Server] = []
        self._device_servers: list[Server] = []
        self.on_device = 0  # pictures the graphics card decoded so far
        about = _sent(collection, square) if n_items >= WORTH_PROCESSES else None
        self._workers = workers if about is not None else workers + device_lanes
        if about is not None:
            self._servers = [Server(about) for _ in range(workers)]
            self._device_servers = [Server(about) for _ in range(device_lanes)]

    def start(self, feeder: Feeder, decode: Decode | None = None) -> None:
        """Begin to fill ``feeder``."""
        self._feeder = feeder
        for worker in range(self._workers):
            server = self._servers[worker] if self._servers else None
            self._run(self._decode, feeder, server)
        for server in self._device_servers:
            if decode is None:
                self._run(self._decode, feeder, server)
            else:
                self._run(self._decode_on_device, feeder, server, decode)

    def end(self) -> None:
        """End every thread and process."""
        if self._feeder is not None:
            self._feeder.close()
        servers = self._servers + self._device_servers
        for server in servers:
            server.kill()
        for thread in self._threads:
            thread.join()
        for server in servers:
            server.close()

    def _run(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, name="decode", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _decode(self, feeder: Feeder, server: Server | None) -> None:
        while True:
            try:
                run = feeder.take(RUN if server else 1)
            except ClosedError:
                return
            server = self._squares(feeder, server, run)

    def _squares(self, feeder: Feeder, server: Server | None, run: range) -> Server | None:
        """Decode a run in a process or here; return the process, or None if it died and the run went back."""
        room = feeder.room(run)
        try:
            if server is None:
                problems, content = squares_here(self._collection, self._square, run[0], run[-1] + 1)
                room[...] = np.frombuffer(content, dtype=np.uint8).reshape(room.shape)
            else:
                problems, _ = server.ask("squares", run, room)
        except (OSError, EOFError, pickle.UnpicklingError):
            feeder.give_back(list(run))
            return None
        except Exception as error:  # a fault of ours: whoever waits for the batch must hear it
            problems = [None] * len(run)
            feeder.spoilt(run[0], error)
        for index, problem in zip(run, problems, strict=True):
            if problem is not None:
                feeder.spoilt(index, StudioError(*problem))
        feeder.filled(run)
        return server

    def _decode_on_device(self, feeder: Feeder, server: Server | None, decode: Decode) -> None:
        misses, runs = 0, 0
        while misses < MISSES and server is not None:
            try:
                run = feeder.take(DEVICE_RUN, anything=False)
            except ClosedError:
                return
            done: list[int] = []
            try:
                (lengths, pixels), content = server.ask("files", run)
                ends = np.cumsum(lengths)
                files = {
                    index: content[end - length : end]
                    for index, length, end in zip(run, lengths, ends, strict=True)
                    if length
                }
                begun = time.perf_counter()
                if files:
                    squares = decode(list(files.values()))
                    done = list(files)
                    feeder.filled(done, squares)
                    runs += 1
                slow = runs > 1 and pixels < SLOWEST * (time.perf_counter() - begun)
                misses = 0 if files and not slow else misses + 1
            except (
                Exception
            ):  # a damaged file, no such decoder, no memory: Pillow reads them, or says why not
                misses += 1
            self.on_device += len(done)
            for part in _stretches(run, done):
                if server is None:
                    feeder.give_back(list(part))
                else:
                    server = self._squares(feeder, server, part)
        self._decode(feeder, server)


def _stretches(run: range, done: list[int]) -> list[range]:
    """Return what is left of a run, in stretches without a gap, each short enough to be ready soon."""
    bounds = [run[0] - 1, *done, run[-1] + 1]
    gaps = [range(before + 1, after) for before, after in pairwise(bounds)]
    return [gap[start : start + RUN] for gap in gaps for start in range(0, len(gap), RUN)]


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _sent(collection: Encodable, square: Square) -> bytes | None:
    """Return what a process must be told, or None when the collection cannot be told."""
    try:
        return pickle.dumps((collection, square))
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
