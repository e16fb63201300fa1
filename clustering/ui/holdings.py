"""What the Collection page shows of one collection: pictures, check, items, features, and its removal."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from clustering.jobs import catalogue
from clustering.ui import forms, jobs, state, uploads
from clustering.ui.folding import folded
from clustering.ui.gallery import contact_sheet
from clustering.ui.sidebar import items_word, one_of
from clustering.ui.trouble import guarded, plain
from clustering.words import ago, duration, several

if TYPE_CHECKING:
    import pandas as pd

    from clustering.collections import Collection
    from clustering.workspace.records import CollectionRecord

SHEET = 36  # works on the contact sheet
MOST_ROWS = 5_000  # of the table, sent to the browser
INNER = ("path", "aspect")  # columns nobody reads
OURS = ("width", "height", "duplicate_of")  # columns the studio adds
ICONS_OF_ITEMS = {
    "unreadable": ":material/broken_image:",
    "duplicates": ":material/content_copy:",
    "tiny": ":material/photo_size_select_small:",
    "blank": ":material/crop_original:",
}
ICONS = {
    **ICONS_OF_ITEMS,
    "constant": ":material/horizontal_rule:",
    "missing": ":material/question_mark:",
    "balance": ":material/balance:",
}


def origin(source: str) -> str:
    """Return where a collection is from, as part of a line: a place, or the sentence its maker wrote."""
    if source.endswith("."):
        return source.rstrip(".")
    kept, path = uploads.folder_of(state.workspace()), PurePath(source)
    if not path.is_relative_to(kept):
        return f"from {source}"
    _, *inside = path.relative_to(kept).parts
    return f"uploaded as {inside[0]}" if inside else "uploaded"


def sheet(collection: Collection) -> None:
    """Show a contact sheet: works spread evenly over the collection, not only its first."""
    import numpy as np

    if not collection.pictured:
        return
    indices = np.unique(np.linspace(0, collection.n_items - 1, min(SHEET, collection.n_items)).astype(int))
    contact_sheet(collection, indices, key=f"sheet-{collection.id}")


def check(collection: Collection) -> None:
    """Write what the collection check found and what was done about it."""
    st.header("Check", anchor=False)
    if not collection.findings:
        st.markdown(":material/check: Nothing was amiss.")
    for finding in collection.findings:
        icon = ICONS.get(finding.subject, ":material/info:")
        st.markdown(f"{icon} {plain(finding.sentence)}")
        if finding.items and finding.subject in ICONS_OF_ITEMS:
            shown = ", ".join(finding.items[:6])
            more = f" and {len(finding.items) - 6} more" if len(finding.items) > 6 else ""
            st.caption(plain(f"{shown}{more}"))


@st.fragment
@guarded
def items(collection: Collection) -> None:
    """Show the items as a table beside a summary of its columns."""
    st.header("Items", anchor=False)
    table = collection.items
    rows, columns = st.tabs(["Items", "Columns"], key="items-tabs", on_change="rerun")
    with rows:
        st.dataframe(
            table.head(MOST_ROWS),
            hide_index=True,
            height=320,
            column_order=_order(table),
            key="items-table",
            placeholder="–",
            alt=f"Table of {several(collection.n_items, 'item')}",
        )
        if len(table) > MOST_ROWS:
            st.caption(f"The first {MOST_ROWS:,} of {len(table):,} are shown.")
    if not columns.open:
        return
    with columns:
        st.dataframe(
            _summary(str(collection.folder), collection.content_hash, table, collection.label_columns),
            hide_index=True,
            key="items-columns",
        )
        st.caption("A checked column can serve as a reference on the Quality page. It never steers a method.")


def _order(table: pd.DataFrame) -> list[str]:
    """Return the columns worth showing, what is said of a work before what was measured of its file."""
    ours = [name for name in OURS if name in table.columns and table[name].notna().any()]
    return ["id", *(name for name in table.columns if name not in (*OURS, *INNER, "id")), *ours]


@st.cache_data(show_spinner=False, max_entries=16)
def _summary(folder: str, content_hash: str, _table: pd.DataFrame, labels: tuple[str, ...]) -> pd.DataFrame:  # noqa: ARG001
    import pandas as pd

    rows = []
    for name in _table.columns:
        if name in INNER:
            continue
        column = _table[name]
        number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        known = column.dropna()
        if number and len(known):
            example = f"{known.min():g} to {known.max():g}"
        else:
            counts = known.astype(str).value_counts()
            example = ", ".join(f"{value} ({count})" for value, count in counts.head(3).items())
        rows.append(
            {
                "Column": name,
                "Type": "number" if number else "text",
                "Distinct": int(known.nunique()),
                "Missing": int(column.isna().sum()),
                "Holds": example,
                "Reference": name in labels,
            }
        )
    return pd.DataFrame(rows)


# Features


def features(record: CollectionRecord) -> None:
    """List the feature sets of a collection and offer to compute another."""
    st.header("Features", anchor=False)
    st.caption(
        f"What an encoder saw in each {one_of(record.kind)}, as numbers. Methods group these, not the "
        f"{items_word(record.kind)} themselves."
    )
    for kept in state.workspace().feature_sets(record.id):
        with st.container(border=True, gap="xxsmall"):
            st.markdown(f"**{plain(kept.title)}** · {several(kept.dimensions, 'number')} an item")
            st.caption(
                f"{plain(kept.origin)} Computed {ago(kept.created)} in {duration(kept.seconds)} "
                f"on {plain(kept.device)}."
            )
    under_way = [job.id for job in jobs.open_jobs(record.id, kinds=("features",))]
    jobs.watch(under_way, f"features-{record.id}")
    choices = catalogue.read(state.workspace().cache)
    if choices is None:
        st.skeleton(120)
        return
    fitting = {name: entry for name, entry in choices.features.items() if record.kind in entry.info["kinds"]}
    another = folded(
        "Compute features", f"encode-{record.id}", expanded=not state.workspace().feature_sets(record.id)
    )
    if another is None:
        return
    with another:
        name = st.selectbox(
            "Encoder",
            list(fitting),
            format_func=lambda key: fitting[key].title,
            key="encoder",
            persist_state="session",
        )
        if name is None:
            return
        st.caption(f"{plain(fitting[name].info['summary'])} {plain(fitting[name].info['origin'])}")
        chosen = forms.form(fitting[name].parameters, f"encoder-{name}")
        if st.button("Compute", type="primary", key="encode", disabled=bool(under_way)):
            wanted = {"collection": record.id, "encoder": name, "parameters": chosen}
            job = jobs.submit("features", wanted, title=f"Features with {fitting[name].title}")
            jobs.remember(f"features-{record.id}", [job.id])
            st.rerun()


def remove(record: CollectionRecord) -> None:
    """Offer to remove a collection, and ask before it is done."""

    @st.dialog("Remove this collection?")
    def ask() -> None:
        runs = len(state.workspace().runs(record.id))
        st.markdown(
            f"**{plain(record.name)}** goes from the workspace with its features, "
            f"{several(runs, 'run')}, maps and selections. Originals elsewhere stay."
        )
        if st.button(
            "Remove", type="primary", key="remove-yes", on_click=guarded(_removed), args=(record.id,)
        ):
            st.rerun()

    if st.button("Remove this collection", key="remove", type="tertiary", icon=":material/delete:"):
        ask()


def _removed(collection_id: str) -> None:
    state.workspace().remove_collection(collection_id)
    state.forget(collection_id)
