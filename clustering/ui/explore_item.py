"""The item drawer: a work with its picture and metadata, what the model thinks of it, and its neighbours."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.ui import explore_links, explore_state, labelling, looks, state, three_spaces
from clustering.ui.captions import Captions
from clustering.ui.explore_state import BASKET, ITEM, MAP, WORKS, Shown
from clustering.ui.gallery import Badge, gallery
from clustering.ui.group_bars import group_bars
from clustering.ui.three_spaces import Neighbourhoods, Space
from clustering.ui.trouble import guarded, notice, plain

STRIP = 66  # pixels high: ten of them fit the drawer
BARS = 6  # groups told of an item's soft assignment
LEAST_BAR = 0.01


@st.fragment(key=ITEM)
@guarded
def waiting(shown: Shown) -> None:
    """Open the drawer when an item was opened on the map."""
    opened = st.session_state.pop("explore-open", None)
    if opened is not None and 0 <= opened < shown.n:
        drawer(shown, opened)


def drawer(shown: Shown, index: int) -> None:
    """Open the drawer at an item; inside it one can walk from neighbour to neighbour."""
    st.session_state["_drawer"] = index
    _drawer(shown)


@st.dialog("Item", width="medium", position="right")
@guarded
def _drawer(shown: Shown) -> None:
    index = int(st.session_state["_drawer"])
    captions = Captions.of(shown.collection)
    caption = captions.caption(index)
    looks.item(shown, index, caption.line)
    st.subheader(plain(caption.title), anchor=False)
    if caption.lines:
        st.caption(plain(", ".join(caption.lines)))
    st.html(assignment(shown, index))
    if shown.record.kind == "graph":
        _walk(explore_links.show(shown, index))
    _neighbours(shown, index)
    told = [(name, value) for name, value in captions.metadata(index) if name != captions.title]
    st.html(facts(told))
    _label(shown, index)
    _buttons(shown, index)


def _label(shown: Shown, index: int) -> None:
    """Let a person label the item, or change or take its label."""
    key = f"drawer-label-{shown.record.id}-{index}"
    st.session_state[key] = labelling.given(shown).get(index, "")
    st.text_input(
        "Label by hand",
        key=key,
        placeholder="None",
        on_change=_labelled,
        args=(shown, index, key),
        help="Kept with the collection, for all its runs. Empty takes it back.",
    )
    labelling.told()


def _labelled(shown: Shown, index: int, key: str) -> None:
    labelling.give(shown, {index: str(st.session_state[key]).strip() or None})


def assignment(shown: Shown, index: int) -> str:
    """Return the soft assignment of an item as bars, the likeliest groups first, as HTML."""
    q = np.asarray(shown.groups.arrays.soft_assignments[index], dtype=np.float64)
    return odds(shown, q, int(shown.groups.labels[index]))


def odds(shown: Shown, q: NDArray[np.float64], label: int) -> str:
    """Return soft assignments (K,) as bars, the likeliest groups first, as HTML."""
    likely = [int(group) for group in np.argsort(-q)[:BARS] if q[group] >= LEAST_BAR]
    head = "Unassigned: no group was sure enough." if label < 0 else "Confidence"
    rows = [(group, float(q[group]), f"{q[group]:.0%}") for group in likely]
    return group_bars(shown, rows, label, f"{head} (soft assignment q)")


def facts(told: list[tuple[str, str]]) -> str:
    """Return metadata as a description list in HTML; every word is escaped."""
    if not told:
        return "<div></div>"
    rows = "".join(
        f'<dt style="opacity:.7;margin:0">{escape(name)}</dt>'
        f'<dd style="margin:0;overflow-wrap:anywhere">{escape(value)}</dd>'
        for name, value in told
    )
    return (
        '<dl style="display:grid;grid-template-columns:minmax(0,7rem) 1fr;gap:.15rem .8rem;margin:.4rem 0;'
        f'padding:0;font-size:.9rem">{rows}</dl>'
    )


def _buttons(shown: Shown, index: int) -> None:
    with st.container(horizontal=True):
        chosen = explore_state.selection(shown.record.id)
        inside = bool(np.isin(index, chosen))
        st.button(
            "Take out of the selection" if inside else "Add to the selection",
            key="drawer-select",
            icon=":material/remove:" if inside else ":material/add:",
            on_click=_toggle,
            args=(shown, index, inside),
        )


def _toggle(shown: Shown, index: int, inside: bool) -> None:
    chosen = explore_state.selection(shown.record.id)
    one = np.array([index])
    explore_state.select(shown.record.id, np.setdiff1d(chosen, one) if inside else np.union1d(chosen, one))
    explore_state.run_again([MAP, WORKS, BASKET])


def _neighbours(shown: Shown, index: int) -> None:
    """Show the nearest in every space, one row a space; each says in which other rows it stands."""
    kept = st.session_state.get("_explore-map") or {}
    chosen = kept.get("map") if "shown" in kept and kept["shown"].run.id == shown.run.id else None
    try:
        near = three_spaces.neighbourhoods(state.workspace(), shown.run, chosen, index)
    except StudioError as error:
        notice(error.problem, error.mend)
        return
    st.caption(f"{near.sentence()} Filled shapes say where else a neighbour is near.")
    pictures = shown.collection.pictured
    places = [st.container(gap=None) for _ in near.indices] if pictures else st.columns(len(near.indices))
    for place, space in zip(places, near.indices, strict=True):
        with place:
            _row(shown, near, space)


def _row(shown: Shown, near: Neighbourhoods, space: Space) -> None:
    title, words = three_spaces.TITLES[space], three_spaces.WORDS[space]
    st.html(
        f'<div style="margin-top:.4rem">{sign(space)}<b>{title}</b> '
        f'<span style="opacity:.7">{words}</span></div>'
    )
    opened = gallery(
        shown.collection,
        near.indices[space],
        key=f"drawer-{space}",
        title=title,
        height=STRIP,
        colours=shown.item_colours(),
        notes=None if shown.collection.pictured else _distances(near, space),
        badges={item: _badges(near, item) for item in near.indices[space].tolist()},
        strip=True,
    )
    _walk(opened)


def _walk(opened: int | None) -> None:
    """Go on to another item, inside the drawer."""
    if opened is not None:
        st.session_state["_drawer"] = opened
        st.rerun(scope="fragment")


def _badges(near: Neighbourhoods, item: int) -> list[Badge]:
    return [
        (three_spaces.SHAPES[space], inside, f"{'' if inside else 'not '}near {three_spaces.WHERE[space]}")
        for space, inside in near.near_in(item).items()
    ]


def _distances(near: Neighbourhoods, space: Space) -> dict[int, str]:
    pairs = zip(near.indices[space].tolist(), near.distances[space].tolist(), strict=True)
    return {item: f"{distance:.3g}" for item, distance in pairs}


def sign(space: Space) -> str:
    """Return the shape of a space as a small picture, in HTML."""
    shape = {
        "circle": "border-radius:50%",
        "square": "border-radius:0",
        "triangle": "clip-path:polygon(50% 0,100% 100%,0 100%)",
    }[three_spaces.SHAPES[space]]
    return (
        '<span aria-hidden="true" style="display:inline-block;width:.62rem;height:.62rem;margin-right:.45rem;'
        f'background:var(--studio-accent);{shape}"></span>'
    )
