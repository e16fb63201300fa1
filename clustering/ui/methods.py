"""Method cards: what a method does, when to use it, how it fails, its formula and its paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from clustering.jobs.catalogue import Entry
from clustering.kinds import DataKind, in_words
from clustering.ui import choosing
from clustering.ui.folding import folded
from clustering.ui.trouble import plain
from clustering.words import several

INTERACTIONS = {
    "none": "no learning",
    "multistage": "learns, then groups",
    "iterative": "learns and groups in turn",
    "generative": "learns how data arise",
    "simultaneous": "learns and groups at once",
}


FIRST_CHOICE = "dec"
AT_ONCE = 3  # cards above the fold; a wall of them would hide the form


def choose(
    entries: Mapping[str, Entry], kind: DataKind, n_items: int, key: str, absent: Sequence[str] = ()
) -> Entry:
    """Draw the cards of the methods for a kind of collection and return the chosen one.

    A folded guide stands above them. Those a person should meet first stand open; the other deep methods, by
    how they learn, and the plain ones are folded. A method that does not take this kind is named with what it
    takes.
    """
    fitting = {name: entry for name, entry in entries.items() if kind in entry.info["kinds"]}
    chosen: str = st.session_state.get(f"_{key}", "")
    if chosen not in fitting:
        names = [entry.name for entry in _made_for(fitting, kind)] or list(fitting)
        chosen = FIRST_CHOICE if FIRST_CHOICE in names else names[0]
    first = first_met(fitting, kind, chosen)
    ours = [entry for entry in fitting.values() if not entry.info["library"]]
    plain_ones = [entry for entry in ours if entry.info["family"] == "baseline"]
    others = [entry for entry in ours if entry not in first and entry not in plain_ones]
    picked = choosing.show(entries, kind, n_items, chosen, key)
    picked = _cards(first, chosen, key) or picked
    if others:
        more = folded(f"{len(others)} more deep methods", f"{key}-more", icon=":material/apps:")
        if more is not None:
            with more:
                picked = _by_interaction(others, chosen, key) or picked
    plain_fold = folded("Plain methods", f"{key}-plain", icon=":material/straighten:")
    if plain_fold is not None:
        with plain_fold:
            st.caption(
                "Groups are looked for once, at the end: most of these train nothing and are quick. A deep "
                "method should do better."
            )
            picked = _cards([entry for entry in plain_ones if entry not in first], chosen, key) or picked
    foreign = [entry for entry in fitting.values() if entry.info["library"] and entry not in first]
    picked = _of_libraries(foreign, chosen, key) or picked
    _say_what_others_take(entries, fitting)
    for line in absent:
        st.caption(plain(line))
    if picked:
        st.session_state[f"_{key}"] = picked
        st.rerun()
    return fitting[chosen]


def first_met(fitting: Mapping[str, Entry], kind: str, chosen: str) -> list[Entry]:
    """Return the methods whose cards stand open: those made for the kind, and always the chosen one."""
    first = _made_for(fitting, kind)
    return first if fitting[chosen] in first else [*first, fitting[chosen]]


def _made_for(fitting: Mapping[str, Entry], kind: str) -> list[Entry]:
    """Return the few to meet first: those made for this kind alone before those made for many."""
    some = [entry for entry in fitting.values() if kind in entry.info["first_for"]]
    closest = sorted(some, key=lambda entry: len(entry.info["first_for"]))[:AT_ONCE]
    return [entry for entry in some if entry in closest]


def _by_interaction(entries: list[Entry], chosen: str, key: str) -> str | None:
    picked = None
    for interaction, words in INTERACTIONS.items():
        some = [entry for entry in entries if entry.info["interaction"] == interaction]
        if some:
            st.markdown(f"**{words.capitalize()}** :small[{interaction}]")
            picked = _cards(some, chosen, key) or picked
    return picked


def _of_libraries(entries: list[Entry], chosen: str, key: str) -> str | None:
    """Draw the cards of methods whose code is another library's, folded, and return the picked one."""
    picked = None
    for library in sorted({entry.info["library"] for entry in entries}):
        some = [entry for entry in entries if entry.info["library"] == library]
        label = f"{several(len(some), 'method')} of {library}"
        block = folded(label, key=f"{key}-{library.lower()}", icon=":material/extension:")
        if block is not None:
            with block:
                st.caption(plain(f"They run {library}’s own code, to be set beside ours."))
                picked = _cards(some, chosen, key) or picked
    return picked


def _say_what_others_take(entries: Mapping[str, Entry], fitting: Mapping[str, Entry]) -> None:
    told = [
        f"{entry.title} ({', '.join(in_words(kind) for kind in entry.info['kinds'])})"
        for name, entry in entries.items()
        if name not in fitting
    ]
    if told:
        st.caption(plain(f"Not for this kind of collection: {'; '.join(told)}."))


def _cards(entries: list[Entry], chosen: str, key: str) -> str | None:
    picked = None
    with st.grid(min_column_width=260, gap="small", vertical_alignment="top"):
        for entry in entries:
            current = entry.name == chosen
            mark = "current" if current else "card"
            with st.container(border=True, key=f"card-{mark}-{key}-{entry.name}", gap="xsmall"):
                st.markdown(f"**{plain(entry.title)}** :small[{entry.info['year']}]")
                st.caption(plain(entry.info["summary"]))
                if st.button(
                    "Chosen" if current else "Choose",
                    key=f"{key}-choose-{entry.name}",
                    disabled=current,
                    type="tertiary",
                    icon=":material/check:" if current else None,
                ):
                    picked = entry.name
    return picked


def about(entry: Entry) -> None:
    """Write what a person should know before choosing the method; formula and paper one click away."""
    info = entry.info
    left, right = st.columns(2, gap="large")
    left.markdown(f"**When to use**  \n{plain(info['when_to_use'])}")
    right.markdown(f"**How it fails**  \n{plain(info['how_it_fails'])}")
    if info.get("reconstructed"):
        st.caption(f":material/construction: Reconstructed. {plain(info['reconstructed'])}")
    background = folded("Formula, paper and kind of method", f"about-{entry.name}")
    if background:
        with background:
            _background(info)


def say_of_links(entry: Entry, entries: Mapping[str, Entry], kind: str) -> None:
    """Say of a method that a graph's links do not reach, which methods they do reach."""
    if kind != "graph" or "links" in entry.info["inputs"]:
        return
    others = [
        one.title for one in entries.values() if "links" in one.info["inputs"] and kind in one.info["kinds"]
    ]
    st.caption(
        plain(
            f":material/link_off: {entry.title} looks at the features of nodes alone, not at their links. "
            f"{', '.join(others)} look at both; “smoothing” in Features of nodes lets the links into the "
            "features."
        )
    )


def _background(info: Mapping[str, Any]) -> None:
    if info.get("formula"):
        st.latex(info["formula"])
    st.caption(f"{plain(info['paper'])} ({info['year']}). {plain(info['source'])}")
    kind = INTERACTIONS.get(info["interaction"], info["interaction"])
    st.caption(
        f"Representation: {plain(info['representation'])} · groups: {plain(info['clustering'])} · {kind}"
    )
