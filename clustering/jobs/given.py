"""What a fit is handed besides its features: one entry for each thing a method can ask for by its info."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from clustering.jobs.context import JobContext
from clustering.workspace import FeatureRecord, Workspace

if TYPE_CHECKING:
    from clustering.methods.base import Clusterer
    from clustering.methods.info import Input


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
        if wanted in GIVERS:
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


GIVERS: dict[Input, Callable[[Workspace, FeatureRecord, JobContext], dict[str, Any]]] = {
    "contexts": _contexts,
    "links": _links,
}
