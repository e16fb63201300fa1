"""Tasks that put something beside a finished map: the film of its training, another seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.jobs.bring import needed
from clustering.jobs.context import JobContext
from clustering.jobs.judge import NEIGHBOURS, neighbours_shown, points_of
from clustering.workspace import SnapshotFile, Workspace

if TYPE_CHECKING:
    from clustering.metrics.quality import Space
    from clustering.projections.base import Projection

ROWS_IN_ALL = 400_000  # of all frames together: minutes of one core
FEWEST, MOST = 12, 60  # frames
ANCHORS = 500  # items of which the neighbours of a frame are judged


def frames(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Lay out the kept epochs of the run a map shows, in the frame of that map: ``{projection}``, its id."""
    from clustering.projections import frames as film
    from clustering.projections import projection

    record = workspace.projection(needed(parameters, "projection", "frames"))
    kind = projection(record.projection)
    kept = _thinned(filmed(workspace, record.id), FEWEST if kind.info.learns else MOST)
    arrays = workspace.run_arrays(str(record.run_id))
    context.progress(0, 0, "Reading the snapshots")
    taken = [snapshot.load() for snapshot in kept]
    rows = taken[-1]["rows"]
    latents = [one["latents"] for one in taken]
    made = film.frames(
        latents,
        workspace.drawn_map(record.id)[rows],
        np.asarray(arrays.latents[rows]),
        kind,
        _settings(kind, record.parameters),
        context.progress,
    )
    labels = film.continuous([one["labels"] for one in taken], arrays.labels[rows])
    told = _told(kept, latents, made.positions, labels, context)
    context.progress(0, 0, "Keeping the frames")
    workspace.add_companion(
        record.id,
        "frames",
        {
            "rows": rows,
            "positions": made.positions,
            "labels": labels,
            "confidences": np.stack([one["confidences"] for one in taken]).astype(np.float32),
        },
        {"epochs": told, "engine": made.engine, "sentence": made.sentence},
    )
    return _ids(workspace, record.id)


def another_seed(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Draw a map once more from the next seed and lay it on the first: ``{projection}``, the first's id."""
    from clustering.metrics import projection as judged
    from clustering.metrics.neighbourhood import neighbourhoods
    from clustering.projections import projection
    from clustering.projections.alignment import align, movement

    record = workspace.projection(needed(parameters, "projection", "another-seed"))
    kind = projection(record.projection)
    seed = record.seed + 1
    points = points_of(workspace, record.run_id, record.feature_id, record.space)
    context.progress(0, 0, "Preparing the map")
    model = kind(**_settings(kind, {**record.parameters, "random_state": seed}))
    first = workspace.drawn_map(record.id)
    second = align(model.fit_transform(points, progress=context.progress), first)
    near = neighbours_shown(points, second, seed, context.progress)
    figures = judged(
        points,
        second,
        k=NEIGHBOURS,
        seed=seed,
        progress=context.progress,
        space=cast("Space", record.space),
        near=near,
    )
    context.progress(0, 0, "Comparing the two maps")
    agreement = chance = None
    if len(points) > 2 * NEIGHBOURS:
        shared = neighbourhoods(first, second, (NEIGHBOURS,), seed)[0]
        agreement, chance = float(shared.recall.mean()), NEIGHBOURS / (shared.n_distinct - 1)
    kept = None if near is None else near.of_items(near.recall)
    workspace.add_companion(
        record.id,
        "another-seed",
        {"positions": second, **({} if kept is None else {"point_quality": kept})},
        {
            "seed": seed,
            "engine": model.engine_,
            "quality": [asdict(figure) for figure in figures],
            "agreement": agreement,
            "chance": chance,
            "moved": movement(second, first),
        },
    )
    return _ids(workspace, record.id)


def filmed(workspace: Workspace, projection_id: str) -> list[SnapshotFile]:
    """Return the snapshots of the training whose result a map shows, oldest first.

    Raises
    ------
    StudioError
        When there is nothing to be played.
    """
    record = workspace.projection(projection_id)
    if record.run_id is None or record.space != "latent":
        raise StudioError(
            "Features do not change while a method learns.", "Choose a map of the latent space of a run."
        )
    kept = workspace.snapshots(record.run_id)
    if not kept:
        raise StudioError("No snapshots of this training were kept.", "Train again to watch it learn.")
    return kept


def _thinned(snapshots: Sequence[SnapshotFile], most: int) -> list[SnapshotFile]:
    """Return evenly spread snapshots, the first and the last among them, as many as can be waited for."""
    affordable = ROWS_IN_ALL // max(1, len(snapshots[-1].load()["rows"]))
    count = min(len(snapshots), most, max(FEWEST, affordable))
    return [snapshots[at] for at in np.unique(np.linspace(0, len(snapshots) - 1, count).round().astype(int))]


def _settings(kind: type[Projection], parameters: dict[str, Any]) -> dict[str, Any]:
    from clustering.parameters import checked_parameters

    return dict(checked_parameters(kind, parameters))


def _told(
    kept: Sequence[SnapshotFile],
    latents: Sequence[NDArray[np.float32]],
    positions: NDArray[np.float32],
    labels: NDArray[np.int64],
    context: JobContext,
) -> list[dict[str, Any]]:
    """Return what is said of every frame: its epoch, how much changed since the one before, its honesty."""
    from clustering.metrics.neighbourhood import neighbourhoods
    from clustering.projections.alignment import movement

    told = []
    for at, snapshot in enumerate(kept):
        context.progress(at, len(kept), "Judging the epochs")
        both = (labels[at] >= 0) & (labels[at - 1] >= 0) if at else np.zeros(0, bool)
        recall = None
        if len(positions[at]) > 2 * NEIGHBOURS and np.unique(latents[at], axis=0).shape[0] > 2 * NEIGHBOURS:
            measured = neighbourhoods(latents[at], positions[at], (NEIGHBOURS,), anchors=ANCHORS)[0]
            recall = float(measured.recall.mean())
        told.append(
            {
                "phase": snapshot.phase,
                "epoch": snapshot.epoch,
                "changed": float((labels[at] != labels[at - 1])[both].mean()) if both.any() else None,
                "moved": movement(positions[at - 1], positions[at]) if at else None,
                "kept": recall,
            }
        )
    context.progress(len(kept), len(kept), "Judging the epochs")
    return told


def _ids(workspace: Workspace, projection_id: str) -> dict[str, Any]:
    record = workspace.projection(projection_id)
    ids = {"collection": record.collection_id, "features": record.feature_id, "projection": record.id}
    return ids | ({"run": record.run_id} if record.run_id else {})
