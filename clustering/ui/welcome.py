"""The first minute: a map that is there at once, and three ways on from it."""

from __future__ import annotations

import streamlit as st

from clustering.ui import (
    explore_item,
    explore_map,
    explore_state,
    explore_works,
    jobs,
    preview,
    samples,
    state,
)
from clustering.ui.explore_state import Shown
from clustering.ui.explore_view import BY_GROUP, Filters, columns_of
from clustering.ui.sidebar import items_word
from clustering.ui.trouble import guarded
from clustering.words import several
from clustering.workspace import CollectionRecord, ProjectionRecord, RunRecord

DOORS = (
    (
        "Explore a collection",
        "Walk the map, draw around works, and see what a model puts together.",
        ":material/explore:",
        "pages/explore.py",
    ),
    (
        "Check a clustering",
        "See how sure a grouping is, and whether plain methods do as well.",
        ":material/fact_check:",
        "pages/quality.py",
    ),
    (
        "Learn how it works",
        "Read what each method does and how it fails, then watch one learn.",
        ":material/neurology:",
        "pages/train.py",
    ),
)

Finished = tuple[CollectionRecord, RunRecord, ProjectionRecord]


def what_to_show() -> Finished | None:
    """Return the current collection with its run and map, else the sample's; None while there is neither."""
    current = state.current_collection()
    if current is None:
        return None
    run = state.current_run()
    return _finished(current, run) or _sample()


def _sample() -> Finished | None:
    sample = samples.collection_of(state.workspace())
    if sample is None:
        return None
    runs = state.workspace().runs(sample)
    return _finished(state.workspace().collection(sample), state.newest(runs))


def _finished(collection: CollectionRecord, run: RunRecord | None) -> Finished | None:
    maps = state.workspace().projections(run_id=run.id) if run is not None else []
    return (collection, run, maps[0]) if run is not None and maps else None


def headline(shown: Finished | None) -> str:
    """Return the page's title: what the map is a map of."""
    if shown is None:
        return "A map of 600 pictures"
    collection = shown[0]
    if collection.id == samples.collection_of(state.workspace()):
        return f"A map of {collection.n_items:,} pictures"
    return f"A map of {collection.name}"


def the_map(shown: Finished | None) -> None:
    """Draw the finished map with its gallery, or what there is while the sample is being made."""
    if shown is None:
        _first_start()
        return
    collection, run, projection = shown
    seen = explore_state.shown(collection, run)
    explore_map.show(seen, projection, columns_of(seen.collection.items), Filters(), BY_GROUP)
    _told(seen, projection)
    explore_works.show(seen)
    explore_item.waiting(seen)


def _told(seen: Shown, projection: ProjectionRecord) -> None:
    st.caption(
        f"{seen.run.name} found {several(seen.run.n_clusters, 'group')} among {seen.n:,} "
        f"{items_word(seen.record.kind)}. "
        f"The map is a {projection.title} of its latent space: neighbours say much, far distances little."
    )


def _first_start() -> None:
    """Show the sample's map before its pictures are painted, and how far the painting is."""

    @st.fragment(run_every=1.0)
    @guarded
    def block() -> None:
        workspace = state.workspace()
        if _sample() is not None:
            st.rerun()
        preview.draw(samples.FIRST)
        job = samples.job_of(workspace)
        if job is None:
            st.caption("The sample is being prepared.")
        else:
            status = workspace.status(job.id)
            if status.is_open:
                st.progress(status.share, text=jobs.line(status))
            elif status.state == "finished":
                st.caption("The pictures are there; the model is looking at them.")
            else:
                jobs.show(status, key="first-sample")

    block()


def doors() -> None:
    """Draw the three ways on, one sentence each."""
    for cell, (name, sentence, icon, page) in zip(st.columns(len(DOORS)), DOORS, strict=True):
        with cell, st.container(border=True, key=f"card-door-{page[6:-3]}", gap="xsmall"):
            st.markdown(f"**{name}**")
            st.caption(sentence)
            if st.button("Open", key=f"door-{page[6:-3]}", icon=icon, help=name):
                st.switch_page(page)
