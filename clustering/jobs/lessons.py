"""What labels given by hand teach a run, which of them only judge it, and what the judgement is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.files import read_json, write_json
from clustering.jobs.context import JobContext
from clustering.labelling import held_back, wilson
from clustering.workspace import RunRecord, Workspace

NOTED = "labels.json"  # in the job's folder
FAMILY = "labels"  # of runs that only keep what labels tell of the items: neither plain nor deep clustering
ENOUGH = 10  # labels held back, below which a share of them says little


@dataclass(frozen=True)
class Lesson:
    """What is learned from and what only judges.

    Parameters
    ----------
    names : list of str
        The labels, sorted; classes are their places.
    items, classes : int64 arrays (m,)
    held : bool array (m,)
        Labels that are held back: the same ones for every way of learning, so that their figures compare.
    """

    names: list[str]
    items: NDArray[np.int64]
    classes: NDArray[np.int64]
    held: NDArray[np.bool_]

    def groups(self, n_items: int) -> NDArray[np.int64]:
        """Return the class of every item that is learned from, −1 for all others, (n,)."""
        known = np.full(n_items, -1, dtype=np.int64)
        known[self.items[~self.held]] = self.classes[~self.held]
        return known

    def told(self) -> dict[str, Any]:
        """Return the lesson as a run keeps it."""
        parts = {"labels": ~self.held, "held_back": self.held}
        return {
            part: {
                str(item): self.names[kind]
                for item, kind in zip(self.items[rows].tolist(), self.classes[rows].tolist(), strict=True)
            }
            for part, rows in parts.items()
        }


def lesson(labels: Mapping[int, str]) -> Lesson:
    """Return labels as classes, with those that are held back."""
    items = np.array(sorted(labels), dtype=np.int64)
    names, classes = np.unique(np.array([labels[item] for item in items.tolist()], str), return_inverse=True)
    return Lesson(names.tolist(), items, classes.astype(np.int64), held_back(items, classes))


def lesson_of(workspace: Workspace, collection_id: str, context: JobContext) -> Lesson:
    """Return the lesson of the labels there are by the time the job first runs; resumed, it keeps to those.

    Raises
    ------
    StudioError
        When there are none.
    """
    noted = context.folder / NOTED
    if not noted.exists():
        labels = workspace.labels(collection_id)
        if not labels:
            raise StudioError(
                "No item of the collection has a label yet.", "Give some in Explore, under “Label next”."
            )
        write_json(noted, {str(item): label for item, label in labels.items()})
    return _noted(context)


def told(context: JobContext) -> dict[str, Any]:
    """Return what a run must keep of its lesson; nothing where it had none."""
    return _noted(context).told() if (context.folder / NOTED).exists() else {}


def learned_from(workspace: Workspace, run_id: str) -> bool:
    """Say whether a run was made from labels given by hand."""
    return bool(workspace.run_details(run_id).get("given", {}).get("labels"))


def name_by_labels(workspace: Workspace, run: RunRecord) -> None:
    """Call the groups of a run that was made from labels as these do."""
    given = workspace.run_details(run.id).get("given", {})
    for number, name in enumerate(_names(given)):
        workspace.name_cluster(run.id, number, name)


def accuracy_sentence(workspace: Workspace, run_id: str) -> str:
    """Say how many of the labels that were held back a run gets right, and how sure that is."""
    given = workspace.run_details(run_id)["given"]
    names, held = _names(given), given["held_back"]
    n, learned = len(held), len(given["labels"])
    if not n:
        return (
            f"Learned from {learned} labels; none could be held back to judge by, as no label was given to "
            "three items yet."
        )
    found = workspace.run_arrays(run_id).labels[[int(item) for item in held]].tolist()
    right = sum(names[kind] == name for kind, name in zip(found, held.values(), strict=True))
    low, high = wilson(right, n)
    few = " That is few: about 40 labels are needed before it says much." if n < ENOUGH else ""
    return (
        f"Learned from {learned} labels. Of {n} held back, {right} came out right: {right / n:.0%}, in truth "
        f"between {low:.0%} and {high:.0%} (95 %, Wilson).{few}"
    )


def _noted(context: JobContext) -> Lesson:
    return lesson({int(item): label for item, label in read_json(context.folder / NOTED).items()})


def _names(given: Mapping[str, Any]) -> list[str]:
    return sorted({*given.get("labels", {}).values(), *given.get("held_back", {}).values()})
