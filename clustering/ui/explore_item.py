"""The item drawer: a work with its picture and metadata, what the model thinks of it, and its neighbours."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from clustering.errors import StudioError
from clustering.ui import explore_state, routes, state
from clustering.ui.captions import Captions
from clustering.ui.explore_state import BASKET, ITEM, MAP, WORKS, Shown
from clustering.ui.gallery import gallery
from clustering.ui.trouble import guarded, notice, plain

NEIGHBOURS = 9
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
    _picture(shown, index, caption.line)
    st.subheader(plain(caption.title), anchor=False)
    if caption.lines:
        st.caption(plain(", ".join(caption.lines)))
    st.html(assignment(shown, index))
    told = [(name, value) for name, value in captions.metadata(index) if name != captions.title]
    st.html(facts(told))
    _buttons(shown, index)
    latent, features = st.columns(2)
    with latent:
        _neighbours(shown, index, shown.run.id, "Nearest in latent space", "What the method learned")
    with features:
        _neighbours(shown, index, shown.run.feature_id, "Nearest in features", "What the encoder saw")


def _picture(shown: Shown, index: int, caption: str) -> None:
    if shown.record.kind != "images" or not routes.are_served():
        return
    small = routes.picture_address(shown.record.id, index, 1024)
    whole = f"/studio/collections/{shown.record.id}/items/{index}/original"
    st.html(
        f'<a href="{escape(whole, quote=True)}" target="_blank" rel="noopener" title="Open the original">'
        f'<img src="{escape(small, quote=True)}" alt="{escape(caption, quote=True)}" '
        'style="display:block;margin:0 auto;max-width:100%;height:min(46vh,400px);'
        'object-fit:contain"></a>'
    )


def assignment(shown: Shown, index: int) -> str:
    """Return the soft assignment of an item as bars, the likeliest groups first, as HTML."""
    q = np.asarray(shown.groups.arrays.soft_assignments[index], dtype=np.float64)
    colours = shown.colours()
    label = int(shown.groups.labels[index])
    likely = [int(group) for group in np.argsort(-q)[:BARS] if q[group] >= LEAST_BAR]
    rows = "".join(
        f'<div role="row" style="display:grid;grid-template-columns:minmax(0,9rem) 1fr 3rem;gap:.6rem;'
        f'align-items:center;line-height:1.7"><span style="overflow:hidden;text-overflow:ellipsis;'
        f'white-space:nowrap;{"font-weight:600" if group == label else ""}">'
        f'{escape(shown.groups.name(group))}</span><span style="height:.55rem;border-radius:2px;'
        f'background:color-mix(in srgb,currentColor 8%,transparent)"><span style="display:block;height:100%;'
        f'border-radius:2px;width:{q[group]:.1%};background:{colours[group]}"></span></span>'
        f'<span style="text-align:right;font-variant-numeric:tabular-nums">{q[group]:.0%}</span></div>'
        for group in likely
    )
    head = "Unassigned: no group was sure enough." if label < 0 else "Confidence"
    return (
        f'<div style="font-size:.86rem;opacity:.75;margin-top:.3rem">{head} (soft assignment q)</div>'
        f'<div style="font-size:.92rem">{rows}</div>'
    )


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


def _neighbours(shown: Shown, index: int, owner: str, title: str, words: str) -> None:
    st.markdown(f"**{title}**")
    st.caption(words)
    try:
        found, distances = state.workspace().neighbours(owner, index, NEIGHBOURS)
    except StudioError as error:
        notice(error.problem, error.mend)
        return
    notes = {int(item): f"{distance:.3g}" for item, distance in zip(found, distances, strict=True)}
    opened = gallery(
        shown.collection,
        found,
        key=f"drawer-{'latent' if owner == shown.run.id else 'features'}",
        title=title,
        height=84,
        colours=shown.item_colours(),
        notes=notes,
    )
    if opened is not None:
        st.session_state["_drawer"] = opened
        st.rerun(scope="fragment")
