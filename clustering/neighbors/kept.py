"""Neighbours kept in a folder under the content of the rows they were found for, so nobody searches twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from clustering.files import write_arrays
from clustering.neighbors.found import Neighbors

_folder: ContextVar[Path | None] = ContextVar("folder of kept neighbours", default=None)


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Let searches inside this block read from ``folder`` what was found before and write what is new.

    Holds for the current thread or task. Files are named by a hash of the rows; the folder may be emptied at
    any time.
    """
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def keeping() -> bool:
    """Return whether results are being kept."""
    return _folder.get() is not None


def recalled(rows: NDArray[np.float32], n_neighbors: int) -> Neighbors | None:
    """Return at least ``n_neighbors`` neighbours of exactly these rows, if they were found before."""
    folder = _folder.get()
    if folder is None:
        return None
    try:
        with np.load(_file(folder, rows), allow_pickle=False) as arrays:
            found = Neighbors(arrays["indices"], arrays["distances"], str(arrays["engine"]))
    except (FileNotFoundError, BadZipFile, KeyError, ValueError):  # absent or broken: search again
        return None
    fits = found.indices.shape[0] == len(rows) and found.indices.shape[1] >= n_neighbors
    return found.first(n_neighbors) if fits else None


def remember(rows: NDArray[np.float32], found: Neighbors) -> None:
    """Write what was found, in one step, if results are being kept."""
    folder = _folder.get()
    if folder is None:
        return
    arrays = {"indices": found.indices, "distances": found.distances, "engine": np.array(found.engine)}
    write_arrays(_file(folder, rows), arrays)


def _file(folder: Path, rows: NDArray[np.float32]) -> Path:
    content = np.ascontiguousarray(rows)
    digest = hashlib.sha256(f"{content.shape} {content.dtype}".encode())
    digest.update(content.data)
    return folder / f"{digest.hexdigest()[:32]}.npz"
