"""What a fit is handed besides its features: one entry for each thing a method can ask for by its info."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clustering.files import read_json, write_json
from clustering.jobs import lessons
from clustering.jobs.context import JobContext
from clustering.workspace import FeatureRecord, Hint, Workspace

if TYPE_CHECKING:
    from clustering.methods.base import Clusterer
    from clustering.methods.info import Input

HINTS = "hints.json"  # in the job's folder


def given(
    workspace: Workspace, source: FeatureRecord, model: Clusterer, context: JobContext
) -> dict[str, Any]:
    """Return the further arguments of ``fit`` that the method asks for and that there are.

    Raises
    ------
    StudioError
        When the collection or the workspace holds what cannot be read.
    """
    arguments: dict[str, Any] = {}
    for wanted in model.info.inputs:
        arguments |= GIVERS[wanted](workspace, source, context)
    return arguments


def _contexts(workspace: Workspace, source: FeatureRecord, context: JobContext) -> dict[str, Any]:  # noqa: ARG001
    """Return which words stand near which, of a collection that knows."""
    if workspace.collection(source.collection_id).kind != "tokens":
        return {}
    from clustering.collections.tokens import neighbouring_words
    from clustering.features.word_contexts import spans_of

    return {"edges": neighbouring_words(spans_of(workspace.open_collection(source.collection_id)))}


def _links(workspace: Workspace, source: FeatureRecord, context: JobContext) -> dict[str, Any]:  # noqa: ARG001
    """Return the links of a graph."""
    if workspace.collection(source.collection_id).kind != "graph":
        return {}
    return {"edges": workspace.open_collection(source.collection_id).edges()}


def _pairs(workspace: Workspace, source: FeatureRecord, context: JobContext) -> dict[str, Any]:
    """Return the pairs that people have made by the time the job first runs; resumed, it keeps to those."""
    from clustering.workspace.hints import pairs_of

    noted = context.folder / HINTS
    if not noted.exists():
        write_json(noted, [asdict(hint) for hint in workspace.hints(source.collection_id)])
    together, apart = pairs_of(_hints(context.folder))
    return {"must_link": together, "cannot_link": apart}


def _labels(workspace: Workspace, source: FeatureRecord, context: JobContext) -> dict[str, Any]:
    """Return the labels given by hand as groups, −1 where there is none or it is held back."""
    return {"y": lessons.lesson_of(workspace, source.collection_id, context).groups(source.n_items)}


def told(context: JobContext) -> dict[str, Any]:
    """Return what a person must know of it to make the run again: what was said by hand, if anything."""
    hints = [{"together": hint.together, "items": list(hint.items)} for hint in _hints(context.folder)]
    return ({"hints": hints} if hints else {}) | lessons.told(context)


def _hints(folder: Path) -> list[Hint]:
    noted = folder / HINTS
    told = read_json(noted) if noted.exists() else []
    return [Hint(**{**one, "items": tuple(one["items"])}) for one in told]


GIVERS: dict[Input, Callable[[Workspace, FeatureRecord, JobContext], dict[str, Any]]] = {
    "contexts": _contexts,
    "labels": _labels,
    "links": _links,
    "pairs": _pairs,
}
