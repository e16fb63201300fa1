"""Fill a feature array batch by batch, so that a stop costs nothing and a kill a few seconds."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from clustering.progress import Progress, tell

DECODERS = min(8, os.cpu_count() or 1)
SAVE_SECONDS = 3.0  # between two saves to the disk
READY_BATCHES = 2  # decoded batches that may wait for the network: enough to keep it busy, little memory


def digest(content: dict[str, Any]) -> str:
    """Return a short hash of a dictionary that JSON can hold; the order of its keys does not matter."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def file_digest(path: Path) -> str:
    """Return a short hash of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:24]


def decoded_batches(
    read: Callable[[int], NDArray[Any]], start: int, stop: int, batch_size: int
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield ``(first index, stacked items)`` in order, decoding in threads at most two batches ahead.

    Pillow releases the interpreter lock while it decodes and resizes, so threads are enough.
    """
    with ThreadPoolExecutor(DECODERS, thread_name_prefix="decode") as pool:
        waiting: list[tuple[int, list[Any]]] = []
        nexts = iter(range(start, stop, batch_size))

        def order_one() -> None:
            first = next(nexts, None)
            if first is not None:
                indices = range(first, min(first + batch_size, stop))
                waiting.append((first, [pool.submit(read, index) for index in indices]))

        try:
            for _ in range(READY_BATCHES):
                order_one()
            while waiting:
                first, futures = waiting.pop(0)
                batch = np.stack([future.result() for future in futures])
                order_one()
                yield first, batch
        finally:
            for _, futures in waiting:
                for future in futures:
                    future.cancel()


class FeatureFile:
    """A float32 array of n rows that grows from the top, in memory or in a folder that survives a kill.

    In the folder, rows go into ``features.partial.npy`` as they come. Every `SAVE_SECONDS`, and when the
    work ends for whatever reason, a thread forces them to the disk and then replaces ``checkpoint.json``,
    which says how many rows are whole: the computing never waits for the disk, a stop costs nothing and a
    kill the last few seconds. Files of another key, shape or batch size are removed first.
    """

    def __init__(self, n: int, d: int, key: str, batch_size: int, folder: Path | None) -> None:
        self._head = {"key": key, "n": n, "d": d, "batch_size": batch_size}
        self._folder = folder
        self.n, self.done, self._row_bytes = n, 0, 4 * d
        self._file: BinaryIO | None = None
        self._saver = ThreadPoolExecutor(1, thread_name_prefix="save")
        self._saving: Future[None] | None = None
        self._saved_at = time.monotonic()
        if folder is None:
            self._rows = np.empty((n, d), dtype=np.float32)
            return
        folder.mkdir(parents=True, exist_ok=True)
        self.done = self._rows_done(folder)
        if self.done == 0:
            for name in ("features.partial.npy", "features.npy", "checkpoint.json"):
                (folder / name).unlink(missing_ok=True)
            np.lib.format.open_memmap(folder / "features.partial.npy", "w+", np.float32, (n, d)).flush()

    def __enter__(self) -> FeatureFile:
        return self

    def __exit__(self, *_exception: object) -> None:
        """Save what was written, also when the work was stopped or failed."""
        self._close()

    def write(self, first: int, batch: NDArray[np.float32]) -> None:
        """Store one finished batch that starts at row ``first``."""
        if self._folder is None:
            self._rows[first : first + len(batch)] = batch
            self.done = first + len(batch)
            return
        if self._file is None:
            path = self._folder / "features.partial.npy"
            self._begin = np.lib.format.open_memmap(path, "r").offset
            self._file = path.open("r+b")
        self._file.seek(self._begin + first * self._row_bytes)
        self._file.write(np.ascontiguousarray(batch, dtype=np.float32).data)
        self._file.flush()  # to the system, which keeps it when this process is killed
        self.done = first + len(batch)
        if time.monotonic() - self._saved_at >= SAVE_SECONDS:
            self._save()

    def finished(self) -> NDArray[np.float32]:
        """Return all rows; from a folder as a read-only memory map of ``features.npy``."""
        if self._folder is None:
            return self._rows
        self._close()
        partial, whole = self._folder / "features.partial.npy", self._folder / "features.npy"
        if partial.exists():
            partial.replace(whole)
        return np.load(whole, mmap_mode="r")

    def _save(self) -> None:
        """Begin to save all rows written so far, unless the last save is still under way."""
        if self._saving is not None:
            if not self._saving.done():
                return
            self._saving.result()  # a full disk is said here
        self._saved_at = time.monotonic()
        self._saving = self._saver.submit(self._saved, self.done)

    def _saved(self, done: int) -> None:
        assert self._file is not None and self._folder is not None
        os.fsync(self._file.fileno())  # first the rows, then the word that they are whole
        replace_text(self._folder / "checkpoint.json", json.dumps({**self._head, "done": done}))

    def _close(self) -> None:
        if self._file is None:
            return
        try:
            if self._saving is not None:
                self._saving.result()
            self._saved(self.done)
        finally:
            self._saver.shutdown()
            self._file.close()
            self._file = None

    def _rows_done(self, folder: Path) -> int:
        try:
            state = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return 0
        stored = folder / "features.npy"
        stored = stored if stored.exists() else folder / "features.partial.npy"
        same = {name: state.get(name) for name in self._head} == self._head
        return int(state["done"]) if same and stored.exists() else 0


def encode_in_batches(
    read: Callable[[int], NDArray[Any]],
    compute: Callable[[NDArray[Any]], NDArray[np.float32]],
    rows: FeatureFile,
    batch_size: int,
    progress: Progress,
    doing: str,
) -> NDArray[np.float32]:
    """Decode, compute and store every batch that is not stored yet; return all rows.

    Raises
    ------
    Stopped
        When the listener asked for it; what was stored stays.
    """
    tell(progress, rows.done, rows.n, doing)
    with rows:
        for first, batch in decoded_batches(read, rows.done, rows.n, batch_size):
            rows.write(first, compute(batch))
            tell(progress, rows.done, rows.n, doing)
    return rows.finished()


def replace_text(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def written(rows: NDArray[np.floating[Any]], key: str, folder: Path | None) -> NDArray[np.float32]:
    """Return rows (n, d) that are made all at once as a `FeatureFile` keeps them."""
    n, d = rows.shape
    file = FeatureFile(n, d, key, max(1, n), folder)
    file.write(0, rows)
    return file.finished()
