"""Judging a run: its measures beside those of plain methods, and how far a map can be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from clustering.charts.palette import Theme, ThemeName, theme_of
from clustering.charts.style import empty, escaped, named_rows, shortened, styled
from clustering.metrics.quality import Quality

SPACES = {
    "features": ("in the fixed features", "circle"),
    "latent": ("in the learned latent space", "diamond-open"),
    "map": ("on the map", "square-open"),
    "": ("", "circle"),
}
ROW = 26  # pixels a run
MOST_SHOWN = 28  # characters of a run's name


def quality_comparison(
    runs: Mapping[str, Sequence[Quality]],
    theme: ThemeName = "light",
    *,
    current: str | None = None,
    measures: Sequence[str] | None = None,
    columns: int = 3,
) -> go.Figure:
    """Draw runs side by side, one small panel a measure: a dot for the value, a line for its interval.

    Parameters
    ----------
    runs : dict of str to sequence of Quality
        Title of a run → its measures; the order stays.
    current : str, optional
        Title of the run in hand, drawn in the accent colour.
    measures : sequence of str, optional
        Names of the measures to show, in order; by default all that any run has.
    columns : int
        Panels a row.

    Notes
    -----
    A measure taken in two spaces shows both in one panel: silhouettes in a latent space that was trained to
    be tight rise by construction, and only the fixed features compare runs fairly.
    """
    found = {quality.name: quality for rows in runs.values() for quality in rows if quality.value is not None}
    names = [name for name in (measures or found) if name in found]
    if not names:
        return empty("There are no measures to compare yet.", theme)
    columns = min(columns, len(names))
    n_rows = math.ceil(len(names) / columns)
    figure = go.Figure()
    height = 34 + n_rows * (ROW * len(runs) + 74)
    figure.set_subplots(
        rows=n_rows,
        cols=columns,
        shared_yaxes=True,
        horizontal_spacing=0.06,
        vertical_spacing=64 / height if n_rows > 1 else 0.0,
        subplot_titles=[f"{escaped(found[name].title)} {found[name].arrow}" for name in names],
    )
    colors = theme_of(theme)
    drawn: set[str] = set()
    for index, name in enumerate(names):
        place = {"row": index // columns + 1, "col": index % columns + 1}
        for space in dict.fromkeys(
            quality.space for rows in runs.values() for quality in rows if quality.name == name
        ):
            figure.add_trace(
                _dots(runs, name, space, current, colors, show_legend=space not in drawn), **place
            )
            drawn.add(space)
    styled(figure, theme, height=height)
    figure.update_annotations(font={"size": 13, "color": colors.ink}, xanchor="left")
    for annotation, axis in zip(figure.layout.annotations, figure.select_xaxes(), strict=False):
        annotation.update(x=axis.domain[0])
    figure.update_layout(legend={"y": -30 / height, "yanchor": "top"}, margin={"t": 30, "b": 34})
    figure.update_xaxes(showgrid=True, nticks=5, tickformat="~g")
    rows = [
        f"<b>{shortened(title, MOST_SHOWN)}</b>" if title == current else shortened(title, MOST_SHOWN)
        for title in runs
    ]
    named_rows(figure, rows, range(len(rows)), below=34).update_yaxes(range=[len(runs) - 0.5, -0.5])
    return figure


def projection_strip(qualities: Sequence[Quality], theme: ThemeName = "light") -> go.Figure:
    """Draw how far a map can be trusted: one bar a measure, from 0 to 1, with its number.

    Parameters
    ----------
    qualities : sequence of Quality
        Those of the group ``"projection"`` are shown: trustworthiness, continuity, neighbour recall, distance
        correlation.
    """
    shown = [quality for quality in qualities if quality.group == "projection" and quality.value is not None]
    if not shown:
        return empty("The quality of this map has not been measured yet.", theme, height=80)
    colors = theme_of(theme)
    places = list(range(len(shown)))
    values = [float(quality.value or 0.0) for quality in shown]
    figure = go.Figure()
    figure.add_bar(
        x=[1.0] * len(shown),
        y=places,
        orientation="h",
        width=0.28,
        marker={"color": colors.line},
        text=[f"{value:.3f}" for value in values],
        textposition="outside",
        textfont={"size": 13},
        constraintext="none",
        cliponaxis=False,
        hoverinfo="skip",
    )
    figure.add_bar(
        x=[min(max(value, 0.0), 1.0) for value in values],
        y=places,
        orientation="h",
        width=0.28,
        marker={"color": colors.accent},
        customdata=[_told(quality) for quality in shown],
        hovertemplate="%{customdata}<extra></extra>",
    )
    styled(figure, theme, height=12 + ROW * len(shown))
    figure.update_layout(barmode="overlay", showlegend=False, margin={"t": 4, "b": 4, "r": 52})
    figure.update_xaxes(visible=False, range=[0, 1])
    rows = [shortened(quality.title + (f" (k = {quality.k})" if quality.k else ""), 40) for quality in shown]
    named_rows(figure, rows, places, below=4).update_yaxes(autorange="reversed")
    return figure


def _dots(
    runs: Mapping[str, Sequence[Quality]],
    name: str,
    space: str,
    current: str | None,
    colors: Theme,
    *,
    show_legend: bool,
) -> go.Scatter:
    title, symbol = SPACES.get(space, (space, "circle"))
    rows = [
        (place, run, quality)
        for place, (run, qualities) in enumerate(runs.items())
        for quality in qualities
        if quality.name == name and quality.space == space and quality.value is not None
    ]
    spans = [_interval(quality) for _, _, quality in rows]
    return go.Scatter(
        x=[quality.value for *_, quality in rows],
        y=[place for place, *_ in rows],
        mode="markers",
        marker={
            "symbol": symbol,
            "size": 9,
            "color": [colors.accent if run == current else colors.quiet for _, run, _ in rows],
            "line": {
                "width": 1.5,
                "color": [colors.accent if run == current else colors.quiet for _, run, _ in rows],
            },
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high for _, high in spans],
            "arrayminus": [low for low, _ in spans],
            "thickness": 1.5,
            "width": 0,
            "color": colors.quiet,
        },
        name=title,
        legendgroup=space,
        showlegend=show_legend and bool(title),
        customdata=[f"{escaped(run)}<br>{_told(quality)}" for _, run, quality in rows],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _interval(quality: Quality) -> tuple[float, float]:
    """Return how far the interval reaches below and above the value."""
    value = float(quality.value or 0.0)
    if quality.low is not None and quality.high is not None:
        return max(value - quality.low, 0.0), max(quality.high - value, 0.0)
    reach = 1.96 * (quality.standard_error or 0.0)
    return reach, reach


def _told(quality: Quality) -> str:
    """Return a measure as lines for hovering."""
    lines = [f"{escaped(quality.title)} {quality.arrow} {quality.value:.3f}"]
    if quality.low is not None and quality.high is not None:
        lines[0] += f" (95 %: {quality.low:.3f} to {quality.high:.3f})"
    where = SPACES.get(quality.space, (quality.space, ""))[0]
    lines.append(f"{quality.n_used:,} items{', ' + where if where else ''}")
    if quality.note:
        lines.extend(_wrapped(quality.note))
    return "<br>".join(lines)


def _wrapped(text: str) -> list[str]:
    import textwrap

    return [escaped(line) for line in textwrap.wrap(text, 60)]
