"""The Explore page before there is anything to explore."""

from __future__ import annotations

from typing import Any

import streamlit as st

from clustering.ui import jobs, theme
from clustering.ui.trouble import plain

PREPARING = ("load", "fetch", "sample", "features", "train", "project", "quality")


def show(record: Any | None) -> None:
    """Say what this page will show, and lead there; while work is under way, show how far it is."""
    theme.title(
        "Explore",
        "This page shows a run as a map: pictures where they belong, groups in colour, nothing hidden.",
    )
    collection_id = record.id if record else None
    if jobs.preparing(PREPARING, "explore-preparing", collection_id=collection_id, then="run", height=420):
        return
    with st.container(border=True, height=300, horizontal_alignment="center", vertical_alignment="center"):
        if record is None:
            st.markdown("There is no collection yet.")
            if st.button("Bring a collection", type="primary", key="explore-bring"):
                st.switch_page("pages/collection.py")
            return
        st.markdown(f"“{plain(record.name)}” has not been grouped yet.")
        if st.button("Train a model", type="primary", key="explore-train"):
            st.switch_page("pages/train.py")
