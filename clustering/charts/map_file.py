"""The map as a picture to print or publish: PNG or SVG, with its legend and where it comes from."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustering.charts.palette import (
    UNASSIGNED,
    Theme,
    ThemeName,
    cluster_colors,
    group_name,
    group_number,
    theme_of,
)
from clustering.charts.places import checked_map, group_middles

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")  # as palette.SYMBOLS
MARGIN = 0.025  # share of the picture left free on each side
SYMBOLS_FROM = 8  # groups above which colour alone no longer tells them apart
MOST_LISTED = 40  # groups in the legend; a note counts the others
LISTED_IN_A_COLUMN = 20
VECTORS_UP_TO = 20_000  # points drawn one by one in an SVG; more become a picture inside it


def map_picture(
    points: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    format: Literal["png", "svg"] = "png",
    theme: ThemeName = "light",
    names: Sequence[str] | None = None,
    colors: Sequence[str] | None = None,
    title: str = "",
    provenance: str = "",
    width: float = 10.0,
    dpi: int = 200,
) -> bytes:
    """Draw a map as a file.

    Parameters
    ----------
    points : float array (n, 2)
    labels : int array (n,), optional
        Groups; -1 is unassigned.
    format : {"png", "svg"}
    names, colors : sequences of str, optional
        One a group; by default ``Group 1 …`` and `cluster_colors`.
    title : str
        Above the map.
    provenance : str
        One line below it: method, seed, projection, trustworthiness. See `provenance_line`.
    width : float
        In inches.
    dpi : int
        Dots an inch in a PNG, and in the picture inside an SVG of many points.

    Returns
    -------
    bytes
        The content of the file. The same input gives the same bytes.

    Raises
    ------
    StudioError
        When the points are not (n, 2) or the labels do not belong to them.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    places, found = checked_map(points, labels)
    ink = theme_of(theme)
    # A name may hold $ or a script matplotlib's font lacks: text is only text, and SVG keeps it as text.
    style: dict[Any, Any] = {
        "text.parse_math": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "map",
        "font.family": "sans-serif",
    }
    with rc_context(style):
        figure = Figure(
            figsize=(width, 0.72 * width),
            facecolor=ink.paper,
            layout=ConstrainedLayoutEngine(rect=(MARGIN, MARGIN, 1 - 2 * MARGIN, 1 - 2 * MARGIN)),
        )
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.set_axis_off()
        axes.set_aspect("equal", adjustable="datalim")
        shades = list(
            colors or cluster_colors(int(found.max(initial=-1)) + 1, theme, group_middles(places, found))
        )
        _draw_groups(axes, places, found, shades, ink, grouped=labels is not None)
        if labels is not None and len(places):
            _draw_legend(axes, found, shades, names, ink)
        if title:
            axes.set_title(title, loc="left", color=ink.ink, fontfamily="serif", fontsize=15, pad=12)
        if provenance:
            figure.supxlabel(
                provenance, x=MARGIN, y=MARGIN, ha="left", color=ink.quiet, fontsize=8, wrap=True
            )
        file = io.BytesIO()
        metadata: dict[str, Any] = {"Title": title or "Map"}
        metadata |= {"Date": None} if format == "svg" else {"Software": "Deep Clustering Studio"}
        figure.savefig(file, format=format, dpi=dpi, facecolor=ink.paper, metadata=metadata)
    return file.getvalue()


def provenance_line(**parts: object) -> str:
    """Return facts as one line: ``provenance_line(method="DEC", seed=0)`` gives ``method DEC · seed 0``.

    Facts that are None or empty are left out; floats get three decimals.
    """
    said = {
        name.replace("_", " "): f"{value:.3f}" if isinstance(value, float) else str(value)
        for name, value in parts.items()
        if value is not None and value != ""
    }
    return " · ".join(f"{name} {value}" for name, value in said.items())


def _draw_groups(
    axes: Any,
    places: NDArray[np.float64],
    labels: NDArray[np.int64],
    colors: Sequence[str],
    ink: Theme,
    *,
    grouped: bool,
) -> None:
    size = float(np.clip(9000 / max(len(places), 1), 1.5, 26))
    for label in np.unique(labels).tolist():
        chosen = labels == label
        shade = colors[label] if label >= 0 else ink.line
        axes.scatter(
            places[chosen, 0],
            places[chosen, 1],
            s=size,
            marker=_marker(label, len(colors)),
            color=shade if grouped else ink.accent,
            alpha=0.85,
            linewidths=0,
            zorder=1 if label < 0 else 2,
            rasterized=len(places) > VECTORS_UP_TO,
        )
    if not grouped:
        return
    from matplotlib.patheffects import withStroke

    middles = group_middles(places, labels)
    for label in np.unique(labels[labels >= 0]).tolist():
        x, y = middles[label]
        axes.text(
            x,
            y,
            str(group_number(label)),
            color=ink.ink,
            fontsize=10 if len(colors) <= 20 else 8,
            fontweight="bold",
            ha="center",
            va="center",
            path_effects=[withStroke(linewidth=2.5, foreground=ink.paper)],
            zorder=3,
        )


def _draw_legend(
    axes: Any, labels: NDArray[np.int64], colors: Sequence[str], names: Sequence[str] | None, ink: Theme
) -> None:
    from matplotlib.lines import Line2D

    shown = sorted(np.unique(labels).tolist(), key=lambda label: (label == UNASSIGNED, label))
    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            marker=_marker(label, len(colors)),
            markersize=6,
            markeredgewidth=0,
            color=colors[label] if label >= 0 else ink.line,
            label=_listed(label, labels, names),
        )
        for label in shown[:MOST_LISTED]
    ]
    if len(shown) > MOST_LISTED:
        handles.append(Line2D([], [], linestyle="", label=f"and {len(shown) - MOST_LISTED} more groups"))
    axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize=8,
        labelcolor=ink.ink,
        ncols=1 + (len(handles) - 1) // LISTED_IN_A_COLUMN,
        handletextpad=0.3,
        columnspacing=1.0,
    )


def _listed(label: int, labels: NDArray[np.int64], names: Sequence[str] | None) -> str:
    name = " ".join(group_name(label, names).split())
    own = label >= 0 and name != group_name(
        label
    )  # a given name needs its number beside it, to find it on the map
    name = name if len(name) <= 36 else name[:35].rstrip() + "…"
    return f"{f'{group_number(label)}  ' if own else ''}{name} ({int((labels == label).sum()):,})"


def _marker(label: int, n_clusters: int) -> str:
    return MARKERS[label % len(MARKERS)] if label >= 0 and n_clusters > SYMBOLS_FROM else "o"
