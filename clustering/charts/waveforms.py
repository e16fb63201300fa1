"""A window of a series as a chart: one lane a channel, in the colours of its small picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from clustering.charts.palette import ThemeName, theme_of
from clustering.charts.style import escaped, styled
from clustering.collections.waveforms import LINE, PAPER, colour_of, lanes_of

LANE = 74  # pixels high
LEAST, MOST = 220, 620
HEAD = 64  # pixels for the names and the axis


def window_figure(
    window: NDArray[Any],
    about: Mapping[str, Any],
    theme: ThemeName = "light",
    *,
    band: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> go.Figure:
    """Draw a window; with a band, what others like it do.

    All windows of a collection are drawn between the same values, on white as their pictures are.

    Parameters
    ----------
    window : array (steps, channels)
    about : mapping
        ``channels``, ``rate`` (samples a second, or None), ``low`` and ``high`` of each channel.
    theme : {"light", "dark"}
    band : pair of arrays (steps, channels), optional
        Between which values lies, say, the middle half of a group.
    """
    rate = about.get("rate")
    moments = np.arange(len(window)) / (rate or 1)
    lanes = lanes_of(window.shape[1])
    figure = go.Figure()
    for channel, lane in enumerate(lanes):
        name, axis = escaped(str(about["channels"][channel])), f"y{lane + 1}" if lane else "y"
        shared = {"yaxis": axis, "legendgroup": name, "name": name}
        if band is not None:
            figure.add_scatter(
                x=np.r_[moments, moments[::-1]], y=np.r_[band[0][:, channel], band[1][::-1, channel]],
                fill="toself", fillcolor=colour_of(channel), opacity=0.18, line={"width": 0}, mode="lines",
                hoverinfo="skip", showlegend=False, **shared,
            )  # fmt: skip
        figure.add_scatter(
            x=moments, y=window[:, channel], mode="lines", line={"color": colour_of(channel), "width": 1.6},
            hovertemplate=f"{name}: %{{y:.4g}} at %{{x:.4g}}<extra></extra>", **shared,
        )  # fmt: skip
    count = max(lanes) + 1
    styled(figure, theme, height=int(np.clip(HEAD + LANE * count, LEAST, MOST)))
    for lane in range(count):
        low, high = _limits(window, about, band, [one for one, where in enumerate(lanes) if where == lane])
        top = 1 - lane / count
        figure.update_layout({
            f"yaxis{lane + 1 if lane else ''}": {
                "domain": [top - 0.94 / count, top], "range": [low, high], "nticks": 4, "gridcolor": LINE,
                "showgrid": False, "zeroline": False, "automargin": True,
                "tickfont": {"color": theme_of(theme).quiet, "size": 11},
            }
        })  # fmt: skip
    figure.update_layout(plot_bgcolor=PAPER, showlegend=True)
    figure.update_xaxes(title_text="seconds" if rate else "steps", anchor="free", position=0)
    return figure


def _limits(
    window: NDArray[Any],
    about: Mapping[str, Any],
    band: tuple[NDArray[Any], NDArray[Any]] | None,
    channels: list[int],
) -> tuple[float, float]:
    """Return between which values a lane is drawn: those of the collection, wider where this window is."""
    shown = [window[:, channels], *((band[0][:, channels], band[1][:, channels]) if band else ())]
    low = min(*(float(values.min()) for values in shown), *(about["low"][one] for one in channels))
    high = max(*(float(values.max()) for values in shown), *(about["high"][one] for one in channels))
    room = 0.06 * (high - low or 1)
    return low - room, high + room
