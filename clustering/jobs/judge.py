"""Tasks that draw a map of a run or a feature set, and that say what a run is worth."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.jobs.bring import needed
from clustering.jobs.context import JobContext
from clustering.progress import Progress, silent
from clustering.workspace import ProjectionRecord, RunArrays, RunRecord, Workspace

if TYPE_CHECKING:
    from clustering.metrics import Quality
    from clustering.metrics.neighbourhood import Neighbourhood
    from clustering.metrics.quality import Space
    from clustering.projections.base import Projection

NEIGHBOURS = 15  # the neighbourhood size of projection quality
HEADLINES = ("accuracy", "nmi", "ari", "silhouette", "modularity")  # what lists of runs show
# On UMAP's own settings a deep method's groups shrink to dots with nothing to see. Wide islands show the
# works and cost little in the latent space (DELIUS on 2,557 artworks: trustworthiness .969 → .961); in the
# features they would cost much (.90 → .82).
ROOM_FOR_PICTURES: dict[str, Any] = {"n_neighbors": 30, "min_dist": 3.0, "spread": 3.0}


def project(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Draw a map: ``{run | features, projection, parameters, space, alone}``.

    ``space`` is ``latent`` or ``features``. Unless it shall stand ``alone``, the map is laid on the newest
    one of the collection, so that items can be followed from one to the other.
    """
    made = workspace.projection_of_job(context.job_id)
    if made is None:
        made = _drawn(workspace, parameters, context)
    ids = {"collection": made.collection_id, "features": made.feature_id, "projection": made.id}
    return ids | ({"run": made.run_id} if made.run_id else {})


