"""The narrow column of the Explore page: filters with counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from clustering.ui.explore_state import Shown
from clustering.ui.explore_view import BY_TRUST, Column, Filters, masks_of, value_counts, visible_items
from clustering.words import several

MOST_SHOWN = 6  # filters open at once; the rest are folded
SURE = "How sure the model is of an item's group: its largest soft assignment."
TRUST = "Of an item's nearest neighbours, how many are near it on this map too."


def read(shown: Shown, columns: Sequence[Column]) -> Filters:
    """Return the filters as they stand now, before their widgets are drawn."""
    kept: dict[str, Any] = {one.name: st.session_state.get(_key(shown, one)) for one in columns}
    ranges = {}
    for one in columns:
        value = kept[one.name]
        if one.kind == "numbers" and value and tuple(value) != (one.low, one.high):
            ranges[one.name] = (float(value[0]), float(value[1]))
    sure, trusted = (_share(shown, name) for name in ("confidence", "trust"))
    return Filters(
        values={one.name: kept[one.name] for one in columns if one.kind == "values" and kept[one.name]},
        ranges=ranges,
        groups=tuple(st.session_state.get(f"filter-{shown.run.id}-groups") or ()),
        confidence=sure,
        trust=trusted,
    )


def _share(shown: Shown, name: str) -> tuple[float, float]:
    low, high = st.session_state.get(f"filter-{shown.run.id}-{name}") or (0, 100)
    return low / 100, high / 100


def column(
    shown: Shown, columns: Sequence[Column], filters: Filters, trust: NDArray[np.float32] | None = None
) -> None:
    """Draw the filters; each value tells how many items it would leave beside the other filters."""
    items = shown.items
    masks = masks_of(items, filters, shown.groups, trust)
    passed = int(visible_items(masks, shown.n).sum())
    st.markdown(
        f"**{passed:,}** of {several(shown.n, 'item')}" if filters.active else several(shown.n, "item")
    )
    if filters.active:
        st.button(
            "Clear filters", type="tertiary", key="filters-clear", on_click=_clear, args=(shown, columns)
        )
    _groups(shown, visible_items(masks, shown.n, "group of the run"))
    _percent(shown, "confidence", "Confidence", SURE)
    if trust is not None:
        _percent(shown, "trust", BY_TRUST, TRUST)
    for one in columns[:MOST_SHOWN]:
        _one(shown, items, one, masks)
    if len(columns) > MOST_SHOWN:
        with st.expander("More filters"):
            for one in columns[MOST_SHOWN:]:
                _one(shown, items, one, masks)


def _groups(shown: Shown, passed: Any) -> None:
    counts = pd.Series(shown.groups.labels[passed]).value_counts().to_dict()
    st.multiselect(
        "Group",
        range(shown.groups.count),
        key=f"filter-{shown.run.id}-groups",
        format_func=lambda label: f"{shown.groups.name(label)} ({counts.get(label, 0):,})",
        placeholder="All groups",
        persist_state="session",
    )


def _percent(shown: Shown, name: str, title: str, words: str) -> None:
    st.slider(
        title,
        0,
        100,
        (0, 100),
        key=f"filter-{shown.run.id}-{name}",
        format="%d %%",
        help=words,
        persist_state="session",
    )


def _one(shown: Shown, items: pd.DataFrame, one: Column, masks: dict[str, Any]) -> None:
    if one.kind == "numbers":
        low, high = (int(one.low), int(one.high)) if one.whole else (one.low, one.high)
        st.slider(
            heading(one.name),
            low,
            high,
            (low, high),
            key=_key(shown, one),
            help="Items without a value are left out once this is narrowed.",
            persist_state="session",
        )
        return
    counts = value_counts(items[one.name], visible_items(masks, shown.n, one.name))
    st.multiselect(
        heading(one.name),
        list(counts),
        key=_key(shown, one),
        format_func=lambda value: f"{value} ({counts.get(value, 0):,})",
        placeholder="All",
        persist_state="session",
    )


def _clear(shown: Shown, columns: Sequence[Column]) -> None:
    for one in columns:
        st.session_state.pop(_key(shown, one), None)
        if one.kind == "numbers":
            ends = (int(one.low), int(one.high)) if one.whole else (one.low, one.high)
            st.session_state[_key(shown, one)] = ends
        else:
            st.session_state[_key(shown, one)] = []
    st.session_state[f"filter-{shown.run.id}-groups"] = []
    for name in ("confidence", "trust"):
        st.session_state[f"filter-{shown.run.id}-{name}"] = (0, 100)


def _key(shown: Shown, one: Column) -> str:
    return f"filter-{shown.record.id}-{one.name}"


def heading(name: str) -> str:
    """Return a column's name as a heading: ``"credit_line"`` becomes “Credit line”."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
