"""Quality: what a run is worth, with labels and without, of itself and beside plain methods."""

import streamlit as st

from clustering.ui import (
    judging,
    labels_view,
    pairs_view,
    quality_view,
    runs,
    seeds_view,
    state,
    theme,
    views_view,
)
from clustering.words import ago, duration, several

record, run = state.current_collection(), state.current_run()
if record is None or run is None:
    theme.title("Quality", "This page says what a clustering is worth, and beside which plain method.")
    if record is None:
        runs.no_collection()
    else:
        runs.no_run("There is nothing to judge yet.")
    st.stop()

theme.title(f"Quality of {run.name}")
features = state.workspace().feature_set(run.feature_id)
tried = state.workspace().seeds(run.id)
theme.facts(
    several(run.n_clusters, "group"),
    f"in {record.name}",
    f"features: {features.title}",
    f"seed {run.seed}" + (f", best of {len(tried)}" if tried else ""),
    f"trained {ago(run.created)} in {duration(run.seconds)} on {run.device}",
)
runs.warnings(runs.alarms(run.id))
rows = state.workspace().quality(run.id)
if not rows:
    quality_view.measure(run)
    st.stop()

column = quality_view.with_labels(record, run, rows)
quality_view.without_labels(run, rows)
quality_view.by_links(run, rows)
quality_view.confidence(run, rows)
pairs_view.show(record, run)
labels_view.show(record, run)
views_view.show(record, run)
seeds_view.stability(record, run, rows, quality_view.groups_of(run), quality_view.colours_of(run))
quality_view.of_the_map(run)
quality_view.beside(run, column)
quality_view.made_with(run, features)
quality_view.downloads(run, judging.csv(rows))
