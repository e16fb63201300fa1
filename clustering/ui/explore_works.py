"""Below the map: the selected works, and what can be done with them."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.ui import explore_item, explore_pairs, explore_state, labelling, state
from clustering.ui.explore_state import BASKET, MAP, WORKS, Shown
from clustering.ui.gallery import gallery
from clustering.ui.sidebar import items_word, one_of
from clustering.ui.trouble import guarded
from clustering.words import several


@st.fragment(key=WORKS)
@guarded
def show(shown: Shown) -> None:
    """Show the selection as a gallery, or say how to make one."""
    chosen = explore_state.selection(shown.record.id)
    head, tools = st.columns([3, 2], vertical_alignment="center")
    with tools, st.container(horizontal=True, horizontal_alignment="right"):
        _kept(shown)
        if len(chosen):
            _label(shown, chosen)
            _keep(shown, chosen)
            _take_along(shown, chosen)
            st.button("Clear", key="works-clear", on_click=_clear, args=(shown,), icon=":material/close:")
    if not len(chosen):
        head.caption(
            f"Choose the lasso (L) or the box (B) and draw around {items_word(shown.record.kind)}: they "
            "appear here. "
            "Shift adds to a selection, Alt takes away."
        )
        explore_pairs.trouble()
        explore_pairs.listed(shown)
        return
    word = items_word(shown.record.kind)
    head.subheader(several(len(chosen), one_of(shown.record.kind), word) + " selected", anchor=False)
    _composition(shown, chosen)
    with st.container(horizontal=True):
        explore_pairs.buttons(shown, chosen)
    explore_pairs.trouble()
    if st.session_state.get("works-selection") != (len(chosen), int(chosen[0]), int(chosen[-1])):
        st.session_state["works-selection"] = (len(chosen), int(chosen[0]), int(chosen[-1]))
        st.session_state.pop("works.page", None)  # a new selection starts at its first page
    opened = gallery(
        shown.collection,
        chosen,
        key="works",
        title=f"Selected {word}",
        colours=shown.item_colours(),
        notes=labelling.given(shown),
        badges=explore_pairs.badges(shown, chosen),
    )
    explore_pairs.listed(shown)
    if opened is not None:
        explore_item.drawer(shown, opened)


def _composition(shown: Shown, chosen: NDArray[np.int64]) -> None:
    """Say in one line which groups a selection is made of."""
    labels, counts = np.unique(shown.groups.labels[chosen], return_counts=True)
    order = np.argsort(-counts)[:4]
    parts = [f"{shown.groups.name(int(labels[at]))} {counts[at] / len(chosen):.0%}" for at in order]
    rest = f", and {len(labels) - 4} more" if len(labels) > 4 else ""
    st.text(", ".join(parts) + rest)


def _keep(shown: Shown, chosen: NDArray[np.int64]) -> None:
    with st.popover("Keep", icon=":material/bookmark_add:"):
        name = st.text_input("Name of this selection", key="works-name", placeholder="Sea pieces")
        if st.button("Keep it", type="primary", key="works-keep", disabled=not name.strip()):
            state.workspace().save_selection(shown.record.id, name.strip(), chosen)
            st.toast(f"Kept as “{name.strip()}”.")


def _label(shown: Shown, chosen: NDArray[np.int64]) -> None:
    """Offer to give all selected items one label."""
    with st.popover("Label", icon=":material/new_label:"):
        text = st.text_input("Label of all that are selected", key="works-label")
        st.button(
            f"Label {several(len(chosen), one_of(shown.record.kind), items_word(shown.record.kind))}",
            type="primary",
            key="works-label-it",
            disabled=not text.strip(),
            on_click=_labelled,
            args=(shown, chosen),
        )
        labelling.undo_button(shown, "works-label-undo")
    labelling.told()


def _labelled(shown: Shown, chosen: NDArray[np.int64]) -> None:
    text = str(st.session_state.get("works-label") or "")
    if labelling.give(shown, dict.fromkeys(chosen.tolist(), text)):
        st.toast(f"{several(len(chosen), 'item')} labelled “{text.strip()}”.")
    labelling.run_again()


def _kept(shown: Shown) -> None:
    kept = state.workspace().selections(shown.record.id)
    if not kept:
        return
    with st.popover("Kept selections", icon=":material/bookmarks:"):
        for one in kept:
            st.button(
                f"{one.name} ({one.n_items:,})",
                key=f"kept-{one.id}",
                type="tertiary",
                on_click=_recall,
                args=(shown, one.id),
            )


def _take_along(shown: Shown, chosen: NDArray[np.int64]) -> None:
    def ids() -> bytes:
        return "".join(f"{one}\n" for one in shown.collection.items["id"].iloc[chosen]).encode()

    st.download_button(
        "Ids",
        ids,
        f"{shown.record.id}-selection.txt",
        "text/plain",
        key="works-ids",
        icon=":material/download:",
        on_click="ignore",
        help="The ids of the selected items, one a line",
    )


def _recall(shown: Shown, selection_id: str) -> None:
    explore_state.select(shown.record.id, state.workspace().selection_items(selection_id))
    explore_state.run_again([MAP, WORKS, BASKET])


def _clear(shown: Shown) -> None:
    explore_state.select(shown.record.id, np.empty(0, dtype=np.int64))
    explore_state.run_again([MAP, WORKS, BASKET])
