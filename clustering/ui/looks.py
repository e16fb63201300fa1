"""How an item and a group are looked at, by the kind of collection; others show words."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import numpy as np
import streamlit as st

from clustering.ui import routes, theme
from clustering.ui.explore_state import Shown

QUIET = {"displayModeBar": False, "scrollZoom": False}
MEMBERS = 1000  # windows of a group whose middle half is drawn


def item(shown: Shown, index: int, caption: str) -> None:
    """Show one item large."""
    look = ITEMS.get(shown.record.kind)
    if look is not None:
        look(shown, index, caption)


def group(shown: Shown, label: int) -> None:
    """Show what the items of a group have in common, where the kind has a way to."""
    look = GROUPS.get(shown.record.kind)
    if look is not None:
        look(shown, label)


def _picture(shown: Shown, index: int, caption: str) -> None:
    if not routes.are_served():
        return
    small = routes.picture_address(shown.record.id, index, 1024)
    whole = f"/studio/collections/{shown.record.id}/items/{index}/original"
    st.html(
        f'<a href="{escape(whole, quote=True)}" target="_blank" rel="noopener" title="Open the original">'
        f'<img src="{escape(small, quote=True)}" alt="{escape(caption, quote=True)}" '
        'style="display:block;margin:0 auto;max-width:100%;height:min(46vh,400px);'
        'object-fit:contain"></a>'
    )


def _window(shown: Shown, index: int, caption: str) -> None:
    from clustering.charts.waveforms import window_figure

    windows, about = np.asarray(shown.collection.data()), shown.collection.about
    figure = window_figure(windows[index], about, theme.name())
    words = f"Waveform of {caption}: {', '.join(map(str, about['channels']))}"
    st.plotly_chart(figure, theme=None, key="look-item", config=QUIET, alt=words)


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


ITEMS: dict[str, Callable[[Shown, int, str], None]] = {"images": _picture, "series": _window}
GROUPS: dict[str, Callable[[Shown, int], None]] = {"series": _medoid}
