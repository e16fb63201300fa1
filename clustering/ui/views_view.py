"""How much each view counts for each group of a run, where the method weighs views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from clustering.ui import state
from clustering.ui.quality_view import groups_of
from clustering.workspace import CollectionRecord, RunRecord

if TYPE_CHECKING:
    import pandas as pd


def show(record: CollectionRecord, run: RunRecord) -> None:
    """Show the weights of the views, a row a group; nothing where there are none."""
    if record.kind != "views":
        return
    weights = state.workspace().view_weights(run.id)
    names = [str(view["name"]) for view in state.open_collection(record.id).about["views"]]
    if weights is None or len(weights) != len(names):
        return
    st.header("What the views weigh", anchor=False)
    groups = groups_of(run)
    table: pd.DataFrame = _table(weights, names, [groups.name(at) for at in range(weights.shape[1])])
    shares = {
        name: st.column_config.ProgressColumn(name, format="percent", min_value=0, max_value=1)
        for name in names
    }
    st.dataframe(table, hide_index=True, key="quality-views", placeholder="–", column_config=shares)
    st.caption(
        f"Weight π of every view in a group's soft assignment, learned; {1 / len(names):.0%} each at the "
        "beginning. A row adds up to 100 %."
    )


def _table(weights: object, names: list[str], groups: list[str]) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    columns = dict(zip(names, np.asarray(weights, dtype=float), strict=True))
    return pd.DataFrame({"Group": groups, **columns})
