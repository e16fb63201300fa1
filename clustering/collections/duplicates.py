"""Find pictures that are there twice: the same bytes, or the same picture saved differently.

A 64-bit perceptual hash (`imagehash.phash`) proposes pairs that differ in at most 6 bits; a pair counts when
the two pictures, squeezed to 16 × 16 pixels, agree as well. The hash alone takes two plain digits for one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustering.progress import Progress, silent, tell

NEAR = 6  # of 64 bits: a picture saved again at quality 40 or half the size differs in 0 to 4
FULL_SEARCH = 100_000  # different hashes; all pairs of 20,000 take about a second, and the time is quadratic
CORRELATION = 0.99  # of the 16 × 16 looks
SHIFT = 12.0  # grey levels the two may differ in mean colour
_BLOCK = 512  # rows of the pair matrix in memory at once


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
    vectors = _standardised(look[rows])
    means = look[rows].reshape(len(rows), -1, 3).mean(axis=1)
    for low, high in _near_pairs(perceptual[rows], progress):
        agree: NDArray[np.bool_] = np.einsum("ij,ij->i", vectors[low], vectors[high]) >= CORRELATION
        agree &= np.abs(means[low] - means[high]).max(axis=1) <= SHIFT
        for one, other in zip(rows[low[agree]], rows[high[agree]], strict=True):
            if repeats[one] < 0 and repeats[other] < 0:
                repeats[other] = one
    for index in np.flatnonzero(repeats >= 0):  # a copy of a copy is a copy of the first
        while repeats[repeats[index]] >= 0:
            repeats[index] = repeats[repeats[index]]
    return repeats


def _first_of_equal(values: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return for every value the index of its first occurrence."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)


def _near_pairs(
    hashes: NDArray[np.uint64], progress: Progress
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return index pairs (low < high, ordered by low) whose hashes differ in at most `NEAR` bits."""
    n = len(hashes)
    near = NEAR if n <= FULL_SEARCH else 0
    if near == 0:
        first = _first_of_equal(hashes.astype(str))
        later = np.flatnonzero(first < np.arange(n))
        return [(first[later], later)]
    pairs = []
    for start in range(0, n, _BLOCK):
        tell(progress, start, n, "comparing the pictures")
        block = hashes[start : start + _BLOCK, None] ^ hashes[None, start:]  # (block, n - start)
        close: NDArray[np.bool_] = np.bitwise_count(block) <= near
        low, high = np.nonzero(close)
        ordered: NDArray[np.bool_] = high > low
        pairs.append((low[ordered] + start, high[ordered] + start))
    return pairs


def _standardised(look: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return looks as unit vectors around zero, so that their product is a correlation; (n, 768)."""
    vectors = look.reshape(len(look), -1).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-6)
