"""Start a training as a chain of jobs: features if there are none, the fit, its map, its quality."""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from typing import Any

import streamlit as st

from clustering.errors import StudioError
from clustering.features.info import EncoderInfo
from clustering.features.suiting import reason, unsuited
from clustering.jobs.catalogue import Catalogue, Entry
from clustering.ui import jobs, state
from clustering.ui.trouble import plain
from clustering.words import several
from clustering.workspace import CollectionRecord, FeatureRecord, JobRecord, Workspace

BASELINES = ("kmeans", "gaussian_mixture", "ward", "umap_gmm")
WARD_LIMIT = 10_000  # items; Ward keeps a distance for every pair
MAP = "umap"
AUTO = "auto"  # the encoder that the items themselves decide: small pictures get another than large ones


def start(
    workspace: Workspace,
    collection: CollectionRecord,
    method: Entry,
    settings: Mapping[str, Any],
    *,
    features: str | None,
    encoder: str = AUTO,
    baselines: bool = True,
) -> list[str]:
    """Queue everything from features to quality and return the ids of what was queued, in order.

    Parameters
    ----------
    settings : mapping
        Parameters of the method; what is left out keeps its default.
    features : str or None
        Id of a feature set; None computes one with ``encoder`` first.
    baselines : bool
        Also run plain methods on the same features, each with its quality.

    Raises
    ------
    StudioError
        When more groups than items are asked for.
    """
    check_groups(settings.get("n_clusters"), collection.n_items)
    beside = [name for name in BASELINES if name != "ward" or collection.n_items <= WARD_LIMIT]
    owner = {"collection": collection.id}
    wanted: dict[str, Any] = {**owner, "method": method.name, "parameters": dict(settings)}
    wanted["baselines"] = [name for name in beside if name != method.name] if baselines else []
    queued: list[JobRecord] = []
    if features is None:
        encode = {**owner, "encoder": encoder, "parameters": {}}
        queued.append(workspace.submit("features", encode, title="Compute features"))
    else:
        wanted["features"] = features
    train = workspace.submit(
        "train", wanted, after=queued[-1].id if queued else None, title=f"Train {method.title}"
    )
    draw = workspace.submit(
        "project", {**owner, "projection": MAP, "space": "latent"}, after=train.id, title="Draw the map"
    )
    judge = workspace.submit("quality", owner, after=train.id, title="Measure quality")
    jobs.ensure(workspace)
    return [record.id for record in (*queued, train, draw, judge)]


def check_groups(n_clusters: Any, n_items: int) -> None:
    """Refuse more groups than there are items.

    Raises
    ------
    StudioError
        Naming both numbers.
    """
    if n_clusters is not None and n_items and int(n_clusters) > n_items:
        raise StudioError(
            f"{int(n_clusters)} groups were asked for, but the collection holds {several(n_items, 'item')}.",
            f"Choose at most {n_items}; far fewer is usual.",
        )


def defaults(method: Entry, collection: CollectionRecord) -> dict[str, Any]:
    """Return starting values that fit the collection: never more groups than items."""
    start_with = {parameter.name: parameter.default for parameter in method.parameters}
    groups = start_with.get("n_clusters")
    if groups is not None and groups > collection.n_items:
        return {"n_clusters": max(2, collection.n_items // 10)}
    return {}


def closed(
    method: Entry, collection: CollectionRecord, feature_id: str | None, encoder: str
) -> dict[str, str]:
    """Return the settings that cannot be chosen for these features, each with the reason.

    Affine views turn and move pictures; they need the pixels of square ones. How the numbers of an item lie
    is said by the features.
    """
    laid_out = dict.fromkeys(method.info["layout"], "As the features say.")
    if collection.kind != "images" and not _has_picture_views(collection):
        laid_out["picture_encoder"] = "Only for views that are pictures."
    square = encoder == "pixels"
    if square and feature_id is not None:
        dimensions = state.workspace().feature_set(feature_id).dimensions
        square = any(channels * isqrt(dimensions // channels) ** 2 == dimensions for channels in (1, 3))
    if square:
        return laid_out
    if collection.kind == "images":
        return laid_out | {"views": "Only for raw pixels of square pictures as features."}
    return laid_out | {"views": "Only for collections of pictures."}


def _has_picture_views(collection: CollectionRecord) -> bool:
    about = state.workspace().open_collection(collection.id).about
    return any(view.get("pictures") or view.get("shape") for view in about.get("views", ()))


def pairs_told(method: Entry, collection: CollectionRecord, entries: Mapping[str, Entry]) -> str:
    """Say how many pairs were made by hand and whether the method heeds them; empty where there are none."""
    hints = state.workspace().hints(collection.id)
    if not hints:
        return ""
    together = sum(hint.together for hint in hints)
    counts = [f"{n} that belong together" for n in (together,) if n]
    counts += [f"{n} to keep apart" for n in (len(hints) - together,) if n]
    said = f"By hand, in Explore: {several(len(hints), 'hint')} ({', '.join(counts)})."
    if "pairs" in method.info["inputs"]:
        return f"{said} {method.title} heeds them."
    heeding = [
        entry.title
        for entry in entries.values()
        if "pairs" in entry.info["inputs"] and collection.kind in entry.info["kinds"]
    ]
    return f"{said} {method.title} does not heed them" + (
        f"; {', '.join(heeding)} would." if heeding else "."
    )


def choose_features(
    collection: CollectionRecord, choices: Catalogue, method: Entry
) -> tuple[str | None, str]:
    """Let the person choose what the method sees: a feature set that is there, or an encoder to make one.

    What suits the method is chosen beforehand, and a line says why.

    Returns
    -------
    feature_id : str or None
    encoder : str
        Used when there is no feature set yet.
    """
    wanted = method.info["layout"]
    encoders = {name: one for name, one in choices.features.items() if collection.kind in one.info["kinds"]}
    others = unsuited({name: one.info["layout"] for name, one in encoders.items()}, wanted)
    kept = {record.id: record for record in state.workspace().feature_sets(collection.id)}
    made = {record.encoder for record in kept.values()}
    by_looks = [AUTO] if collection.kind in ("images", "graph") and not kept else []
    suited, rest = _parted([*kept, *by_looks, *(name for name in encoders if name not in made)], kept, others)

    def named(key: str) -> str:
        if key in kept:
            return f"{kept[key].title} · {several(kept[key].dimensions, 'number')} an item"
        return f"{'Automatic' if key == AUTO else encoders[key].title} · computed first"

    chosen = st.selectbox(
        "Features",
        [*suited, *rest],
        format_func=named,
        key=f"features-{'-'.join((collection.id, *wanted))}",
        persist_state="session",
    )
    if chosen is None:
        raise StudioError("No encoder reads this kind of collection yet.", "Choose another collection.")
    encoder = kept[chosen].encoder if chosen in kept else chosen
    told = EncoderInfo(**encoders[encoder].info) if encoder in encoders else None
    if told is not None and encoder not in others and (why := reason(told, method.title)):
        st.caption(plain(why))
    elif chosen in kept:
        st.caption(plain(kept[chosen].origin))
    elif told is not None:
        st.caption(plain(f"{told.summary} {told.origin}"))
    return (chosen if chosen in kept else None), encoder


def _parted(
    keys: list[str], kept: Mapping[str, FeatureRecord], others: frozenset[str]
) -> tuple[list[str], list[str]]:
    """Return features and encoders that suit a method, and those that suit it less."""
    unfit = [key for key in keys if (kept[key].encoder if key in kept else key) in others]
    return [key for key in keys if key not in unfit], unfit
