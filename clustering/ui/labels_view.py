"""What a run makes of the labels a person gave by hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import streamlit as st

from clustering.jobs.lessons import accuracy_sentence
from clustering.ui import judging, state
from clustering.ui.explore_refine import TYPICAL, taught
from clustering.ui.trouble import plain
from clustering.words import several
from clustering.workspace import CollectionRecord, RunRecord
from clustering.workspace.labels import LabelsStamp

FEWEST = 10  # labels, of which figures are given
SHOWN = ("accuracy", "nmi", "ari")


def show(record: CollectionRecord, run: RunRecord) -> None:
    """Show the agreement of a run's groups with the labels given by hand; nothing where there are none."""
    stamp = state.workspace().labels_stamp(record.id)
    n_labels = stamp.n_labels
    if not n_labels:
        return
    st.header("Against labels given by hand", anchor=False)
    if taught(run.id):
        st.markdown(plain(accuracy_sentence(state.workspace(), run.id)))
        st.caption(TYPICAL)
        return
    found = against(record.id, run.id, stamp)
    if not found:
        st.markdown(
            f"{several(n_labels, 'label')}: from {FEWEST} on, of two kinds, this page says how they agree."
        )
        return
    judging.headline(found)
    st.caption(f"Of the {n_labels:,} items with a label only. {TYPICAL}")


@st.cache_data(show_spinner=False, max_entries=32)
def against(collection_id: str, run_id: str, stamp: LabelsStamp) -> list[dict[str, Any]]:  # noqa: ARG001
    """Return the figures of the labelled items; none where they are too few."""
    from clustering import metrics

    labels = state.workspace().labels(collection_id)
    if len(labels) < FEWEST or len(set(labels.values())) < 2:
        return []
    groups = np.asarray(state.run_arrays(run_id).labels)[list(labels)]
    return [asdict(row) for row in metrics.external(list(labels.values()), groups) if row.name in SHOWN]
