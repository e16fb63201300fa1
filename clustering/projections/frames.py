"""A training as a film: the latent space of every kept epoch in the frame of the finished map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.errors import StudioError
from clustering.metrics.matching import matched_labels
from clustering.progress import Progress, silent, tell
from clustering.projections.alignment import align
from clustering.projections.base import Projection

DOING = "laying out the epochs"


@dataclass(frozen=True)
class Frames:
    """Where the items were at every epoch.

    Parameters
    ----------
    positions : float32 array (f, s, 2)
        Oldest first; all in the frame of the finished map.
    engine : str
        What computed them.
    sentence : str
        How they hang together, for a person.
    """

    positions: NDArray[np.float32]
    engine: str
    sentence: str


def frames(
    latents: Sequence[NDArray[np.float32]],
    finished: ArrayLike,
    final: NDArray[np.float32],
    kind: type[Projection],
    settings: Mapping[str, Any],
    progress: Progress = silent,
) -> Frames:
    """Return a place for every item at every epoch, so that little moves that did not move in latent space.

    Worked out backwards: the newest epoch begins at the finished map, each older one at the frame after it,
    and every frame is laid on the finished map. So the film ends on the very map a person knows. Where a
    projection cannot begin from given places, each epoch is a map of its own, laid on the finished one.

    Parameters
    ----------
    latents : sequence of float32 arrays (s, m)
        Of the same items at every epoch, oldest first.
    finished : array-like (s, 2)
        Their places on the finished map.
    final : float32 array (s, m)
        Their latents on the finished map. An epoch whose latents equal those after it has its frame.
    kind : type of Projection
        The projection of the finished map.
    settings : mapping
        Its parameters.
    progress : callable

    Raises
    ------
    StudioError
        When there is no epoch, or an epoch cannot be laid out.
    Stopped
        When the listener asked for it.
    """
    if not latents:
        raise StudioError("No snapshots of this training were kept.", "Train again to watch it learn.")
    target = np.asarray(finished, dtype=np.float32)
    warm = kind.info.going_on
    model = kind(**{**settings, **(warm or {})})
    made = np.empty((len(latents), *target.shape), dtype=np.float32)
    places, seen, later, framed = target, target, final, 0  # the places keep the size they were laid out in

    def listen(done: int, total: int, doing: str) -> bool | None:  # noqa: ARG001
        return progress(framed, len(latents), DOING)  # within a frame too the work can be stopped

    for at in range(len(latents) - 1, -1, -1):
        tell(progress, framed, len(latents), DOING)
        if not np.array_equal(latents[at], later):
            model.fit(latents[at], start=None if warm is None else places, progress=listen)
            places, seen = model.embedding_, align(model.embedding_, target)
        made[at], later, framed = seen, latents[at], framed + 1
    tell(progress, framed, framed, DOING)
    title = kind.info.title
    sentence = (
        f"{title} goes on backwards from the finished map, epoch by epoch; each frame is laid on that map."
        if warm is not None
        else f"{title} cannot begin from given places: each epoch is a map of its own, laid on the finished "
        "one, so that part of the movement is that of the maps."
    )
    return Frames(made, getattr(model, "engine_", ""), sentence)


def continuous(labels: Sequence[NDArray[np.integer[Any]]], final: ArrayLike) -> NDArray[np.int64]:
    """Return the labels of every epoch (f, s), renamed so that a cluster keeps its number, and so its colour.

    Each epoch is matched with the one after it, the newest with the ``final`` labels (s,). Where there are no
    clusters yet, all are -1.
    """
    made = np.full((len(labels), len(np.asarray(final))), -1, dtype=np.int64)
    after = np.asarray(final, dtype=np.int64)
    for at in range(len(labels) - 1, -1, -1):
        if (labels[at] >= 0).any():
            made[at] = after = matched_labels(after, labels[at])
    return made
