"""What a training looks like from outside: the newest snapshot as a moving map, and the curves so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.workspace import newest_epoch

HONESTY = (
    "The two strongest directions of the latent space (PCA), turned to match the picture before. "
    "Groups that overlap here may be apart in other directions."
)


def positions(latents: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return latents on their two strongest directions, centred, with root mean square radius 1.

    Parameters
    ----------
    latents : float32 array (s, m)

    Returns
    -------
    float32 array (s, 2)
        A single latent dimension is drawn along the first axis.
    """
    finite = np.nan_to_num(np.asarray(latents, dtype=np.float64))
    centred = finite - finite.mean(axis=0)
    if centred.shape[1] == 1:
        flat = np.hstack([centred, np.zeros_like(centred)])
    else:
        _, directions = np.linalg.eigh(centred.T @ centred)  # ascending
        flat = centred @ directions[:, :-3:-1]
    radius = float(np.sqrt((flat**2).sum(axis=1).mean())) or 1.0
    return np.asarray(flat / radius, dtype=np.float32)


def aligned(moving: NDArray[np.float32], fixed: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Return ``moving`` turned or mirrored so that it lies as closely as it can on ``fixed``.

    Orthogonal Procrustes (Schönemann, 1966): with ``movingᵀ fixed = U S Vᵀ`` the turn is ``U Vᵀ``. Distances
    within the map stay.

    Parameters
    ----------
    moving, fixed : float32 array (s, 2)
        The same rows; another number of rows in ``fixed`` (or None) leaves ``moving`` as it is.
    """
    if fixed is None or fixed.shape != moving.shape:
        return moving
    left, _, right = np.linalg.svd(moving.T @ fixed)
    return np.asarray(moving @ (left @ right), dtype=np.float32)


def bounds(xy: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Return a square around the middle that holds every point, in steps, so that the view stays calm."""
    half = float(np.ceil(np.abs(xy).max(initial=0.5) * 2.1) / 2)
    return -half, -half, half, half


def told(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what the newest epoch tells of how far the method is."""
    return list(newest_epoch(rows).get("told", ()))


def earlier(rows: Sequence[Mapping[str, Any]], most: int = 3) -> list[str]:
    """Return what one epoch alone had to say, before the newest; the latest ``most`` of such sentences.

    That is how a fit tells what it did once: that it began again, or went back to its last good state.
    """
    epochs = [row for row in rows if row.get("kind") == "epoch"]
    heard = Counter(sentence for row in epochs for sentence in set(row.get("alarms", ())))
    now = set(epochs[-1].get("alarms", ())) if epochs else set()
    return [
        f"Epoch {row['epoch']}: {sentence}"
        for row in epochs[:-1]
        for sentence in row.get("alarms", ())
        if heard[sentence] == 1 and sentence not in now
    ][-most:]
