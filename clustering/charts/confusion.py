"""Groups against a column: which group holds which artist, style or class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from clustering.charts.palette import ThemeName, cluster_glyph, group_name, sequential_scale, theme_of
from clustering.charts.style import empty, escaped, named_rows, shortened, styled
from clustering.errors import StudioError
from clustering.metrics.matching import best_match

NUMBERS_UP_TO = 20  # rows and columns that leave room for a count in each cell
MOST_VALUES = 60  # columns; rarer values are counted together
MOST_TICKS = 24  # named columns; of more, every second or third is, the others where the pointer rests


def confusion_heatmap(
    labels: ArrayLike,
    column: Sequence[Any] | pd.Series,
    theme: ThemeName = "light",
    *,
    column_name: str = "column",
    names: Sequence[str] | None = None,
) -> go.Figure:
    """Draw what each group is made of; rows and columns are ordered so that matches lie on the diagonal.

    Parameters
    ----------
    labels : int array (n,)
        -1 is unassigned.
    column : sequence (n,)
        One value an item; missing ones are counted as “no value”.

    Notes
    -----
    Colour is the share of the group (of its row). Groups and values are matched by the assignment that
    brings most items onto the diagonal (Hungarian method); what stays unmatched follows by size.
    """
    groups, values, table = cross_table(labels, column)
    if not table.size:
        return empty("There is nothing to compare.", theme)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    of_value = table / np.maximum(table.sum(axis=0, keepdims=True), 1)
    small = table.shape[0] <= NUMBERS_UP_TO and table.shape[1] <= NUMBERS_UP_TO
    group_names = [escaped(group_name(label, names)) for label in groups]
    told = [
        [
            f"{row} × {escaped(value)}<br>{table[i, j]:,} items<br>{shares[i, j]:.0%} of the group<br>"
            f"{of_value[i, j]:.0%} of “{escaped(value)}”"
            for j, value in enumerate(values)
        ]
        for i, row in enumerate(group_names)
    ]
    scale = sequential_scale(theme)
    scale[0] = [0.0, theme_of(theme).surface]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            zmin=0.0,
            zmax=float(shares.max()),  # a fine column divides every group into small shares
            text=[[f"{count:,}" if count else "" for count in row] for row in table] if small else None,
            texttemplate="%{text}" if small else None,
            textfont={"size": 12},
            hovertext=told,
            hovertemplate="%{hovertext}<extra></extra>",
            colorscale=scale,
            xgap=1,
            ygap=1,
            colorbar={
                "title": {"text": "share of group", "side": "right", "font": {"size": 12}},
                "tickformat": ".0%",
                "thickness": 8,
                "outlinewidth": 0,
                "len": 200,
                "lenmode": "pixels",
                "y": 1.0,
                "yanchor": "top",
                "nticks": 3,
            },
        )
    )
    step = -(-len(values) // MOST_TICKS)
    texts = [shortened(value, 18) for value in values[::step]]
    slanted = len(values) > 6
    # The browser lays out a margin it has to find by itself several times over, with every name in it.
    below = 48 + (5 * max(map(len, texts)) if slanted else 12)
    side = 30 if small else 22
    styled(figure, theme, height=int(np.clip(8 + below + side * len(groups), 200, 1000)))
    figure.update_layout(margin_t=8)
    figure.update_traces(
        colorbar_tickfont_color=theme_of(theme).quiet, colorbar_title_font_color=theme_of(theme).quiet
    )
    figure.update_xaxes(
        tickvals=list(range(0, len(values), step)),
        ticktext=texts,
        tickangle=-40 if slanted else 0,
        title_text=escaped(column_name),
        title_standoff=8,
    )
    rows = [f"{shortened(group_name(label, names))} {cluster_glyph(label)}" for label in groups]
    named_rows(figure, rows, range(len(rows)), below=below).update_yaxes(autorange="reversed")
    return figure


def cross_table(
    labels: ArrayLike, column: Sequence[Any] | pd.Series
) -> tuple[list[int], list[str], NDArray[np.int64]]:
    """Count items by group and value, matched pairs first, on the diagonal.

    Returns
    -------
    groups : list of int
        Row labels; -1, when there is any, is the last.
    values : list of str
        Column names.
    table : int64 array (groups, values)
    """
    found = np.asarray(labels, dtype=np.int64).ravel()
    texts = pd.Series(list(column), dtype=object).map(
        lambda value: "no value" if _missing(value) else str(value)
    )
    if len(texts) != len(found):
        raise StudioError(
            f"There are {len(found)} labels but {len(texts)} values in the column.", "Give one value an item."
        )
    common = texts.value_counts().index[:MOST_VALUES]
    rare = texts[~texts.isin(common)]
    if len(rare):
        texts[rare.index] = f"{rare.nunique()} rarer values"
    counted = pd.crosstab(found, texts.to_numpy())
    table, groups, values = (
        counted.to_numpy(dtype=np.int64),
        counted.index.to_numpy(),
        counted.columns.to_numpy(),
    )
    assigned = np.flatnonzero(groups >= 0)
    rows, columns = best_match(table[assigned])
    pairs = sorted(zip(assigned[rows], columns, strict=True), key=lambda pair: -table[pair])
    row_order = _with_rest([int(row) for row, _ in pairs], table.sum(axis=1) - 1e12 * (groups < 0))
    column_order = _with_rest([int(column) for _, column in pairs], table.sum(axis=0))
    return (
        [int(groups[row]) for row in row_order],
        [str(values[column]) for column in column_order],
        table[np.ix_(row_order, column_order)],
    )


def _with_rest(first: list[int], sizes: NDArray[Any]) -> list[int]:
    rest = [int(index) for index in np.argsort(-sizes, kind="stable") if int(index) not in set(first)]
    return first + rest


def _missing(value: Any) -> bool:
    return (
        value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))
    )
