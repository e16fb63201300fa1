"""What the Explore blocks share: the run, its groups and maps, the selection, and who runs again when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.errors import StreamlitAPIException

from clustering.charts.palette import ThemeName
from clustering.charts.run_colours import colour_numbers, first_run
from clustering.jobs import catalogue
from clustering.jobs.catalogue import Entry
from clustering.labelling import label_column
from clustering.methods.info import Offer
from clustering.ui import explore_view, state, theme
from clustering.ui.explore_view import BY_LABEL, Column
from clustering.ui.groups import Groups
from clustering.workspace.labels import LabelsStamp
from clustering.workspace.records import CollectionRecord, ProjectionRecord, RunRecord

if TYPE_CHECKING:
    import pandas as pd

    from clustering.collections import Collection

MAP = "explore-map"  # fragments by key
WORKS = "explore-works"
GROUPS = "explore-groups"
ITEM = "explore-item"
LABELS = "explore-labels"
BASKET = "basket"  # the sidebar's


@dataclass(frozen=True)
class ItemColours(Sequence[str]):
    """The colour of every item, looked up when asked for: a gallery wants sixty of 500,000."""

    colours: Sequence[str]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self.colours[label] for label in self.labels[index].tolist()]
        return self.colours[int(self.labels[index])]


@dataclass(frozen=True)
class Shown:
    """A run, its collection and its groups."""

    record: CollectionRecord
    run: RunRecord
    collection: Collection
    groups: Groups

    @property
    def n(self) -> int:
        """How many items there are."""
        return self.record.n_items

    @property
    def items(self) -> pd.DataFrame:
        """The items table; labels given by hand, where there are any, are its last column."""
        return _items(
            self.record.id, self.record.content_hash, state.workspace().labels_stamp(self.record.id)
        )

    def colours(self) -> list[str]:
        """Return the colour of each group as the sidebar's choice wants it."""
        return self.groups.colours(theme_name(), st.session_state.get("palette") or "auto")

    def item_colours(self) -> Sequence[str]:
        """Return the colour of every item's group, shape (n,)."""
        return ItemColours([*self.colours(), ""], self.groups.labels)


def shown(record: CollectionRecord, run: RunRecord) -> Shown:
    """Return what the page shows, read from the workspace or its caches."""
    names = state.workspace().cluster_names(run.id)
    return Shown(
        record, run, state.open_collection(record.id), groups_of(run.id, tuple(sorted(names.items())))
    )


def groups_of(run_id: str, names: tuple[tuple[int, str], ...]) -> Groups:
    """Return the groups of a run under their present names, in the colours of the first deep one."""
    runs = state.workspace().runs(state.workspace().run(run_id).collection_id)
    return _groups(run_id, names, first_run(runs).id)


@st.cache_resource(show_spinner=False, max_entries=16)
def _groups(run_id: str, names: tuple[tuple[int, str], ...], first: str) -> Groups:
    found = Groups(state.run_arrays(run_id), dict(names))
    return found if run_id == first else in_colours_of(found, first)


def in_colours_of(found: Groups, first: str) -> Groups:
    """Return groups in the colours of those of another run that they share most items with."""
    numbers = colour_numbers(np.asarray(state.run_arrays(first).labels), found.labels, found.count)
    return replace(found, numbers=numbers)


def columns_of(record: CollectionRecord) -> list[Column]:
    """Return the columns of a collection one can filter and colour by."""
    found = _columns(record.id, record.content_hash)
    labelled = state.workspace().labels_stamp(record.id).n_labels
    return [*found, Column(BY_LABEL, "values")] if labelled else found


@st.cache_resource(show_spinner=False, max_entries=16)
def _columns(collection_id: str, content_hash: str) -> list[Column]:  # noqa: ARG001
    return explore_view.columns_of(state.open_collection(collection_id).items)


@st.cache_resource(show_spinner=False, max_entries=8)
def _items(collection_id: str, content_hash: str, stamp: LabelsStamp) -> pd.DataFrame:  # noqa: ARG001
    items, labels = state.open_collection(collection_id).items, state.workspace().labels(collection_id)
    return items.assign(**{BY_LABEL: label_column(labels, len(items))}) if labels else items


