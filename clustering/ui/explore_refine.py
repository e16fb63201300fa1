"""Sort all items by the labels given by hand, and say how many of those held back come out right."""

from __future__ import annotations

import streamlit as st

from clustering.jobs.lessons import accuracy_sentence, learned_from, lesson
from clustering.labelling import WAYS
from clustering.ui import jobs, state
from clustering.ui.explore_state import Shown
from clustering.ui.training import MAP
from clustering.ui.trouble import guarded, plain
from clustering.words import several

TITLES = {**{name: way.title for name, way in WAYS.items()}, "fixmatch": "FixMatch"}
SUMMARIES = {
    **{name: way.summary for name, way in WAYS.items()},
    "fixmatch": "A network learns the labels, and of the other items what it is sure of; takes minutes.",
}
TYPICAL = (
    "What is asked for under “Label next” is typical; of odd items fewer will come out right than that "
    "figure says."
)


@st.cache_data(show_spinner=False, max_entries=256)
def taught(run_id: str) -> bool:
    """Say whether a run was made from labels given by hand."""
    return learned_from(state.workspace(), run_id)


def told(shown: Shown) -> None:
    """Say of a run made from labels how far its groups can be trusted."""
    if taught(shown.run.id):
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
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        way = st.segmented_control(
            "Sort all by these labels",
            list(TITLES),
            default="linear_probe",
            required=True,
            format_func=TITLES.__getitem__,
            key="refine-way",
            persist_state="session",
        )
        st.button(
            "Sort",
            key="refine-go",
            icon=":material/arrow_split:",
            disabled=busy,
            on_click=guarded(_refine),
            args=(shown, way),
            help="Makes a run whose groups are your labels, to be looked at, judged and exported like any.",
        )
    st.caption(f"{SUMMARIES[way]} {back}")


def _refine(shown: Shown, way: str) -> None:
    title = f"Sort by labels: {TITLES[way]}"
    source = {"features": shown.run.feature_id}
    if way in WAYS:
        job = jobs.submit("refine", {**source, "way": way}, title=title)
    else:
        job = jobs.submit("train", {**source, "method": way, "parameters": {}}, title=title)
    drawn = {"collection": shown.record.id, "projection": MAP, "space": "latent"}
    jobs.submit("project", drawn, after=job.id, title="Draw the map")
    jobs.submit("quality", {}, after=job.id, title="Measure quality")
    jobs.remember(f"labels-{shown.record.id}", [job.id])
    st.rerun()
