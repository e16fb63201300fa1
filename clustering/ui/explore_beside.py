"""A second seed beside the map: what is chance in it, seen at once; a selection in one is one in both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.projections.turning import WITH_AXES
from clustering.ui import jobs, state
from clustering.ui.explore_state import Shown
from clustering.workspace.records import ProjectionRecord

KEY = "explore-beside"  # of the map component
NEIGHBOURS = 15
READ = (
    "Where an island lies, how it is turned and how far the next one is was decided by chance where the two "
    "differ; so was a group that is one island here and two there. Read only what both show."
)
BEGINNINGS = {  # where nothing but the seed's noise differs at the start
    "pca": "the same two strongest directions (PCA)",
    "spectral": "the same eigenvectors of the neighbour graph",
}


@dataclass(frozen=True)
class Other:
    """The same map from another seed, laid on the first.

    Parameters
    ----------
    positions : float32 array (n, 2)
    trust : float32 array (n,) or None
    told : dict
        ``seed, engine, quality, agreement, chance, moved``.
    """

    positions: NDArray[np.float32]
    trust: NDArray[np.float32] | None
    told: dict[str, Any]
    stamp: str


def of(record: ProjectionRecord) -> Other | None:
    """Return the other seed of a map, or None while there is none."""
    told = record.folder / "another-seed" / "told.json"
    return _other(record.id, str(told.stat().st_mtime_ns)) if told.exists() else None


@st.cache_resource(show_spinner=False, max_entries=8)
def _other(projection_id: str, stamp: str) -> Other | None:
    kept = state.workspace().companion(projection_id, "another-seed")
    if kept is None:
        return None
    trust = kept.arrays.get("point_quality")
    return Other(
        kept.arrays["positions"],
        None if trust is None or not np.isfinite(trust).any() else np.asarray(trust),
        dict(kept.told),
        stamp,
    )


def shown_beside(record: ProjectionRecord) -> Other | None:
    """Return the other seed if the reader wants to see it now."""
    return of(record) if st.session_state.get(_flag(record)) else None


def offer(shown: Shown, record: ProjectionRecord) -> None:
    """Draw the button that puts another seed beside the map, or how far its drawing is, or the comparison."""
    if record.projection in WITH_AXES:
        st.caption("Nothing in this map is chance: another seed gives the same one.")
        return
    place = f"beside-{record.id}"
    other, waiting = of(record), list[str]()
    if other is None or jobs.remembered(place):
        waiting = jobs.of_map("another-seed", record.id, shown.record.id)
        jobs.watch(waiting, place)
        other = of(record)
    if other is not None and st.session_state.get(_flag(record)):
        st.markdown(sentence(record, other))
        st.caption(READ)
        st.button(
            "Only this map", key="beside-close", icon=":material/close:", on_click=_set, args=(record, False)
        )
        return
    if waiting:
        return
    if st.button(
        "Another seed beside it",
        key="beside-open",
        icon=":material/splitscreen_vertical_add:",
        help="Draws the same map once more from another start, so that you see what is chance in it.",
    ):
        _set(record, True)
        if other is None:
            parameters = {"collection": shown.record.id, "projection": record.id}
            job = jobs.submit("another-seed", parameters, title=f"Draw {record.title} from another seed")
            jobs.remember(place, [job.id])
        st.rerun()


def sentence(record: ProjectionRecord, other: Other) -> str:
    """Say how alike the two maps are."""
    told = other.told
    parts = [f"Seed {record.seed} and seed {told['seed']}, laid on one another."]
    if told.get("agreement") is not None:
        parts.append(
            f"They share {told['agreement']:.0%} of an item's {NEIGHBOURS} nearest neighbours "
            f"(chance alone: {told['chance']:.0%})."
        )
    parts.append(
        f"From one to the other an item moves {told['moved']:.0%} of the mean distance between two items."
    )
    begun = BEGINNINGS.get(str(record.parameters.get("initialization")))
    if begun:
        parts.append(f"Both begin at {begun}, so that only the seed's own part differs.")
    return " ".join(parts)


def _set(record: ProjectionRecord, wanted: bool) -> None:
    st.session_state[_flag(record)] = wanted


def _flag(record: ProjectionRecord) -> str:
    return f"beside-{record.id}"
