"""The sidebar: which collection and run are current, what lies in the basket, which colours are used."""

from __future__ import annotations

import streamlit as st

from clustering.kinds import KIND_INFO
from clustering.ui import state
from clustering.ui.trouble import guarded
from clustering.words import several

PALETTES = {
    "auto": "Automatic",
    "okabe-ito": "Okabe–Ito (8)",
    "glasbey": "Glasbey (20)",
    "hue": "By neighbourhood",
}


def show() -> None:
    """Draw the sidebar."""
    collection = state.current_collection()
    with st.sidebar:
        if collection is None:
            st.markdown("### Collection")
            st.caption("Nothing here yet. The sample appears by itself, or bring your own.")
            return
        _collection(collection)
        _run(collection.id)
        _basket(collection.id, collection.kind)
        _palette()


def _collection(current: object) -> None:
    records = {record.id: record for record in state.workspace().collections()}
    st.session_state["pick-collection"] = current.id  # type: ignore[attr-defined]
    st.selectbox(
        "Collection",
        list(records),
        key="pick-collection",
        format_func=lambda key: records[key].name,
        on_change=lambda: state.choose(collection=st.session_state["pick-collection"]),
    )
    record = records[current.id]  # type: ignore[attr-defined]
    st.caption(f"{record.n_items:,} {items_word(record.kind)}")


def _run(collection_id: str) -> None:
    records = {record.id: record for record in state.workspace().runs(collection_id)}
    if not records:
        st.caption("No run yet.")
        return
    current = state.current_run()
    st.session_state["pick-run"] = current.id if current else next(iter(records))
    st.selectbox(
        "Run",
        list(records),
        key="pick-run",
        format_func=lambda key: run_name(records[key]),
        on_change=lambda: state.choose(run=st.session_state["pick-run"]),
    )


@st.fragment(key="basket")
@guarded
def _basket(collection_id: str, kind: str) -> None:
    chosen = state.basket(collection_id)
    st.markdown("### Selection")
    if not len(chosen):
        st.caption(f"Empty. Draw around {items_word(kind)} on a map to select them.")
        return
    st.caption(f"{len(chosen):,} selected")
    name = st.text_input(
        "Name", key="basket-name", placeholder="Name to keep it", label_visibility="collapsed"
    )
    keep, clear = st.columns(2)
    if keep.button("Keep", key="basket-keep", disabled=not name.strip(), width="stretch"):
        state.workspace().save_selection(collection_id, name.strip(), chosen)
        st.toast(f"Kept as “{name.strip()}”.")
    if clear.button("Clear", key="basket-clear", width="stretch"):
        state.empty_basket(collection_id)
        st.rerun()  # the map and the gallery follow


def _palette() -> None:
    st.selectbox(
        "Colours",
        list(PALETTES),
        key="palette",
        format_func=PALETTES.__getitem__,
        persist_state="session",
        help="Checked for colour blindness; above eight groups numbers stand beside the colours.",
    )


def items_word(kind: str) -> str:
    """Return what the items of a collection are called."""
    return KIND_INFO[kind].items


def one_of(kind: str) -> str:
    """Return what one item of a collection is called."""
    return items_word(kind).removesuffix("s")


def run_name(record: object) -> str:
    """Return a run as people tell runs apart: its name, its groups, its seed."""
    return f"{record.name} · {several(record.n_clusters, 'group')} · seed {record.seed}"  # type: ignore[attr-defined]
