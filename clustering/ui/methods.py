"""Method cards: what a method does, when to use it, how it fails, its formula and its paper."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from clustering.ui.catalogue import Entry
from clustering.ui.trouble import plain

INTERACTIONS = {
    "none": "no learning",
    "multistage": "learns, then groups",
    "iterative": "learns and groups in turn",
    "generative": "learns how data arise",
    "simultaneous": "learns and groups at once",
}


def choose(entries: Iterable[Entry], chosen: str, key: str) -> str:
    """Draw the cards of the deep methods, the plain ones folded, and return the chosen method's name."""
    listed = list(entries)
    deep = [entry for entry in listed if entry.info["family"] == "deep"]
    others = [entry for entry in listed if entry.info["family"] == "baseline"]
    picked = _cards(deep, chosen, key)
    open_plain = chosen in {entry.name for entry in others}
    with st.expander("Plain methods", expanded=open_plain, icon=":material/straighten:"):
        st.caption("No network is trained. They are quick, and a deep method should do better than these.")
        picked = _cards(others, chosen, key) or picked
    return picked or chosen


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
