"""Sort all items by the labels given by hand, and say how many of those held back come out right."""

from __future__ import annotations

import streamlit as st

from clustering.jobs.labelling import FAMILY, accuracy_sentence, lesson
from clustering.labelling import WAYS
from clustering.ui import jobs, state
from clustering.ui.explore_state import Shown
from clustering.ui.trouble import guarded, plain
from clustering.ui.words import several

TYPICAL = (
    "What is asked for under “Label next” is typical; of odd items fewer will come out right than that "
    "figure says."
)


def told(shown: Shown) -> None:
    """Say of a run made from labels how far its groups can be trusted."""
    if shown.run.family == FAMILY:
        said = accuracy_sentence(state.workspace(), shown.run.id)
        st.caption(plain(f"{said} {TYPICAL}"))


def offer(shown: Shown, labels: dict[int, str], busy: bool) -> None:
    """Offer to sort all items by the labels, with a word on how many of these are held back."""
    if len(set(labels.values())) < 2:
        return
    held = int(lesson(labels).held.sum())
    back = (
        f"{several(held, 'label')} of {len(labels):,} will be held back, to see how many come out right."
        if held
        else "There are too few labels to hold any back and see how many come out right: that takes three of "
        "a kind."
    )
    st.divider()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        way = st.segmented_control(
            "Sort all by these labels",
            list(WAYS),
            default="linear_probe",
            required=True,
            format_func=lambda name: WAYS[name].title,
            key="refine-way",
            persist_state="session",
        )
        st.button(
            "Sort",
            key="refine-go",
            icon=":material/arrow_split:",
            type="primary",
            disabled=busy,
            on_click=guarded(_refine),
            args=(shown, way),
            help="Makes a run whose groups are your labels, to be looked at, judged and exported like any.",
        )
    st.caption(f"{WAYS[way].summary} {back}")


def _refine(shown: Shown, way: str) -> None:
    wanted = {"features": shown.run.feature_id, "way": way}
    job = jobs.submit("refine", wanted, title=f"Sort by labels: {WAYS[way].title.lower()}")
    jobs.submit("quality", {}, after=job.id, title="Measure quality")
    jobs.remember(f"labels-{shown.record.id}", [job.id])
    st.rerun()
