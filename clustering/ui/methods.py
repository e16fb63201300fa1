"""Method cards: what a method does, when to use it, how it fails, its formula and its paper."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from clustering.jobs.catalogue import Entry
from clustering.ui.trouble import plain

INTERACTIONS = {
    "none": "no learning",
    "multistage": "learns, then groups",
    "iterative": "learns and groups in turn",
    "generative": "learns how data arise",
    "simultaneous": "learns and groups at once",
}


FIRST_CHOICE = "dec"


def choose(entries: Mapping[str, Entry], key: str) -> Entry:
    """Draw the cards of the deep methods, the plain ones folded, and return the chosen method."""
    chosen: str = st.session_state.get(f"_{key}", "")
    if chosen not in entries:
        chosen = FIRST_CHOICE if FIRST_CHOICE in entries else next(iter(entries))
    families = {
        family: [entry for entry in entries.values() if entry.info["family"] == family]
        for family in ("deep", "baseline")
    }
    picked = _cards(families["deep"], chosen, key)
    folded = entries[chosen].info["family"] == "deep"
    with st.expander("Plain methods", expanded=not folded, icon=":material/straighten:"):
        st.caption("No network is trained. They are quick, and a deep method should do better than these.")
        picked = _cards(families["baseline"], chosen, key) or picked
    if picked:
        st.session_state[f"_{key}"] = picked
        st.rerun()
    return entries[chosen]


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
    with st.expander("Formula, paper and kind of method"):
        if info.get("formula"):
            st.latex(info["formula"])
        st.caption(f"{plain(info['paper'])} ({info['year']}). {plain(info['source'])}")
        kind = INTERACTIONS.get(info["interaction"], info["interaction"])
        st.caption(
            f"Representation: {plain(info['representation'])} · groups: {plain(info['clustering'])} · {kind}"
        )
