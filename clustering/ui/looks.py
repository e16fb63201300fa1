"""How an item and a group are looked at, by the kind of collection; others show words."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from clustering.collections.words import common_words, in_context, names_of_groups
from clustering.jobs.naming import LONGEST
from clustering.ui import routes, state, theme
from clustering.ui.explore_state import Shown
from clustering.ui.trouble import plain

QUIET = {"displayModeBar": False, "scrollZoom": False}
COMMON, CONTEXTS = 5, 3  # words of a group, and sentences each is shown in
WHOLE = 10_000  # words on either side: the whole sentence
PAGE = "max-height:46vh;overflow-y:auto;white-space:pre-wrap;line-height:1.55;font-size:1.02rem"
SAMPLED = 5000  # items whose middle half is drawn behind one
MARK = "background:color-mix(in srgb,var(--studio-accent) 22%,transparent);color:inherit;padding:0 .15em"
MEMBERS = 1000  # windows of a group whose middle half is drawn


def item(shown: Shown, index: int, caption: str, key: str = "look-item") -> bool:
    """Show one item large; say whether its kind has a way to."""
    look = ITEMS.get(shown.record.kind)
    if look is not None:
        look(shown, index, caption, key)
    return look is not None


def group(shown: Shown, label: int) -> None:
    """Show what the items of a group have in common, where the kind has a way to."""
    look = GROUPS.get(shown.record.kind)
    if look is not None:
        look(shown, label)


def _picture(shown: Shown, index: int, caption: str, key: str) -> None:  # noqa: ARG001
    if not routes.are_served():
        return
    aspect = shown.collection.items["aspect"].iloc[index]
    small = routes.picture_address(shown.record.id, index, 1024)
    whole = f"/studio/collections/{shown.record.id}/items/{index}/original"
    st.html(
        f'<a href="{escape(whole, quote=True)}" target="_blank" rel="noopener" title="Open the original">'
        f'<img src="{escape(small, quote=True)}" alt="{escape(caption, quote=True)}" '
        f'style="display:block;margin:0 auto;aspect-ratio:{aspect:.4g};'
        f'width:min(100%,{aspect:.4g}*min(46vh,400px))"></a>'  # its room is there before it is
    )


def _window(shown: Shown, index: int, caption: str, key: str) -> None:
    from clustering.charts.waveforms import window_figure

    windows, about = np.asarray(shown.collection.data()), shown.collection.about
    figure = window_figure(windows[index], about, theme.name())
    words = f"Waveform of {caption}: {', '.join(map(str, about['channels']))}"
    st.plotly_chart(figure, theme=None, key=key, config=QUIET, alt=words)


def _medoid(shown: Shown, label: int) -> None:
    """Show the window nearest to the middle of the group, over what half of its windows do."""
    from clustering.charts.waveforms import window_figure

    windows, about = np.asarray(shown.collection.data()), shown.collection.about
    members = np.flatnonzero(shown.groups.labels == label)
    some = members[np.unique(np.linspace(0, len(members) - 1, min(MEMBERS, len(members))).astype(int))]
    low, high = np.percentile(windows[some], (25, 75), axis=0)
    figure = window_figure(windows[shown.groups.medoids[label]], about, theme.name(), band=(low, high))
    name = shown.groups.name(label)
    st.plotly_chart(figure, theme=None, key="look-group", config=QUIET, alt=f"The medoid window of {name}")
    st.caption("Line: the medoid, nearest to the middle of the group. Shade: the middle half of its windows.")


def _views(shown: Shown, index: int, caption: str, key: str) -> None:
    """Show an item in every view: its picture where there is one, its numbers over those of the others."""
    from clustering.charts.view_profiles import FEW, view_profiles_figure

    if shown.collection.pictured:
        _picture(shown, index, caption, key)
    rows = np.asarray(shown.collection.data())
    low, high = _middle_half(shown.record.id, shown.record.content_hash, shown)
    lanes, start = [], 0
    for view in shown.collection.about["views"]:
        here = slice(start, start + view["size"])
        start += view["size"]
        if not view.get("pictures"):
            columns = view.get("columns") or ()
            whole = columns if len(columns) == view["size"] else ()
            lanes.append((view["name"], rows[index, here], low[here], high[here], whole))
    figure = view_profiles_figure(lanes, theme.name())
    names = ", ".join(lane[0] for lane in lanes)
    st.plotly_chart(figure, theme=None, key=key, config=QUIET, alt=f"What {caption} is in each view: {names}")
    few = ", ".join(lane[0] for lane in lanes if len(lane[1]) <= FEW)
    units = f" In {few} every number by its own middle half, −1 to 1." if few else ""
    st.caption(plain(f"Line: this item. Shade: the middle half of the collection.{units}"))


@st.cache_data(max_entries=8, show_spinner=False)
def _middle_half(
    collection_id: str,  # noqa: ARG001
    content_hash: str,  # noqa: ARG001
    _shown: Shown,
) -> tuple[np.ndarray, np.ndarray]:
    rows = np.asarray(_shown.collection.data())
    some = rows[np.unique(np.linspace(0, len(rows) - 1, min(SAMPLED, len(rows))).astype(int))]
    low, high = np.nanpercentile(some, (25, 75), axis=0)
    return low, high


def _text(shown: Shown, index: int, caption: str, key: str) -> None:  # noqa: ARG001
    """Show a text, long ones to be scrolled."""
    st.html(f'<div style="{PAGE}">{escape(str(_data(shown)["text"].iloc[index]))}</div>')


def _word(shown: Shown, index: int, caption: str, key: str) -> None:  # noqa: ARG001
    """Show a word in its sentence."""
    st.html(f'<div style="{PAGE}">{_marked(*in_context(_data(shown), index, WHOLE))}</div>')


def _words(shown: Shown, label: int) -> None:
    """Say which words tell the group from the others, and offer them as its name."""
    found = _proposals(shown.run.id, shown)
    if label in found:
        st.markdown(f"Words that tell it from the others: **{plain(found[label])}**")
        _offer(shown, label, found[label])


def _members(shown: Shown, label: int) -> None:
    """Show the commonest words of a group, three contexts each."""
    data = _data(shown)
    common = common_words(data, shown.groups.labels, label, COMMON)
    rows = [
        f"<dt><b>{escape(word)}</b> · {len(places):,}</dt>"
        + "".join(f"<dd>{_marked(*in_context(data, row, 6))}</dd>" for row in places[:CONTEXTS])
        for word, places in common.items()
    ]
    st.html(f'<dl style="margin:0;line-height:1.5">{"".join(rows)}</dl>')
    _offer(shown, label, ", ".join(list(common)[:3]))


def _marked(left: str, word: str, right: str) -> str:
    return f'{escape(left)} <mark style="{MARK}">{escape(word)}</mark> {escape(right)}'


def _offer(shown: Shown, label: int, name: str) -> None:
    name = name[:LONGEST]
    if name and shown.groups.given.get(label) != name:
        st.button(
            "Take as name",
            key=f"take-name-{shown.run.id}-{label}",
            icon=":material/label:",
            on_click=state.workspace().name_cluster,
            args=(shown.run.id, label, name),
            help=f"Call this group “{name}”; it can be changed under Rename.",
        )


@st.cache_data(max_entries=16, show_spinner=False)
def _proposals(run_id: str, _shown: Shown) -> dict[int, str]:  # noqa: ARG001
    return names_of_groups(_data(_shown), _shown.groups.labels)


def _data(shown: Shown) -> pd.DataFrame:
    data = shown.collection.data()
    assert isinstance(data, pd.DataFrame)
    return data


ITEMS: dict[str, Callable[[Shown, int, str, str], None]] = {
    "images": _picture,
    "series": _window,
    "text": _text,
    "tokens": _word,
    "views": _views,
}
GROUPS: dict[str, Callable[[Shown, int], None]] = {"series": _medoid, "text": _words, "tokens": _members}
