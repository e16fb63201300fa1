"""What a run makes of the pairs a person made by hand: which are kept, which broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from clustering.ui import explore_pairs, state
from clustering.ui.captions import Captions
from clustering.ui.quality_view import groups_of
from clustering.ui.trouble import plain
from clustering.words import several
from clustering.workspace import CollectionRecord, Hint, RunRecord

if TYPE_CHECKING:
    import pandas as pd

MOST = 200  # hints told


def show(record: CollectionRecord, run: RunRecord) -> None:
    """Show the pairs of the collection as kept or broken by this run; nothing where there are none."""
    hints = state.workspace().hints(record.id)
    if not hints:
        return
    st.header("Pairs made by hand", anchor=False)
    labels = groups_of(run).labels
    kept = [hint.kept(labels) for hint in hints]
    st.markdown(
        f"**{sum(kept)} of {several(len(hints), 'hint')}** kept. {plain(explore_pairs.used(run, len(hints)))}"
    )
    st.dataframe(table(record, run, hints, kept), hide_index=True, key="quality-pairs")
    st.caption(
        "Figures against labels are also given for items in no pair: of those the method was told nothing."
    )


def table(record: CollectionRecord, run: RunRecord, hints: list[Hint], kept: list[bool]) -> pd.DataFrame:
    """Return the hints as a table, broken ones first, with the groups their items are in."""
    import pandas as pd

    captions, groups = Captions.of(state.open_collection(record.id)), groups_of(run)
    order = sorted(range(len(hints)), key=lambda at: kept[at])[:MOST]
    return pd.DataFrame(
        {
            "": ["kept" if kept[at] else "broken" for at in order],
            "Said": ["belong together" if hints[at].together else "keep apart" for at in order],
            "Items": [
                ", ".join(captions.caption(item).title for item in hints[at].items[:6]) for at in order
            ],
            "Groups": [
                ", ".join(dict.fromkeys(groups.name(int(groups.labels[item])) for item in hints[at].items))
                for at in order
            ],
        }
    )
