"""Tasks for labels given by hand: look which items are most worth one, and sort all others by them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.files import write_arrays
from clustering.jobs.bring import needed
from clustering.jobs.context import JobContext
from clustering.jobs.environment import environment
from clustering.labelling import WAYS, Survey, guesses, held_back, wilson
from clustering.neighbors import kept_in
from clustering.workspace import RunArrays, RunRecord, Workspace

ARRAYS = ("first", "kind_of", "density", "clusters")
LEAST = 1e-6  # odds below it are kept as this
ENOUGH = 10  # labels held back, below which a share of them says little
FAMILY = "labels"  # of runs made from labels: neither plain nor deep clustering


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


@dataclass(frozen=True)
class Lesson:
    """What is learned from and what only judges.

    Parameters
    ----------
    names : list of str
        The labels, sorted; classes are their places.
    items, classes : int64 arrays (m,)
    held : bool array (m,)
        Labels that are held back.
    """

    names: list[str]
    items: NDArray[np.int64]
    classes: NDArray[np.int64]
    held: NDArray[np.bool_]


def lesson(labels: dict[int, str], seed: int = 0) -> Lesson:
    """Return the labels given by hand as classes, with those that are held back."""
    items = np.array(sorted(labels), dtype=np.int64)
    texts = [labels[item] for item in items.tolist()]
    names, classes = np.unique(np.array(texts, dtype=str), return_inverse=True)
    return Lesson(names.tolist(), items, classes.astype(np.int64), held_back(items, classes, seed))


def refine(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Sort all items by the labels given by hand: ``{features, way, seed}``; makes a run of them.

    A part of the labels is held back; how many of them come out right is noted in ``run.json``.
    """
    run = workspace.run_of_job(context.job_id)
    if run is None:
        run = _refined(workspace, parameters, context)
    return {"collection": run.collection_id, "features": run.feature_id, "run": run.id}


def accuracy_sentence(workspace: Workspace, run_id: str) -> str:
    """Say how many of the labels that were held back a run gets right, and how sure that is."""
    given = workspace.run_details(run_id)["given"]
    n, right, learned = len(given["held_back"]), given["right"], len(given["labels"])
    if not n:
        return (
            f"Learned from {learned} labels; none could be held back to judge by, as no label was given to "
            "three items yet."
        )
    low, high = wilson(right, n)
    few = " That is few: about 40 labels are needed before it says much." if n < ENOUGH else ""
    return (
        f"Learned from {learned} labels. Of {n} held back, {right} came out right: {right / n:.0%}, in truth "
        f"between {low:.0%} and {high:.0%} (95 %, Wilson).{few}"
    )


def _refined(workspace: Workspace, parameters: dict[str, Any], context: JobContext) -> RunRecord:
    source = workspace.feature_set(needed(parameters, "features", "refine"))
    way, seed = parameters.get("way") or "linear_probe", int(parameters.get("seed") or 0)
    labels = workspace.labels(source.collection_id)
    if not labels:
        raise StudioError(
            "No item of the collection has a label yet.", "Give some in Explore, under “Label next”."
        )
    context.progress(0, 0, "Learning from the labels")
    begun = time.perf_counter()
    told = lesson(labels, seed)
    features = np.asarray(workspace.features(source.id))
    learned = ~told.held
    found = guesses(features, told.items[learned], told.classes[learned], way)
    q = found.soft_assignments
    right = int((found.labels[told.items[told.held]] == told.classes[told.held]).sum())
    latents = np.log(np.maximum(q, LEAST))
    context.progress(0, 0, "Keeping the result")
    run = workspace.add_run(
        source.id,
        RunArrays(found.labels, q, latents, _centers(latents, found.labels, told)),
        method=f"labels_{way}",
        title=f"{WAYS[way].title} from labels",
        family=FAMILY,
        parameters={"way": way, "random_state": seed},
        seed=seed,
        reason=f"learned from {int(learned.sum())} labels; {int(told.held.sum())} held back",
        seconds=time.perf_counter() - begun,
        environment=environment("cpu", "it runs on the processor"),
        given={
            "labels": {str(item): labels[item] for item in told.items[learned].tolist()},
            "held_back": {str(item): labels[item] for item in told.items[told.held].tolist()},
            "right": right,
        },
        job_id=context.job_id,
    )
    for number, name in enumerate(told.names):
        workspace.name_cluster(run.id, number, name)
    return run


def _centers(latents: NDArray[np.float32], labels: NDArray[np.int64], told: Lesson) -> NDArray[np.float32]:
    """Return the middle of every class; of one that no item fell to, that of the items called so."""
    rows = [np.flatnonzero(labels == number) for number in range(len(told.names))]
    own = [told.items[told.classes == number] for number in range(len(told.names))]
    return np.stack(
        [latents[some if len(some) else few].mean(axis=0) for some, few in zip(rows, own, strict=True)]
    )
