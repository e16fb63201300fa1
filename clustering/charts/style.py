"""Paper and ink for plotly: one look for every chart, in both themes, and text that is always only text."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from clustering.charts.palette import ThemeName, theme_of

SANS = '"Source Sans 3", "Source Sans Pro", "Source Sans", Helvetica, Arial, sans-serif'
LONGEST = 28  # characters of a name on an axis or in a legend; hovering shows it whole


def styled(figure: go.Figure, theme: ThemeName = "light", *, height: int | None = None) -> go.Figure:
    """Give a figure the studio's look: no box, quiet axes, ink text, clear ground. Changes and returns it.

    Parameters
    ----------
    figure : plotly figure
    theme : {"light", "dark"}
    height : int, optional
        In pixels; the width follows the page.
    """
    colors = theme_of(theme)
    figure.update_layout(
        template=None,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": SANS, "size": 13, "color": colors.ink},
        margin={"l": 8, "r": 12, "t": 36, "b": 8},
        height=height or figure.layout.height or 320,
        hoverlabel={
            "bgcolor": colors.surface,
            "bordercolor": colors.line,
            "font": {"family": SANS, "color": colors.ink, "size": 13},
            "align": "left",
        },
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "yanchor": "bottom",
            "font": {"color": colors.quiet, "size": 12},
        },
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": colors.quiet, "activecolor": colors.accent},
        hovermode=figure.layout.hovermode or "closest",
        bargap=0.25,
    )
    axis: dict[str, Any] = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "automargin": True,
        "tickfont": {"color": colors.quiet, "size": 12},
        "title_font": {"color": colors.quiet, "size": 12},
        "title_standoff": 8,
        "ticklabelstandoff": 5,
        "gridcolor": colors.line,
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    figure.update_annotations(font_family=SANS)
    return figure


def named_rows(
    figure: go.Figure, texts: Iterable[str], places: Iterable[float], *, below: int = 8
) -> go.Figure:
    """Name the rows of a figure and leave as much room as that takes. Changes and returns it.

    A browser that has to find the margins by itself lays out the whole chart several times over.

    Parameters
    ----------
    texts : iterable of str
        Names as plotly shows them, escaped.
    places : iterable of float
        Where on the y axis each stands.
    below : int
        Pixels under the rows, for the ticks and the title of the x axis.
    """
    shown = list(texts)
    figure.update_layout(margin_l=18 + round(max(map(width_of, shown), default=0)), margin_b=below)
    figure.update_xaxes(automargin=False)
    return figure.update_yaxes(tickvals=list(places), ticktext=shown, automargin=False)


def width_of(text: str) -> float:
    """Return about how many pixels a name takes at 12 pixels' height; rather too many than too few."""
    return sum(map(_letter_width, html.unescape(re.sub("<[^>]*>", "", text))))


def _letter_width(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 12.5
    if letter in "MWmw@%" or not letter.isascii():
        return 10.5
    return 7.6 if letter.isupper() else 6.5


def without_axes(figure: go.Figure) -> go.Figure:
    """Take the axes off a map, where they mean nothing, and keep its proportions. Changes and returns it."""
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x", scaleratio=1)
    return figure


def empty(sentence: str, theme: ThemeName = "light", *, height: int = 160) -> go.Figure:
    """Return a figure that only says why there is nothing to draw."""
    figure = go.Figure()
    figure.add_annotation(
        text=escaped(sentence),
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        font={"color": theme_of(theme).quiet, "size": 13},
    )
    return without_axes(styled(figure, theme, height=height))


def escaped(text: Any) -> str:
    """Return text as plotly shows it letter by letter: a title may hold tags, and plotly obeys some."""
    return html.escape(" ".join(str(text).split()), quote=False)


def whole_numbers(column: pd.Series) -> pd.Series:
    """Return a column whose whole numbers read as such: 1900, not 1900.0, where another year is missing."""
    if not pd.api.types.is_float_dtype(column):
        return column
    known = column.dropna()
    return column.astype("Int64") if (known % 1 == 0).all() and (known.abs() < 2**53).all() else column


def shortened(text: Any, longest: int = LONGEST) -> str:
    """Return text cut to ``longest`` characters, escaped."""
    plain = " ".join(str(text).split())
    return escaped(plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…")
