"""Small maps by plotly: the latent map for notebooks and the scatters of lessons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from clustering.charts.palette import (
    ThemeName,
    cluster_colors,
    cluster_symbol,
    group_name,
    group_number,
    sequential_scale,
    theme_of,
    translucent,
)
from clustering.charts.places import checked_map, group_middles
from clustering.charts.style import empty, escaped, shortened, styled, whole_numbers, without_axes
from clustering.errors import StudioError

TOLD_FIRST = ("title", "artist", "name", "year", "date", "text")  # metadata worth a line when hovering
MOST_TOLD = 5  # lines
MOST_NUMBERED = 60  # groups whose number is written on the map


def latent_map_figure(
    points: ArrayLike,
    labels: ArrayLike | None = None,
    items: pd.DataFrame | None = None,
    theme: ThemeName = "light",
    *,
    names: Sequence[str] | None = None,
    confidences: ArrayLike | None = None,
    height: int = 640,
) -> go.Figure:
    """Draw a map with its groups in colour, their numbers in their middle, metadata on hovering.

    Parameters
    ----------
    points : float array (n, 2)
        A map, such as ``UMAP().fit_transform(...)``.
    labels : int array (n,), optional
        Groups; -1 is unassigned. Without them all points are alike.
    items : DataFrame, optional
        One row a point; title, artist and year come first, then the other columns.
    names : sequence of str, optional
        One a group.
    confidences : float array (n,), optional
        From 0 to 1; told on hovering.

    Raises
    ------
    StudioError
        When the arrays do not belong together.
    """
    places, found = checked_map(points, labels)
    if not len(places):
        return empty("There are no items on this map.", theme, height=height)
    told = _told(
        len(places), items, None if confidences is None else np.asarray(confidences, dtype=np.float64)
    )
    figure = go.Figure()
    _add_groups(figure, places, found, theme, names, told, grouped=labels is not None)
    styled(figure, theme, height=height)
    if labels is not None:
        _number_groups(figure, places, found, theme)
    figure.update_layout(dragmode="pan", margin={"t": 36, "r": 8})
    return without_axes(_legend_beside(figure))


def scatter(
    points: ArrayLike,
    theme: ThemeName = "light",
    *,
    labels: ArrayLike | None = None,
    values: ArrayLike | None = None,
    value_name: str = "value",
    centers: ArrayLike | None = None,
    texts: Sequence[str] | None = None,
    axes: tuple[str, str] | None = None,
    height: int = 360,
) -> go.Figure:
    """Draw up to some thousand points: by group (colour and symbol) or by a number.

    Parameters
    ----------
    points : float array (n, 2)
    labels : int array (n,), optional
    values : float array (n,), optional
        Coloured along the sequential scale when there are no labels.
    centers : float array (K, 2), optional
        Drawn as large crosses.
    texts : sequence of str, optional
        One a point, told on hovering.
    axes : tuple of str, optional
        Names of the axes where they mean something; without them the axes are left out.
    """
    places, found = checked_map(points, labels)
    if not len(places):
        return empty("There are no points.", theme, height=height)
    colors = theme_of(theme)
    told = [escaped(text) for text in texts] if texts is not None else None
    figure = go.Figure()
    if labels is not None:
        _add_groups(figure, places, found, theme, None, told, grouped=True, symbols=True, size=7)
    else:
        numbers = None if values is None else np.asarray(values, dtype=np.float64)
        marker: dict[str, Any] = {
            "size": 6,
            "color": colors.accent if numbers is None else numbers,
            "opacity": 0.85,
        }
        if numbers is not None:
            marker |= {
                "colorscale": sequential_scale(theme),
                "colorbar": {
                    "title": {"text": escaped(value_name)},
                    "thickness": 8,
                    "outlinewidth": 0,
                    "tickfont": {"color": colors.quiet},
                },
            }
        figure.add_scatter(
            x=places[:, 0],
            y=places[:, 1],
            mode="markers",
            marker=marker,
            text=told,
            hovertemplate="%{text}<extra></extra>" if told else None,
            showlegend=False,
        )
    if centers is not None:
        middle = np.asarray(centers, dtype=np.float64)
        figure.add_scatter(
            x=middle[:, 0],
            y=middle[:, 1],
            mode="markers",
            name="centres",
            hoverinfo="skip",
            showlegend=False,
            marker={
                "symbol": "cross",
                "size": 11,
                "color": colors.ink,
                "line": {"width": 2, "color": colors.paper},
            },
        )
    _legend_beside(styled(figure, theme, height=height))
    if axes is None:
        return without_axes(figure)
    figure.update_xaxes(title_text=escaped(axes[0]), showgrid=True)
    figure.update_yaxes(title_text=escaped(axes[1]), showgrid=True)
    return figure


def _add_groups(
    figure: go.Figure,
    places: NDArray[np.float64],
    labels: NDArray[np.int64],
    theme: ThemeName,
    names: Sequence[str] | None,
    told: Sequence[str] | None,
    *,
    grouped: bool,
    symbols: bool = False,
    size: float | None = None,
) -> None:
    """Add one trace a group, unassigned items first so that they lie below."""
    n_clusters = int(labels.max(initial=-1)) + 1
    colors = cluster_colors(n_clusters, theme, group_middles(places, labels) if n_clusters > 20 else None)
    texts = np.array(told, dtype=object) if told is not None else None
    size = size or float(np.clip(150 / np.sqrt(len(places)), 3, 9))
    draw = go.Scatter if symbols else go.Scattergl
    for label in np.unique(labels).tolist():
        chosen = labels == label
        figure.add_trace(
            draw(
                x=places[chosen, 0],
                y=places[chosen, 1],
                mode="markers",
                marker={
                    "size": size,
                    "opacity": 0.85,
                    "color": (colors[label] if label >= 0 else theme_of(theme).line)
                    if grouped
                    else theme_of(theme).accent,
                    "symbol": cluster_symbol(label) if symbols or n_clusters > 8 else "circle",
                },
                text=texts[chosen] if texts is not None else None,
                name=f"{shortened(group_name(label, names))} ({int(chosen.sum()):,})",
                hovertemplate="%{text}<extra></extra>"
                if texts is not None
                else "%{fullData.name}<extra></extra>",
                showlegend=grouped,
            )
        )


def _legend_beside(figure: go.Figure) -> go.Figure:
    figure.update_layout(
        legend={"orientation": "v", "x": 1.0, "y": 1.0, "yanchor": "top", "itemsizing": "constant"}
    )
    return figure


def _number_groups(
    figure: go.Figure, places: NDArray[np.float64], labels: NDArray[np.int64], theme: ThemeName
) -> None:
    """Write each group's number in its middle, on a scrap of paper."""
    colors = theme_of(theme)
    shown = [label for label in np.unique(labels).tolist() if label >= 0]
    middles = group_middles(places, labels)
    for label in shown if len(shown) <= MOST_NUMBERED else ():
        x, y = middles[label]
        figure.add_annotation(
            x=x,
            y=y,
            text=f"<b>{group_number(label)}</b>",
            showarrow=False,
            font={"size": 13 if len(shown) <= 20 else 11, "color": colors.ink},
            bgcolor=translucent(colors.paper, 0.6),
            borderpad=1,
        )


def _told(
    n_items: int, items: pd.DataFrame | None, confidences: NDArray[np.float64] | None
) -> list[str] | None:
    """Return a few lines of metadata for each point, as text that is only text."""
    if items is None and confidences is None:
        return None
    lines: list[list[str]] = [[] for _ in range(n_items)]
    if items is not None:
        if len(items) != n_items:
            raise StudioError(
                f"There are {n_items} points but {len(items)} rows of metadata.",
                "Give one row a point, in order.",
            )
        first = [name for name in TOLD_FIRST if name in items.columns]
        rest = [name for name in items.columns if name not in {*first, "path", "aspect"}]
        for name in [*first, *rest][:MOST_TOLD]:
            for place, value in zip(lines, whole_numbers(items[name]).tolist(), strict=True):
                if not pd.isna(value):
                    place.append(
                        shortened(value, 60)
                        if name in TOLD_FIRST
                        else f"{escaped(name)}: {shortened(value, 40)}"
                    )
    if confidences is not None:
        for place, value in zip(lines, confidences.tolist(), strict=True):
            place.append(f"confidence {value:.2f}")
    return ["<br>".join(place) for place in lines]
