"""Three questions and a short list: which methods to try first, for a person who does not know them yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import streamlit as st

from clustering.jobs.catalogue import Entry
from clustering.kinds import KIND_INFO, DataKind
from clustering.methods.choosing import HINTS, Answers, Hint, Suggestion, advice
from clustering.methods.info import MethodInfo
from clustering.ui.folding import folded
from clustering.ui.trouble import plain
from clustering.words import several

KNOWN = {"yes": True, "no": False}


def show(entries: Mapping[str, Entry], kind: DataKind, n_items: int, chosen: str, key: str) -> str | None:
    """Draw the folded guide and return the method a person picked from its list, if any."""
    block = folded("Help me choose", f"{key}-guide", icon=":material/lightbulb:")
    if block is None:
        return None
    with block:
        answers = _asked(kind, n_items, key)
        found = advice([MethodInfo(**entry.info) for entry in entries.values()], answers)
        picked = None
        for number, one in enumerate(found.suggestions, 1):
            if _row(number, one, entries[one.name], chosen, key):
                picked = one.name
        for note in found.notes:
            st.caption(plain(note))
    return picked


def _asked(kind: DataKind, n_items: int, key: str) -> Answers:
    """Ask what the collection itself does not say."""
    things = KIND_INFO[kind].items
    st.caption(f"The items are {several(n_items, things.removesuffix('s'), things)}.")
    left, right = st.columns([2, 3], gap="medium")
    known = left.segmented_control(
        "Do you know how many groups there are?",
        list(KNOWN),
        format_func=str.capitalize,
        key=f"{key}-guide-number",
        persist_state="session",
    )
    hints = right.pills(
        "Do you know more about the items?",
        get_args(Hint),
        selection_mode="multi",
        format_func=str.capitalize,
        help=f"{HINTS['links'].capitalize()}, {HINTS['pairs']}, or {HINTS['labels']} to compare with.",
        key=f"{key}-guide-hints",
        persist_state="session",
    )
    return Answers(kind, n_items, KNOWN.get(known or ""), frozenset(hints))


def _row(number: int, one: Suggestion, entry: Entry, chosen: str, key: str) -> bool:
    """Write one suggestion with its reasons; return whether it was picked."""
    with st.container(horizontal=True, vertical_alignment="top", key=f"{key}-guide-row-{number}"):
        with st.container(gap=None):
            st.markdown(f"{number}. **{plain(one.title)}** · {plain(' '.join(one.reasons))}")
            told = " ".join((entry.info["summary"], *one.cautions))
            st.caption(plain(told))
        return st.button(
            "Chosen" if one.name == chosen else "Choose",
            key=f"{key}-guide-{one.name}",
            disabled=one.name == chosen,
            type="tertiary",
            icon=":material/check:" if one.name == chosen else None,
            width="content",
        )
