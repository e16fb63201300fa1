"""Train: choose a method, watch it learn, and go on to the map."""

import streamlit as st

from clustering.jobs import catalogue
from clustering.ui import forms, jobs, methods, runs, state, theme, training, trouble, views_shown, watching
from clustering.words import several

record = state.current_collection()
if record is None:
    theme.title("Train", "This page shows a model learn which works belong together, epoch by epoch.")
    runs.no_collection()
    st.stop()

theme.title(f"Train on {record.name}")
if st.session_state.pop("training-began", False):
    theme.show_top()
busy = watching.show(record.id)

choices = catalogue.read(state.workspace().cache)
if choices is None:
    jobs.wait_for(
        lambda: catalogue.read(state.workspace().cache) is not None,
        "The methods are being listed; on a fresh machine this takes a few seconds.",
    )
    st.stop()

entries = choices.methods
where = st.container() if not busy else st.expander("Train another")
with where, trouble.caught():
    entry = methods.choose(entries, record.kind, record.n_items, key="method", absent=choices.absent)
    methods.about(entry)
    methods.say_of_links(entry, entries, record.kind)
    features, encoder = training.choose_features(record, choices, entry)
    settings = forms.form(
        entry.parameters,
        key=f"train-{entry.name}",
        defaults=training.defaults(entry, record),
        closed=training.closed(entry, record, features, encoder),
    )
    views_shown.show(record, entry, settings, features)
    pairs = training.pairs_told(entry, record, entries)
    if pairs:
        st.caption(f":material/link: {trouble.plain(pairs)}")
    beside = st.toggle(
        "Plain methods beside it",
        value=True,
        key="beside",
        persist_state="session",
        help="k-means, Gaussian mixture, Ward and UMAP + GMM on the same features, so that you can compare.",
    )
    st.caption(f"{choices.device} {several(record.n_items, 'item')}.")
    if st.button("Train", type="primary", icon=":material/play_arrow:", key="train-go"):
        training.start(
            state.workspace(),
            record,
            entry,
            settings,
            features=features,
            encoder=encoder,
            baselines=beside,
        )
        st.session_state["training-began"] = True
        st.rerun()

runs.listed(record.id)
