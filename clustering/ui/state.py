"""What the pages share: the workspace, the current collection and run, the selection basket, deep links."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.collections.samples import samples
from clustering.ui.place import workspace_root
from clustering.workspace import CollectionRecord, RunRecord, Workspace

if TYPE_CHECKING:
    from clustering.collections import Collection

LINKED = ("collection", "run")  # session keys that also stand in the address
BASKET_LIMIT = 2_000_000  # 16 MB a session; a lasso may hold every item of the largest collections


def workspace() -> Workspace:
    """Return the workspace of this server."""
    return _workspace(str(workspace_root()), os.environ.get("STUDIO_DATABASE", ""))


@st.cache_resource(show_spinner=False, max_entries=8)
def _workspace(root: str, database: str) -> Workspace:  # noqa: ARG001  (a changed database is another workspace)
    return Workspace.open(root)


# what is current


def read_address() -> None:
    """Take the collection and run a deep link names; the address is read once, not at every rerun."""
    written = st.session_state.get("_address", {})
    for name in LINKED:
        value = st.query_params.get(name)
        if value and value != written.get(name):
            st.session_state[f"_{name}"] = value


def write_address() -> None:
    """Put the current collection and run into the address, so that it can be shared or kept."""
    current = {name: st.session_state.get(f"_{name}") for name in LINKED}
    for name, value in current.items():
        if value and st.query_params.get(name) != value:
            st.query_params[name] = value
        elif not value and name in st.query_params:
            del st.query_params[name]
    st.session_state["_address"] = current


def choose(collection: str | None = None, run: str | None = None) -> None:
    """Make a collection, a run of it, or both the current ones."""
    if collection and collection != st.session_state.get("_collection"):
        st.session_state["_collection"] = collection
        st.session_state["_run"] = None
    if run:
        st.session_state["_run"] = run


def forget(collection: str) -> None:
    """Let go of a collection that was removed."""
    if st.session_state.get("_collection") == collection:
        st.session_state["_collection"] = None
        st.session_state["_run"] = None
    empty_basket(collection)


def current_collection() -> CollectionRecord | None:
    """Return the record of the current collection; None while the workspace has none.

    Until a person chooses, that is the newest one they brought, else the first sample.
    """
    records = workspace().collections()
    chosen = next((record for record in records if record.id == st.session_state.get("_collection")), None)
    return chosen or first_shown(records)


def first_shown(records: list[CollectionRecord]) -> CollectionRecord | None:
    """Return the collection a new visitor sees: the newest one somebody brought, else the first sample."""
    order = [info.origin for info in samples().values()]
    return min(
        records,
        key=lambda record: order.index(record.source) if record.source in order else -1,
        default=None,
    )


def current_run() -> RunRecord | None:
    """Return the record of the current run: the chosen one, else the newest deep one."""
    collection = current_collection()
    if collection is None:
        return None
    records = workspace().runs(collection.id)
    chosen = next((record for record in records if record.id == st.session_state.get("_run")), None)
    return chosen or newest(records)


def newest(records: list[RunRecord]) -> RunRecord | None:
    """Return the youngest run, a deep one before plain ones that were made beside it."""
    return max(records, key=lambda record: (record.family == "deep", record.created), default=None)


# cached reads


def open_collection(collection_id: str) -> Collection:
    """Return the opened collection; opened once a process and content."""
    record = workspace().collection(collection_id)
    return _collection(str(workspace_root()), collection_id, record.content_hash)


@st.cache_resource(show_spinner=False, max_entries=16)
def _collection(root: str, collection_id: str, content_hash: str) -> Collection:  # noqa: ARG001
    return workspace().open_collection(collection_id)


def run_arrays(run_id: str) -> Any:
    """Return the arrays of a finished run, memory-mapped; a run never changes once it is recorded."""
    return _run_arrays(str(workspace_root()), run_id)


@st.cache_resource(show_spinner=False, max_entries=16)
def _run_arrays(root: str, run_id: str) -> Any:  # noqa: ARG001
    return workspace().run_arrays(run_id)


# the basket


def basket(collection_id: str) -> NDArray[np.int64]:
    """Return the item indices a person has put aside in this collection, shape (s,), sorted."""
    kept = st.session_state.get("_basket", {}).get(collection_id)
    return kept if kept is not None else np.empty(0, dtype=np.int64)


def fill_basket(collection_id: str, indices: NDArray[np.integer[Any]], *, add: bool = False) -> None:
    """Put items into the basket, instead of or beside what lies there."""
    chosen = np.unique(np.asarray(indices, dtype=np.int64))
    if add:
        chosen = np.union1d(basket(collection_id), chosen)
    baskets = st.session_state.setdefault("_basket", {})
    baskets[collection_id] = chosen[:BASKET_LIMIT]


def empty_basket(collection_id: str) -> None:
    """Lay everything back."""
    st.session_state.setdefault("_basket", {}).pop(collection_id, None)