def _drawn(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> Any:
    from clustering.metrics import projection as judged
    from clustering.parameters import checked_parameters
    from clustering.projections import projection

    run_id = parameters.get("run")
    space: Space = parameters.get("space") or ("latent" if run_id else "features")
    chosen = projection(needed(parameters, "projection", "project"))
    feature_id = workspace.run(run_id).feature_id if run_id else needed(parameters, "features", "project")
    pictured = workspace.open_collection(workspace.feature_set(feature_id).collection_id).pictured
    roomy = pictured and (chosen.info.name, space) == ("umap", "latent")
    usual = ROOM_FOR_PICTURES if roomy else {}
    model = chosen(**checked_parameters(chosen, parameters.get("parameters") or usual))
    points = points_of(workspace, run_id, feature_id, space)
    before = None if parameters.get("alone") else _before(workspace, feature_id, chosen.info.name, space)
    context.progress(0, 0, "Preparing the map")
    _fit(model, points, workspace, before, context)
    positions = model.embedding_
    seed = int(model.get_params(deep=False).get("random_state") or 0)
    near = neighbours_shown(points, positions, seed, context.progress)
    figures = judged(
        points,
        positions,
        k=NEIGHBOURS,
        seed=seed,
        progress=context.progress,
        space=space,
        labels=workspace.run_arrays(run_id).labels if run_id else None,
        near=near,
    )
    context.progress(0, 0, "Keeping the map")
    return workspace.add_projection(
        feature_id,
        positions,
        run_id=run_id,
        space=space,
        projection=chosen.info.name,
        title=chosen.info.title,
        parameters=model.get_params(deep=False),
        seed=seed,
        engine=model.engine_,
        notes=(*model.notes_, *_laid(workspace, model, before)),
        seconds=model.seconds_,
        quality=[asdict(figure) for figure in figures],
        point_quality=None if near is None else near.of_items(near.recall),
        laid_on=before.id if before else None,
        save_model=model.save,
        job_id=context.job_id,
    )


def _before(workspace: Workspace, feature_id: str, projection: str, space: str) -> ProjectionRecord | None:
    """Return the map a new one is laid on: the newest of its kind, else the newest of its collection."""
    maps = workspace.projections(workspace.feature_set(feature_id).collection_id)
    alike = (one for one in maps if (one.projection, one.space) == (projection, space))
    return next(alike, maps[0] if maps else None)


def _begins_at(model: Projection, before: ProjectionRecord | None) -> bool:
    """Say whether a map begins at the places of the one before instead of being only laid on it."""
    return before is not None and model.info.going_on is not None and before.projection == model.info.name


def _fit(
    model: Projection,
    points: NDArray[np.float32],
    workspace: Workspace,
    before: ProjectionRecord | None,
    context: JobContext,
) -> None:
    target = workspace.drawn_map(before.id) if before else None
    model.fit(points, start=target if _begins_at(model, before) else None, progress=context.progress)
    if target is not None:
        model.lay_on(target)


def _laid(workspace: Workspace, model: Projection, before: ProjectionRecord | None) -> list[str]:
    if before is None:
        return []
    how = "Begun at the places of, and laid on," if _begins_at(model, before) else "Turned to lie on"
    of = workspace.run(before.run_id).name if before.run_id else "the features"
    return [f"{how} the {before.title} map of {of} ({before.id}), so that items can be followed."]


def quality(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Judge a run: ``{run}``; against every label column, and without labels in both spaces."""
    from clustering import metrics

    run = workspace.run(needed(parameters, "run", "quality"))
    arrays = workspace.run_arrays(run.id)
    collection = workspace.open_collection(run.collection_id)
    columns = collection.label_columns
    steps, rows = len(columns) + 3, []
    hinted = [item for hint in workspace.hints_given(run.id) for item in hint["items"]]
    for step, column in enumerate(columns):
        context.progress(step, steps, "Comparing with labels")
        figures = metrics.external(collection.items[column], arrays.labels, seed=run.seed)
        rows += [{**asdict(figure), "column": column} for figure in figures]
        rows += _without_paired(collection.items[column], arrays.labels, hinted, column, run.seed)
    spaces: dict[Space, NDArray[np.float32]] = {
        "features": workspace.features(run.feature_id),
        "latent": arrays.latents,
    }
    for step, (space, points) in enumerate(spaces.items(), start=len(columns)):
        context.progress(step, steps, "Measuring the groups")
        found = metrics.internal(points, arrays.labels, space, run.seed, run.parameters.get("n_clusters"))
        # sizes of clusters are the same in every space and told once
        rows += _rows([row for row in found if row.space or space == "features"])
    if collection.kind == "graph":
        rows += _of_links(collection.edges(), arrays.labels)
    context.progress(steps - 1, steps, "Reading the confidence")
    rows += _rows(metrics.confidence(arrays.soft_assignments))
    rows += _of_seeds(workspace, run, arrays)
    context.progress(steps, steps, "Keeping the figures")
    workspace.set_quality(run.id, rows, _summary(rows))
    return {"collection": run.collection_id, "features": run.feature_id, "run": run.id}


def _without_paired(
    labels_true: Any, labels: NDArray[np.int64], hinted: list[int], column: str, seed: int
) -> list[dict[str, Any]]:
    """Return the agreement with labels of the items in no pair: those the method was told nothing of."""
    from clustering import metrics

    free = np.setdiff1d(np.arange(len(labels)), np.array(hinted, dtype=np.int64))
    if len(free) == len(labels) or len(free) < 2:
        return []
    figures = metrics.external(labels_true.iloc[free], labels[free], seed=seed)
    note = "Only items that are in no pair made by hand: of these the method was told nothing."
    return [
        {**asdict(figure), "column": column, "name": f"{figure.name}_unpaired", "note": note}
        | {"title": f"{figure.title}, items in no pair"}
        for figure in figures
        if figure.name in HEADLINES
    ]


def points_of(workspace: Workspace, run_id: str | None, feature_id: str, space: str) -> NDArray[np.float32]:
    """Return what a map shows, (n, d): a run's latents, or features."""
    if space == "features":
        return workspace.features(feature_id)
    if space == "latent" and run_id:
        return workspace.run_arrays(run_id).latents
    raise StudioError(
        f"There is no space “{space}” to draw{' without a run' if space == 'latent' else ''}.",
        "Choose “features”, or “latent” with a run.",
    )


def neighbours_shown(
    points: NDArray[np.float32], positions: NDArray[np.float32], seed: int, progress: Progress = silent
) -> Neighbourhood | None:
    """Return how the neighbourhoods survive in the map; None where there are too few items."""
    from clustering.metrics.neighbourhood import neighbourhoods

    try:
        return neighbourhoods(points, positions, (NEIGHBOURS,), seed, progress=progress)[0]
    except StudioError:
        return None


def _rows(figures: list[Quality]) -> list[dict[str, Any]]:
    return [{**asdict(figure), "column": ""} for figure in figures]


def _of_links(edges: NDArray[np.int64], labels: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return how groups fit the links, then every group's own links with ``detail`` ``"links"``."""
    from clustering import metrics
    from clustering.metrics.links import group_links

    part = {"group": "links", "space": "", "higher_is_better": False, "n_used": len(labels), "column": ""}
    own = [
        {
            "name": f"links_{cluster}",
            "title": f"Conductance of group {cluster + 1}",
            "value": None if np.isnan(cut) else cut,
            "note": "",
            "detail": "links",
            "cluster": cluster,
            "inside": inside,
            "leaving": leaving,
            **part,
        }
        for cluster, inside, leaving, cut in zip(
            *(column.tolist() for column in group_links(edges, labels)), strict=True
        )
    ]
    return _rows(metrics.links(edges, labels)) + own


def _of_seeds(workspace: Workspace, run: RunRecord, arrays: RunArrays) -> list[dict[str, Any]]:
    """Return how alike the seeds of a run are: the figures of `metrics.stability`, then the single parts.

    A part has a ``detail``: ``"seed"``, with its number and loss, against the kept one and against all others
    (``"alike"``); or ``"cluster"``, with its number, against the other seeds. Without several seeds there is
    nothing to say.
    """
    from clustering import metrics
    from clustering.metrics.stability import jaccard_recovery, pairwise_ari

    seeds = workspace.seeds(run.id)
    if arrays.init_labels is None or len(seeds) < 2:
        return []
    own = arrays.labels
    others = [labels for seed, labels in zip(seeds, arrays.init_labels, strict=True) if not seed.kept]
    between = pairwise_ari(arrays.init_labels)
    kept = next(at for at, seed in enumerate(seeds) if seed.kept)
    alike = (between.sum(axis=1) - 1) / (len(seeds) - 1)
    figures = metrics.stability([own, *others], run.seed)
    rows = _rows(figures)
    numbers = np.unique(own[own >= 0]).tolist()
    recovered = jaccard_recovery(own, others).tolist()
    if numbers:
        rows[-1]["cluster"] = numbers[int(np.argmin(recovered))]  # the weakest
    part = {"group": "stability", "space": "", "higher_is_better": True, "n_used": len(own), "column": ""}
    for at, seed in enumerate(seeds):
        told = {"title": f"Seed {seed.seed} beside the kept one (ARI)", "value": float(between[kept, at])}
        note = "Kept: its loss is the lowest." if seed.kept else ""
        rows.append(
            {"name": f"seed_{seed.seed}", **told, **part, "note": note, "detail": "seed"}
            | {"seed": seed.seed, "loss": seed.loss, "kept": seed.kept, "alike": float(alike[at])}
        )
    for number, value in zip(numbers, recovered, strict=True):
        told = {"title": f"Group {number + 1} in the other seeds (Jaccard)", "value": value}
        rows.append(
            {"name": f"cluster_{number}", **told, **part, "note": "", "detail": "cluster", "cluster": number}
        )
    return rows


def _summary(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return the headline figures by name and what they are measured against: ``"nmi:style"``."""
    return {
        f"{row['name']}:{row['column'] or row['space']}": row["value"]
        for row in rows
        if row["name"] in HEADLINES and row["value"] is not None
    }
