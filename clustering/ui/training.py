"""Start a training as a chain of jobs, find it again after any reload, and watch it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from clustering.errors import StudioError
from clustering.ui import jobs, live, state
from clustering.ui.trouble import plain
from clustering.ui.words import figure
from clustering.workspace import Workspace
from clustering.workspace.records import JobRecord, JobStatus

CHAIN = ("features", "train", "project", "quality")
BASELINES = ("kmeans", "gaussian_mixture", "ward", "umap_gmm")
WARD_LIMIT = 10_000  # items; Ward keeps a distance for every pair
MAP_LIMIT = 20_000


def start(
    workspace: Workspace,
    collection_id: str,
    method: str,
    parameters: Mapping[str, Any],
    *,
    features: str | None,
    encoder: str = "auto",
    baselines: Sequence[str] = (),
    n_items: int = 0,
    projection: str = "umap",
) -> list[str]:
    """Queue everything from features to quality and return the job ids in order.

    Parameters
    ----------
    features : str or None
        Id of a feature set; None computes them first with ``encoder``.
    baselines : sequence of str
        Methods run on the same features after the chosen one, each judged too.

    Raises
    ------
    StudioError
        When more groups than items are asked for.
    """
    check_groups(parameters.get("n_clusters"), n_items)
    queued: list[JobRecord] = []

    def queue(kind: str, values: dict[str, Any], after: str | None) -> JobRecord:
        record = workspace.submit(kind, values, after=after)  # type: ignore[arg-type]
        queued.append(record)
        return record

    source: str | None = None
    given: dict[str, Any] = {"collection": collection_id}
    if features is None:
        source = queue("features", {**given, "encoder": encoder, "parameters": {}}, None).id
    else:
        given["features"] = features
    train = queue("train", {**given, "method": method, "parameters": dict(parameters)}, source)
    after_train = queue("quality", {"collection": collection_id}, train.id)
    queue(
        "project",
        {"collection": collection_id, "projection": projection, "parameters": {}, "space": "latent"},
        train.id,
    )
    for baseline in baselines:
        if baseline == method or (baseline == "ward" and n_items > WARD_LIMIT):
            continue
        shared = {name: parameters[name] for name in ("n_clusters", "random_state") if name in parameters}
        plain_run = queue("train", {**given, "method": baseline, "parameters": shared}, source)
        queue("quality", {"collection": collection_id}, plain_run.id)
    assert after_train
    return [record.id for record in queued]


def check_groups(n_clusters: Any, n_items: int) -> None:
    """Refuse more groups than there are items.

    Raises
    ------
    StudioError
        Naming both numbers.
    """
    if n_clusters is not None and n_items and int(n_clusters) > n_items:
        raise StudioError(
            f"{int(n_clusters)} groups were asked for, but the collection holds {n_items} items.",
            f"Choose at most {n_items} groups; a tenth of that is plenty.",
        )
