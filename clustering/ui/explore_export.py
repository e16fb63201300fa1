"""The export menu of the Explore page: labels as a table, the map as a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from clustering.ui import explore_cut, explore_state, state
from clustering.ui.explore_state import Shown
from clustering.ui.explore_view import Column, colouring, space_words
from clustering.ui.labels import label_table
from clustering.ui.latent_map.legend import Legend
from clustering.workspace.records import ProjectionRecord

if TYPE_CHECKING:
    import pandas as pd


def menu(shown: Shown, chosen: ProjectionRecord | None, colour: str, columns: Sequence[Column]) -> None:
    """Draw the menu; a file is made when it is asked for."""
    with st.popover("Export", icon=":material/download:"):
        _file("Labels as CSV", f"{shown.run.id}-labels.csv", "text/csv", lambda: _csv(shown))
        _file(
            "Labels as Parquet",
            f"{shown.run.id}-labels.parquet",
            "application/vnd.apache.parquet",
            lambda: _parquet(shown),
        )
        if shown.record.kind == "graph":
            _file(
                "Graph as GraphML",
                f"{shown.run.id}.graphml",
                "application/xml",
                lambda: _graph(shown, "graphml"),
            )
            _file("Links as CSV", f"{shown.run.id}-links.csv", "text/csv", lambda: _graph(shown, "csv"))
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


def _labels(shown: Shown) -> pd.DataFrame:
    return label_table(state.workspace(), shown.run.id)


def _csv(shown: Shown) -> bytes:
    from clustering.charts.exports import labels_csv

    return labels_csv(_labels(shown))[0]


def _parquet(shown: Shown) -> bytes:
    from clustering.charts.exports import labels_parquet

    return labels_parquet(_labels(shown))


def _graph(shown: Shown, form: Literal["graphml", "csv"]) -> bytes:
    from clustering.cli.taking import graph_file

    return graph_file(state.workspace(), shown.run.id, form)


def _file(label: str, name: str, kind: str, make: Callable[[], bytes]) -> None:
    st.download_button(
        label, make, name, kind, key=f"export-{label}", on_click="ignore", type="tertiary", width="stretch"
    )


def picture(
    shown: Shown,
    chosen: ProjectionRecord,
    colour: str,
    columns: Sequence[Column],
    form: Literal["png", "svg"],
) -> bytes:
    """Return the map as a PNG or SVG picture on paper, coloured as on the page."""
    from clustering.charts.map_file import map_picture, provenance_line

    choice = st.session_state.get("palette") or "auto"
    trust = explore_state.trust_of(chosen.id)
    groups = explore_cut.groups_for(shown, colour)
    legend, codes = colouring(colour, shown.items, columns, groups, "light", choice, trust)
    if legend.kind == "ramp":
        legend, codes = in_bands(legend, codes)
    return map_picture(
        explore_state.positions_of(chosen.id),
        codes,
        format=form,
        names=list(legend.names),
        colors=list(legend.colours),
        title=f"{shown.record.name}, coloured by {legend.title.lower()}",
        provenance=provenance_line(
            run=shown.run.name, map=chosen.title, of=space_words(chosen.space), seed=chosen.seed
        ),
    )


def in_bands(legend: Legend, codes: NDArray[np.int64], bands: int = 8) -> tuple[Legend, NDArray[np.int64]]:
    """Return a ramp as a few groups, for a legend on paper."""
    width = len(legend.colours) // bands
    names = [
        f"{100 * at // bands} to {100 * (at + 1) // bands} % of {legend.low} … {legend.high}"
        for at in range(bands)
    ]
    colours = [legend.colours[at * width + width // 2] for at in range(bands)]
    return replace(legend, names=names, colours=colours), np.where(codes < 0, -1, codes // width)
