"""Tasks for labels given by hand: look which items are most worth one, and sort all others by them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from clustering.files import write_arrays
from clustering.jobs.bring import needed
from clustering.jobs.context import JobContext
from clustering.jobs.environment import environment
from clustering.jobs.lessons import FAMILY, Lesson, lesson_of, name_by_labels
from clustering.labelling import WAYS, Survey, guesses
from clustering.neighbors import kept_in
from clustering.workspace import RunArrays, RunRecord, Workspace

ARRAYS = ("first", "kind_of", "density", "clusters")
LEAST = 1e-6  # odds below it are kept as this


def survey(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Look over features for the items most worth a label: ``{features, budget}``; once for each budget."""
    from clustering.labelling import survey as made

    source = workspace.feature_set(needed(parameters, "features", "survey"))
    budget = int(needed(parameters, "budget", "survey"))
    if kept_survey(workspace, source.id, budget) is None:
        with kept_in(workspace.cache / "neighbours"):
            found = made(workspace.features(source.id), budget, progress=context.progress)
        arrays = {name: getattr(found, name) for name in ARRAYS}
        place = survey_file(workspace, source.id, budget)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(place, {**arrays, "n_neighbors": np.array(found.n_neighbors)})
    return {"collection": source.collection_id, "features": source.id}


def survey_file(workspace: Workspace, feature_id: str, budget: int) -> Path:
    """Return where a survey is kept; it can be made again at any time."""
    return workspace.cache / "surveys" / f"{feature_id}-{budget}.npz"


def kept_survey(workspace: Workspace, feature_id: str, budget: int) -> Survey | None:
    """Return a survey that was made before, or None."""
    try:
        with np.load(survey_file(workspace, feature_id, budget), allow_pickle=False) as arrays:
            kept: Any = {name: arrays[name] for name in ARRAYS}
            return Survey(**kept, n_neighbors=int(arrays["n_neighbors"]))
    except (FileNotFoundError, BadZipFile, KeyError, ValueError):  # absent or broken: look again
        return None


def refine(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Sort all items by the labels given by hand: ``{features, way}``; the classes are a run's groups.

    The plain ways, at once (`clustering.labelling.WAYS`); FixMatch is a method and trained like any.
    """
    run = workspace.run_of_job(context.job_id)
    if run is None:
        run = _refined(workspace, parameters, context)
    name_by_labels(workspace, run)
    return {"collection": run.collection_id, "features": run.feature_id, "run": run.id}


def _refined(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> RunRecord:
    source = workspace.feature_set(needed(parameters, "features", "refine"))
    way = parameters.get("way") or "linear_probe"
    context.progress(0, 0, "Learning from the labels")
    begun = time.perf_counter()
    taught = lesson_of(workspace, source.collection_id, context)
    learned = ~taught.held
    found = guesses(
        np.asarray(workspace.features(source.id)), taught.items[learned], taught.classes[learned], way
    )
    latents = np.log(np.maximum(found.soft_assignments, LEAST))
    context.progress(0, 0, "Keeping the result")
    return workspace.add_run(
        source.id,
        RunArrays(found.labels, found.soft_assignments, latents, _centers(latents, found.labels, taught)),
        method=f"labels_{way}",
        title=f"{WAYS[way].title} from labels",
        family=FAMILY,
        parameters={"way": way},
        seed=0,
        reason=f"learned from {int(learned.sum())} labels; {int(taught.held.sum())} held back",
        seconds=time.perf_counter() - begun,
        environment=environment("cpu", "it runs on the processor"),
        given=taught.told(),
        job_id=context.job_id,
    )


def _centers(latents: NDArray[np.float32], labels: NDArray[np.int64], taught: Lesson) -> NDArray[np.float32]:
    """Return the middle of every class; of one that no item fell to, that of the items called so."""
    middles = []
    for number in range(len(taught.names)):
        rows = np.flatnonzero(labels == number)
        middles.append(latents[rows if len(rows) else taught.items[taught.classes == number]].mean(axis=0))
    return np.stack(middles)
