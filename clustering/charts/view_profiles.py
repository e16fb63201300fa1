"""An item's views as lines: its numbers in each, over what the middle half of the items have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from clustering.charts.palette import ThemeName, theme_of
from clustering.charts.style import escaped, styled

FEW = 12  # columns that are named below their line
LANE = 78  # pixels of one view


def view_profiles_figure(
    views: Sequence[tuple[str, NDArray[Any], NDArray[Any], NDArray[Any], Sequence[str]]], theme: ThemeName
) -> go.Figure:
    """Return one lane a view; of a view of few numbers each is drawn by the middle half of its own.

    Parameters
    ----------
    views : sequence of (name, values (d,), low (d,), high (d,), column names or none)
        ``low`` and ``high`` bound the middle half of the collection. Values of NaN: the item lacks the view.
    theme : {"light", "dark"}
    """
    ink = theme_of(theme)
    titles = [
        escaped(name if np.isfinite(values).any() else f"{name}: this item lacks it")
        for name, values, *_ in views
    ]
    figure = make_subplots(
        rows=len(views), cols=1, subplot_titles=titles, vertical_spacing=min(0.4 / max(1, len(views)), 0.16)
    )
    for row, (name, values, low, high, columns) in enumerate(views, 1):
        places = np.arange(len(low))
        shown = values
        if len(places) <= FEW:  # each column has a unit of its own: drawn by its own middle half
            middle, half = (low + high) / 2, np.where(high > low, (high - low) / 2, 1)
            shown, low, high = (values - middle) / half, -np.ones(len(low)), np.ones(len(low))
        named = [escaped(one) for one in columns] if columns else [f"number {at + 1}" for at in places]
        band = np.concatenate([low, high[::-1]])
        figure.add_scatter(
            x=np.concatenate([places, places[::-1]]), y=band, fill="toself", mode="lines", line={"width": 0},
            fillcolor=ink.line, hoverinfo="skip", row=row, col=1,
        )  # fmt: skip
        figure.add_scatter(
            x=places, y=shown, mode="lines" if len(places) > FEW else "lines+markers", name=name,
            line={"color": ink.accent, "width": 1.4}, text=named, customdata=values,
            hovertemplate="%{text}: %{customdata:.4g}<extra></extra>", row=row, col=1,
        )  # fmt: skip
        figure.update_xaxes(visible=False, row=row, col=1)
        figure.update_yaxes(showgrid=False, nticks=3, row=row, col=1)
    figure.update_annotations(x=0, xanchor="left", font={"size": 12, "color": ink.quiet})
    styled(figure, theme, height=LANE * len(views) + 20)
    figure.update_layout(showlegend=False, margin={"l": 44, "r": 8, "t": 20, "b": 4})
    return figure
