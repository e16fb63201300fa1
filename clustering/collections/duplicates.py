"""Find pictures that are there twice: the same bytes, or the same picture saved differently.

A 64-bit perceptual hash (`imagehash.phash`) proposes pairs that differ in at most 4 bits; a pair counts when
the two pictures, squeezed to 16 × 16 pixels, agree as well. The hash alone takes two plain digits for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.progress import Progress, silent, tell

NEAR = 4  # of 64 bits: paintings saved again at quality 40, half or twice the size differ in 0 to 4
FULL_SEARCH = 100_000  # different hashes; all pairs of 20,000 take about a second, and the time is quadratic
CORRELATION = (
    0.995  # of the looks; finds 99 % of those copies, and .99 takes some handwritten ones for copies
)
SHIFT = 12.0  # grey levels the two may differ in mean colour
_BLOCK = 256  # rows of the pair matrix in memory at once: 100,000 columns make 200 MB
_PAIRS = 8192  # pairs looked at at once: 50 MB


def duplicates(
    digest: NDArray[np.str_],
    perceptual: NDArray[np.uint64],
    look: NDArray[np.uint8],
    spread: NDArray[np.float32],
    progress: Progress = silent,
) -> NDArray[np.int64]:
    """Return for every picture the first one it repeats, or -1.

    Parameters
    ----------
    digest : ndarray of str, shape (n,)
        Hash of the file's bytes.
    perceptual : ndarray of uint64, shape (n,)
        Perceptual hash.
    look : ndarray of uint8, shape (n, 16, 16, 3)
        The pictures squeezed to a small square.
    spread : ndarray of float32, shape (n,)
        Standard deviation of brightness; blank pictures (< 2) only count as repeated when their bytes do.

    Returns
    -------
    ndarray of int64, shape (n,)
        Index of an earlier picture that itself repeats none; -1 where the picture is the first.
    """
    n = len(digest)
    first = _first_of_equal(digest)
    repeats = np.where(first < np.arange(n), first, -1)
    rows = np.flatnonzero((repeats < 0) & (spread >= 2.0))
    for low, high in _near_pairs(perceptual[rows], progress):
        one, other = rows[low], rows[high]
        agree = _look_alike(look[one], look[other])
        for first_one, later in zip(one[agree], other[agree], strict=True):
            if repeats[first_one] < 0 and repeats[later] < 0:
                repeats[later] = first_one
    for index in np.flatnonzero(repeats >= 0):  # a copy of a copy is a copy of the first
        while repeats[repeats[index]] >= 0:
            repeats[index] = repeats[repeats[index]]
    return repeats


def _near_pairs(
    hashes: NDArray[np.uint64], progress: Progress
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield index pairs (low < high, ordered by low) whose hashes differ in at most `NEAR` bits."""
    n = len(hashes)
    if n > FULL_SEARCH:
        first = _first_of_equal(hashes)
        later = np.flatnonzero(first < np.arange(n))
        yield first[later], later
        return
    for start in range(0, n, _BLOCK):
        tell(progress, start, n, "comparing the pictures")
        differing = hashes[start : start + _BLOCK, None] ^ hashes[None, start:]  # (block, n - start)
        close: NDArray[np.bool_] = np.bitwise_count(differing) <= NEAR
        low, high = np.nonzero(close)
        ordered: NDArray[np.bool_] = high > low
        low, high = low[ordered] + start, high[ordered] + start
        for piece in range(0, len(low), _PAIRS):
            yield low[piece : piece + _PAIRS], high[piece : piece + _PAIRS]


def _look_alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Say which pairs of looks (m, 16, 16, 3) are of one picture."""
    first, second = (
        look.reshape(len(look), -1, 3).astype(np.float32) for look in (one, other)
    )  # (m, 256, 3)
    shift = np.abs(first.mean(axis=1) - second.mean(axis=1)).max(axis=1)
    first -= first.mean(axis=(1, 2), keepdims=True)
    second -= second.mean(axis=(1, 2), keepdims=True)
    lengths = np.linalg.norm(first, axis=(1, 2)) * np.linalg.norm(second, axis=(1, 2))
    correlation = np.einsum("ijk,ijk->i", first, second) / np.maximum(lengths, 1e-6)
    return (correlation >= CORRELATION) & (shift <= SHIFT)


def _first_of_equal(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return for every value the index of its first occurrence."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)
