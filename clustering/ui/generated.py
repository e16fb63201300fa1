"""What generators make: as pictures where the features are pixels, else the real items nearest to it."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.training.events import Generated
from clustering.ui import state
from clustering.ui.gallery import gallery
from clustering.workspace import FeatureRecord, JobRecord, JobStatus, SnapshotFile

SIDE = 52  # pixels of a picture, about
GAP = 4
HALVES = ("One half", "Other half")


def now(status: JobStatus) -> None:
    """Show what the generators of a job under way made when it was last looked at."""
    record = state.workspace().job(status.job_id)
    snapshots = state.workspace().job_snapshots(status.job_id)
    if snapshots and status.is_open:
        latest(record, snapshots[-1])


def latest(record: JobRecord, snapshot: SnapshotFile) -> None:
    """Show what generators made at a moment of a training; nothing of a method without them."""
    made, features = snapshot.generated(), _features_of(record)
    if made is None or features is None:
        return
    st.markdown("**What the generators make now**")
    for half, name in enumerate(HALVES):
        with st.container(gap="xxsmall"):
            st.caption(name)
            strip(features, made, half, key=f"made-{record.id}-{half}", title=f"{name}: what is made of it")
    st.caption(told(features, made))


def strip(features: FeatureRecord, made: Generated, half: int, *, key: str, title: str) -> int | None:
    """Show what was made of one half in a line; return the real item opened since the last run, if any."""
    if _are_pictures(features, made):
        colour = features.parameters.get("colour") == "colour"
        st.image(in_a_row(made.items[half], colour), alt=title, output_format="PNG")
        return None
    items, counts = np.unique(made.nearest[half], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return gallery(
        state.open_collection(features.collection_id),
        items[order],
        key=key,
        title=title,
        height=SIDE,
        notes={int(items[at]): f"{counts[at]} ×" for at in order if counts[at] > 1},
        strip=True,
    )


def heading(features: FeatureRecord, made: Generated) -> str:
    """Return what stands above the strip of a branch."""
    if _are_pictures(features, made):
        return "What its generators make"
    return "Nearest to what its generators make"


def told(features: FeatureRecord, made: Generated) -> str:
    """Say what the strips are."""
    count = made.nearest.shape[1]
    if _are_pictures(features, made):
        return f"{count} pictures of each half, made from the same random numbers at every look."
    return (
        f"Made are features, not pictures: of {count} for each half the nearest real items are shown, with "
        "how often each is the nearest. A single one again and again: that generator makes but one thing."
    )


def in_a_row(rows: NDArray[np.float32], colour: bool) -> NDArray[np.uint8]:
    """Return rows of pixels (s, d), from 0 to 1, as one picture (h, w, 4) of square ones side by side."""
    channels = 3 if colour else 1
    side = math.isqrt(rows.shape[1] // channels)
    times = max(1, round(SIDE / side))
    values = np.nan_to_num(rows).clip(0, 1).reshape(len(rows), side, side, channels)
    pixels = np.repeat(np.repeat((255 * values).round(), times, axis=1), times, axis=2)
    framed = np.zeros((side * times, len(rows) * (side * times + GAP) - GAP, 4), dtype=np.uint8)
    for at, picture in enumerate(pixels):
        start = at * (side * times + GAP)
        part = framed[:, start : start + side * times]
        part[..., :3], part[..., 3] = picture, 255
    return framed


def _are_pictures(features: FeatureRecord, made: Generated) -> bool:
    return features.encoder == "pixels" and made.items.shape[-1] > 0


def _features_of(record: JobRecord) -> FeatureRecord | None:
    """Return the features a job works on: its own, those of the job before it, or of the run it names."""
    workspace = state.workspace()
    named = record.parameters.get("features")
    if named is None and record.after is not None:
        named = workspace.job(record.after).result.get("features")
    if named is None and record.parameters.get("run"):
        named = workspace.run(record.parameters["run"]).feature_id
    return workspace.feature_set(named) if named else None
