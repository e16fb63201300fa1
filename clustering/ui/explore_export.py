"""The export menu of the Explore page: labels as a table, the map as a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from clustering.ui import explore_state, state
from clustering.ui.explore_state import Shown
from clustering.ui.explore_view import Column, colouring
from clustering.ui.labels import as_csv, as_parquet, label_table
from clustering.workspace.records import ProjectionRecord


def menu(shown: Shown, chosen: ProjectionRecord | None, colour: str, columns: Sequence[Column]) -> None:
    """Draw the menu; a file is made when it is asked for."""
    with st.popover("Export", icon=":material/download:", width="stretch"):
        _file("Labels as CSV", f"{shown.run.id}-labels.csv", "text/csv", lambda: as_csv(_labels(shown)))
        _file(
            "Labels as Parquet",
            f"{shown.run.id}-labels.parquet",
            "application/vnd.apache.parquet",
            lambda: as_parquet(_labels(shown)),
        )
        if chosen is None:
            return
        _file(
            "Map as PNG",
            f"{chosen.id}.png",
            "image/png",
            lambda: picture(shown, chosen, colour, columns, "png"),
        )
        _file(
            "Map as SVG",
            f"{chosen.id}.svg",
            "image/svg+xml",
            lambda: picture(shown, chosen, colour, columns, "svg"),
        )
        st.caption("The map is exported whole, as it is coloured now.")


def _labels(shown: Shown):  # type: ignore[no-untyped-def]
    return label_table(state.workspace(), shown.run.id)


def _file(label: str, name: str, kind: str, make: Callable[[], bytes]) -> None:
    st.download_button(
        label, make, name, kind, key=f"export-{label}", on_click="ignore", type="tertiary", width="stretch"
    )


def picture(
    shown: Shown, chosen: ProjectionRecord, colour: str, columns: Sequence[Column], form: str
) -> bytes:
    """Return the map as a PNG or SVG picture on paper."""
    from clustering.charts import exports

    legend, codes = colouring(colour, shown.collection.items, columns, shown.groups, "light")
    return exports.map_picture(
        explore_state.positions_of(chosen.id), codes, legend, form=form, title=shown.record.name
    )
