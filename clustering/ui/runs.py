"""The runs of a collection: a table to compare and choose from, and what stands there before the first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from clustering.ui import jobs, state
from clustering.ui.trouble import guarded, plain
from clustering.words import KINDS, ago, duration, several

HEADLINES = {  # summary name → heading
    "silhouette:features": "Silhouette, features",
    "silhouette:latent": "Silhouette, latent",
}


def no_collection() -> None:
    """Show how far a collection under way is, or say that one is missing and lead there."""
    if jobs.preparing(("load", "fetch", "sample"), "no-collection", then="collection", height=300):
        return
    st.markdown("It needs a collection first.")
    if st.button("Bring a collection", type="primary", icon=":material/photo_library:", key="to-collection"):
        st.switch_page("pages/collection.py")


def no_run(what: str) -> None:
    """Say that there is no run yet and lead to Train."""
    st.markdown(f"{what} It needs a trained run first.")
    if st.button("Train one", type="primary", icon=":material/play_arrow:", key="to-train"):
        st.switch_page("pages/train.py")


@st.cache_data(show_spinner=False, max_entries=256)
def alarms(run_id: str) -> list[str]:
    """Return what was still wrong with the fit of a run when it ended."""
    return state.workspace().alarms(run_id)


def warnings(sentences: Iterable[str]) -> None:
    """Say what is wrong with a fit."""
    said = "\n\n".join(plain(sentence) for sentence in sentences)
    if said:
        st.warning(said, icon=":material/warning:")


def listed(collection_id: str) -> None:
    """List the runs of a collection and let the person choose one or remove some."""
    records = state.workspace().runs(collection_id)
    if not records:
        return
    st.header(several(len(records), "run"), anchor=False)
    current = state.current_run()
    table = [row(record, current=current is not None and record.id == current.id) for record in records]
    event: Any = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"runs-{collection_id}-{len(records)}",
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in _figures(table)},
        alt="Table of the runs of this collection",
        placeholder="–",
    )
    picked = [records[index] for index in event.selection.rows if index < len(records)]
    explore, judge, remove = st.columns([1, 1, 1], width=520)
    one = len(picked) == 1
    if explore.button("Explore", disabled=not one, key="runs-explore", width="stretch"):
        state.choose(run=picked[0].id)
        st.switch_page("pages/explore.py")
    if judge.button("Quality", disabled=not one, key="runs-quality", width="stretch"):
        state.choose(run=picked[0].id)
        st.switch_page("pages/quality.py")
    if remove.button("Remove", disabled=not picked, key="runs-remove", width="stretch"):
        _confirm([record.id for record in picked])


def _figures(table: list[dict[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for row in table for name in row)
    return [name for name in names if name.startswith(("NMI", "Silhouette"))]


def row(record: Any, *, current: bool = False) -> dict[str, Any]:
    """Return a run as a row of a table."""
    figures = {heading: record.summary.get(name) for name, heading in HEADLINES.items()}
    against = {
        name: value for name, value in record.summary.items() if name.startswith("nmi:") and value is not None
    }
    figures |= {f"NMI, {name.removeprefix('nmi:')}": value for name, value in list(against.items())[:2]}
    rounded = {name: None if value is None else round(float(value), 3) for name, value in figures.items()}
    return {
        "": "current" if current else "",
        "Run": record.name,
        "Kind": KINDS[record.family],
        "Groups": record.n_clusters,
        "Seed": record.seed,
        **rounded,
        "Took": duration(record.seconds),
        "Made": ago(record.created),
        "Id": record.id,
    }


@st.dialog("Remove these runs?")
def _confirm(run_ids: list[str]) -> None:
    st.markdown(
        f"{several(len(run_ids), 'run')} with maps and figures. The collection and its features stay."
    )
    if st.button(
        "Remove", type="primary", key="runs-remove-yes", on_click=guarded(_removed), args=(run_ids,)
    ):
        st.rerun()


def _removed(run_ids: list[str]) -> None:
    for run_id in run_ids:
        state.workspace().remove_run(run_id)
