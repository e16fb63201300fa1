"""The groups of a run as cards, and one of them opened: typical, borderline and odd works, its name."""

from __future__ import annotations

import numpy as np
import streamlit as st

from clustering.ui import explore_item, explore_state, looks, state
from clustering.ui.explore_state import BASKET, MAP, WORKS, Shown
from clustering.ui.gallery import gallery
from clustering.ui.groups import Look
from clustering.ui.sidebar import items_word, one_of
from clustering.ui.trouble import guarded, plain
from clustering.words import several

LOOKS: dict[Look, str] = {
    "typical": "The surest of this group, those nearest to its middle first.",
    "borderline": "Nearly as likely in another group; the closest calls first.",
    "odd": "Furthest from the middle of the group; what does not belong is found here.",
}


@st.fragment(key=explore_state.GROUPS)
@guarded
def show(shown: Shown) -> None:
    """Show one card a group; opening it shows its works."""
    groups = shown.groups
    filled = [label for label in np.argsort(-groups.sizes).tolist() if groups.sizes[label]]
    st.header("Groups", anchor=False)
    notes = {
        groups.medoids[label]: f"{groups.name(label)} · {groups.sizes[label]:,} · {_sure(shown, label):.0%}"
        for label in filled
    }
    st.caption(
        f"The {one_of(shown.record.kind)} nearest to the middle of each group, its size, and how sure the "
        "model is on average."
    )
    cards = [groups.medoids[label] for label in filled]
    opened = gallery(
        shown.collection,
        cards,
        key=f"groups-{shown.run.id}",
        title="Groups",
        height=132,
        colours=shown.item_colours(),
        notes=notes,
    )
    if opened is not None:
        st.session_state[f"group-{shown.run.id}"] = int(groups.labels[opened])
    label = st.session_state.get(f"group-{shown.run.id}")
    if label is not None and label in filled:
        _one(shown, int(label))


def _sure(shown: Shown, label: int) -> float:
    return float(shown.groups.confidence[shown.groups.labels == label].mean())


def _one(shown: Shown, label: int) -> None:
    groups = shown.groups
    with st.container(border=True):
        head, tools = st.columns([3, 2], vertical_alignment="center")
        size = several(int(groups.sizes[label]), "item")
        head.subheader(f"{plain(groups.name(label))} · {size}", anchor=False)
        with tools, st.container(horizontal=True, horizontal_alignment="right"):
            _rename(shown, label)
            st.button(
                "Select",
                key="group-select",
                icon=":material/select_all:",
                on_click=_select,
                args=(shown, label),
                help="Select the whole group on the map",
            )
        looks.group(shown, label)
        look: Look = st.segmented_control(
            "Members",
            list(LOOKS),
            default="typical",
            required=True,
            format_func=str.capitalize,
            key="group-look",
            label_visibility="collapsed",
        )
        st.caption(LOOKS[look])
        found = groups.look(label, look)
        measure = {"typical": groups.confidence, "borderline": groups.margin, "odd": groups.distance}[look]
        word = {"typical": "sure {:.0%}", "borderline": "ahead by {:.0%}", "odd": "distance {:.3g}"}[look]
        opened = gallery(
            shown.collection,
            found,
            key=f"group-{shown.run.id}-{label}-{look}",
            title=f"{look.capitalize()} {items_word(shown.record.kind)} of {groups.name(label)}",
            height=120,
            notes={int(item): word.format(float(measure[item])) for item in found},
        )
        if opened is not None:
            explore_item.drawer(shown, opened)


def _rename(shown: Shown, label: int) -> None:
    with st.popover("Rename", icon=":material/edit:"):
        st.text_input(
            "Name of this group",
            value=shown.groups.given.get(label, ""),
            key=f"group-name-{shown.run.id}-{label}",
            max_chars=60,
            help="Leave it empty to go back to the number.",
        )
        st.button("Keep the name", type="primary", key="group-rename", on_click=_name, args=(shown, label))


def _name(shown: Shown, label: int) -> None:
    name = str(st.session_state.get(f"group-name-{shown.run.id}-{label}") or "")
    state.workspace().name_cluster(shown.run.id, label, name)
    st.rerun()  # names stand in the legend, the filters and the sidebar: the whole page


def _select(shown: Shown, label: int) -> None:
    explore_state.select(shown.record.id, np.flatnonzero(shown.groups.labels == label))
    explore_state.run_again([MAP, WORKS, BASKET])
