"""Collection: what was loaded, what the check found, the works themselves, and the features made of them."""

import streamlit as st

from clustering.ui import arrival, bring, holdings, jobs, state, theme, trouble
from clustering.ui.sidebar import items_word
from clustering.words import ago

COMING_IN = ("load", "fetch", "sample")

record = state.current_collection()
under_way = [job.id for job in jobs.open_jobs(kinds=COMING_IN)]

# Fixed places: what a person is typing below must not jump when a job above it ends.
head, work, body, entrance, end = (st.container() for _ in range(5))

with head:
    if record is None:
        theme.title(
            "Collection", "This page shows your works, what the check found in them, and their features."
        )
    else:
        theme.title(record.name)
        theme.facts(
            f"{record.n_items:,} {items_word(record.kind)}",
            f"added {ago(record.created)}",
            holdings.origin(record.source),
        )

with work:
    jobs.watch(under_way, "coming-in", then="collection")

if record is not None:
    with body:
        collection = state.open_collection(record.id)
        holdings.sheet(collection)
        left, right = st.columns([1, 1], gap="large")
        with left:
            holdings.check(collection)
        with right:
            holdings.features(record)
        arrival.first_screen_stands()
        holdings.items(collection)

with entrance:
    st.header("Bring your own", anchor=False)
    started = None
    with trouble.caught():
        started = bring.ways("collection")
    if started:
        jobs.remember("coming-in", [started])
        st.rerun()

if record is not None:
    with end:
        holdings.remove(record)