@st.cache_resource(show_spinner=False, max_entries=16)
def positions_of(projection_id: str) -> NDArray[np.float32]:
    """Return a map's positions as they are drawn, (n, 2)."""
    return state.workspace().drawn_map(projection_id)


@st.cache_resource(show_spinner=False, max_entries=16)
def trust_of(projection_id: str) -> NDArray[np.float32] | None:
    """Return the share of each item's neighbours that a map keeps, (n,); None where nobody measured it."""
    found = state.workspace().point_quality(projection_id)
    return None if found is None or not np.isfinite(found).any() else np.asarray(found)


def maps_of(run: RunRecord) -> list[ProjectionRecord]:
    """Return the maps a run can be looked at on, newest first: its own, and those of its features."""
    return [
        one
        for one in state.workspace().projections(feature_id=run.feature_id)
        if one.run_id in (run.id, None)
    ]


def projection_titles(maps: Sequence[ProjectionRecord]) -> dict[str, str]:
    """Return every projection that can be chosen and its title, in the order of the catalogue.

    While a fresh machine is still listing them, those that have drawn a map, or UMAP.
    """
    known = {name: entry.title for name, entry in _listed().items()}
    drawn = {one.projection: one.title for one in maps}
    return {**known, **{name: title for name, title in drawn.items() if name not in known}} or {
        "umap": "UMAP"
    }


def projection_info(projection: str) -> dict[str, Any]:
    """Return what a projection says of itself; nothing while the catalogue is not written."""
    entry = _listed().get(projection)
    return entry.info if entry else {}


def _listed() -> Mapping[str, Entry]:
    choices = catalogue.read(state.workspace().cache)
    return choices.projections if choices else {}


def offers(shown: Shown, what: Offer) -> bool:
    """Say whether the run's method gives more than groups (`MethodInfo.offers`)."""
    entry = catalogue.method_entry(state.workspace().cache, shown.run.method)
    return entry is not None and what in entry.info["offers"]


def theme_name() -> ThemeName:
    """Return the theme the reader sees."""
    return theme.name()


# the selection: what lies in the basket is what is coloured on the map


def selection(collection_id: str) -> NDArray[np.int64]:
    """Return the selected items."""
    return state.basket(collection_id)


def select(collection_id: str, indices: NDArray[Any]) -> None:
    """Select items from the page; the map takes them over at its next run."""
    state.fill_basket(collection_id, indices)


def drawn(collection_id: str, indices: NDArray[Any], on: str) -> None:
    """Select items that the map called ``on`` has just selected; it need not be told."""
    state.fill_basket(collection_id, indices)
    kept = (on, collection_id)
    _told()[kept] = {**_told_of(kept), "items": state.basket(collection_id)}


def told(collection_id: str, on: str) -> tuple[int, NDArray[np.int64]]:
    """Return number and items of the last selection that did not come from the map called ``on``."""
    kept = (on, collection_id)
    entry = _told_of(kept)
    current = state.basket(collection_id)
    if not np.array_equal(entry["items"], current):
        entry = {"version": entry["version"] + 1, "items": current, "sent": current}
        _told()[kept] = entry
    return entry["version"], entry["sent"]


def _told() -> dict[tuple[str, str], dict[str, Any]]:
    kept: dict[tuple[str, str], dict[str, Any]] = st.session_state.setdefault("_explore-told", {})
    return kept


def _told_of(kept: tuple[str, str]) -> dict[str, Any]:
    nothing = np.empty(0, dtype=np.int64)
    return _told().get(kept, {"version": 0, "items": nothing, "sent": nothing})


def run_again(keys: Sequence[str]) -> None:
    """Run only some fragments again; call it from a callback. Those not on the page are left out."""
    present = list(keys)
    for _ in keys:
        try:
            st.rerun(present)
        except StreamlitAPIException as error:
            present = [
                key for key in present if f"'{key}'" not in str(error) and f'"{key}"' not in str(error)
            ]
    st.rerun()
