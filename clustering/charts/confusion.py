"""Groups against a column: which group holds which artist, style or class."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clustering.charts.palette import (
    ThemeName,
    cluster_glyph,
    group_name,
    readable_on,
    sequential_colors,
    theme_of,
)
from clustering.charts.style import shortened
from clustering.errors import StudioError
from clustering.metrics.matching import best_match

NUMBERS_UP_TO = 20  # rows and columns that leave room for a count in each cell
MOST_VALUES = 60  # columns; rarer values are counted together
MOST_TICKS = 24  # named columns; of more, every second or third is, the others where the pointer rests
LEVEL_UP_TO = 6  # columns whose names lie; those of more stand upright
STYLE = """
.studio-confusion{overflow-x:auto;font-size:.82rem}
.studio-confusion table{border-collapse:separate;border-spacing:1px;width:100%;margin:0;
  font-variant-numeric:tabular-nums}
.studio-confusion :is(caption,p){font-size:inherit;color:color-mix(in srgb,currentColor 75%,transparent)}
.studio-confusion caption{caption-side:bottom;text-align:center;padding:.3rem 0}
.studio-confusion :is(th,td){border:0;padding:0;font-weight:400;height:22px}
.studio-confusion tbody th{text-align:right;white-space:nowrap;padding-right:.5rem;width:1%}
.studio-confusion tbody td{text-align:center;min-width:6px}
.studio-confusion .small :is(th,td){height:30px}
.studio-confusion .small tbody td{min-width:2rem}
.studio-confusion .large tbody td{font-size:0}
.studio-confusion .upright thead th{writing-mode:vertical-rl;rotate:180deg;text-align:left;height:auto;
  white-space:nowrap;padding:.3rem 0;line-height:1}
.studio-confusion p{display:flex;gap:.5rem;align-items:center;justify-content:flex-end;margin:.2rem 0}
.studio-confusion p span{width:7rem;height:8px}
"""


def confusion_table(
    labels: ArrayLike,
    column: Sequence[Any] | pd.Series,
    theme: ThemeName = "light",
    *,
    column_name: str = "column",
    names: Sequence[str] | None = None,
) -> str:
    """Show what each group is made of; rows and columns are ordered so that matches lie on the diagonal.

    Parameters
    ----------
    labels : int array (n,)
        -1 is unassigned.
    column : sequence (n,)
        One value an item; missing ones are counted as “no value”.

    Returns
    -------
    str
        An HTML table without scripts, every text escaped.

    Notes
    -----
    Colour is the share of the group (of its row). Groups and values are matched by the assignment that
    brings most items onto the diagonal (Hungarian method); what stays unmatched follows by size. A table,
    because a browser draws it at once and reads it out, and a page need not wait for a chart.
    """
    groups, values, table = cross_table(labels, column)
    if not table.size:
        return "<p>There is nothing to compare.</p>"
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    of_value = table / np.maximum(table.sum(axis=0, keepdims=True), 1)
    highest = float(shares.max())  # a fine column divides every group into small shares
    colors = np.array(sequential_colors(shares, theme, 0.0, highest)).reshape(table.shape)
    colors[table == 0] = theme_of(theme).surface
    small = max(table.shape) <= NUMBERS_UP_TO
    step = -(-len(values) // MOST_TICKS)
    width = f"{100 / len(values):.1f}%"
    heads = "".join(
        f'<th scope="col" style="width:{width}" title="{escape(value)}">'
        f"{shortened(value, 18) if at % step == 0 else ''}</th>"
        for at, value in enumerate(values)
    )
    rows = []
    for i, label in enumerate(groups):
        name = group_name(label, names)
        cells = "".join(
            f'<td style="background:{colors[i, j]};color:{readable_on(colors[i, j])}" '
            f'title="{escape(name)} × {escape(value)}: {table[i, j]:,}, {shares[i, j]:.0%} of the group, '
            f'{of_value[i, j]:.0%} of the value">{f"{table[i, j]:,}" if table[i, j] else ""}</td>'
            for j, value in enumerate(values)
        )
        head = f"{shortened(name)} {cluster_glyph(label)}"
        rows.append(f'<tr><th scope="row" title="{escape(name)}">{head}</th>{cells}</tr>')
    classes = f"{'small' if small else 'large'} {'upright' if len(values) > LEVEL_UP_TO else 'level'}"
    stops = ",".join(sequential_colors(np.linspace(0, 1, 5), theme))
    return (
        f'<style>{STYLE}</style><div class="studio-confusion"><table class="{classes}">'
        f"<caption>Groups against {escape(column_name)}</caption>"
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f'<p>0 % <span style="background:linear-gradient(to right,{stops})"></span> {highest:.0%} '
        "share of group</p></div>"
    )


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
