"""How a training went: losses, group sizes and changed labels over its epochs, from rows of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from clustering.charts.palette import (
    OKABE_ITO,
    ThemeName,
    cluster_colors,
    group_name,
    group_number,
    readable_on,
    theme_of,
)
from clustering.charts.style import empty, escaped, styled
from clustering.training.events import phase_in_words

Row = Mapping[str, Any]
LOG_FROM = 30  # times the smallest loss from which a linear axis would hide the end of the curve
NAME_HEIGHT = 18  # pixels of a phase's name
LETTERS = 48  # of such names that fit across a figure as narrow as on a phone
AROUND = 110  # pixels of a figure that its plot does not have
NAMED_FROM = 0.035  # share of a band in which its number still fits


def loss_curves(rows: Sequence[Row], theme: ThemeName = "light", *, height: int = 260) -> go.Figure:
    """Draw every loss term over the epochs, with a mark where a phase begins.

    Parameters
    ----------
    rows : sequence of dict
        Events of a fit as rows (`training.events.as_row`); rows that are no epochs are passed over.
    """
    epochs = _epochs(rows)
    if not epochs:
        return empty("The losses appear with the first epoch.", theme, height=height)
    terms = list(dict.fromkeys(term for row in epochs for term in row["losses"]))
    terms = [term for term in terms if term != "total" or len(terms) > 2]  # one term alone is the total
    colors = [color for color in OKABE_ITO if color != "#F0E442"]  # yellow lines vanish on paper
    figure = go.Figure()
    for index, term in enumerate(sorted(terms, key=lambda term: term == "total")):  # the total lies on top
        total = term == "total"
        figure.add_scatter(
            x=list(range(1, len(epochs) + 1)),
            y=[row["losses"].get(term) for row in epochs],
            name=escaped(term.replace("_", " ")),
            mode="lines+markers" if len(epochs) < 3 else "lines",
            line={
                "color": theme_of(theme).ink if total else colors[index % len(colors)],
                "width": 1 if total else 2,
                "dash": "solid" if total else ("solid", "dash", "dot")[index // len(colors) % 3],
            },
            connectgaps=False,
            hovertemplate="%{y:.4g}",
        )
    values = [value for row in epochs for value in row["losses"].values() if value is not None]
    logarithmic = values and min(values) > 0 and max(values) > LOG_FROM * min(values)
    figure.update_layout(hovermode="x unified")
    styled(figure, theme, height=height)
    figure.update_yaxes(
        type="log" if logarithmic else "linear",
        dtick=1 if logarithmic else None,
        showgrid=True,
        title_text="loss (log)" if logarithmic else "loss",
    )
    return _with_phases(figure, epochs, theme)


def size_curves(
    rows: Sequence[Row],
    theme: ThemeName = "light",
    *,
    names: Sequence[str] | None = None,
    colors: Sequence[str] | None = None,
    height: int = 260,
) -> go.Figure:
    """Draw each group's share of the items over the epochs, as stacked bands with their numbers at the end.

    Parameters
    ----------
    rows : sequence of dict
        Events of a fit as rows.
    names, colors : sequences of str, optional
        One a group; ``Group 1 …`` and `cluster_colors` by default.
    """
    epochs = _epochs(rows)
    n_clusters = max((len(row.get("cluster_sizes") or ()) for row in epochs), default=0)
    if not n_clusters:
        return empty("Group sizes appear once there are groups.", theme, height=height)
    colors = colors or cluster_colors(n_clusters, theme)
    sized: list[tuple[float, Sequence[int]]] = [
        (number, row["cluster_sizes"]) for number, row in enumerate(epochs, 1) if row.get("cluster_sizes")
    ]
    first, last = sized[0][0], sized[-1][0]
    if first == last:  # a band needs two ends
        sized = [(first - 0.4, sized[0][1]), (first + 0.4, sized[0][1])]
    figure = go.Figure()
    for label in range(n_clusters):
        sizes = [counts[label] if label < len(counts) else 0 for _, counts in sized]
        figure.add_scatter(
            x=[number for number, _ in sized],
            y=[100 * size / max(sum(counts), 1) for size, (_, counts) in zip(sizes, sized, strict=True)],
            customdata=sizes,
            stackgroup="groups",
            mode="lines",
            line={"width": 0.5, "color": theme_of(theme).paper},
            fillcolor=colors[label],
            name=escaped(group_name(label, names)),
            hovertemplate="%{customdata} items (%{y:.1f} %)",
            showlegend=False,
        )
    styled(figure, theme, height=height)
    _number_bands(figure, *sized[-1], colors)
    figure.update_layout(hovermode="x unified" if n_clusters <= 12 else "closest")
    figure.update_yaxes(range=[0, 100], title_text="share of items", ticksuffix=" %", nticks=5)
    return _with_phases(figure, epochs, theme, int(first))


def changed_curve(
    rows: Sequence[Row], theme: ThemeName = "light", *, tolerance: float | None = None, height: int = 180
) -> go.Figure:
    """Draw the share of items that changed their group since the last look.

    Parameters
    ----------
    rows : sequence of dict
        Events of a fit as rows.
    tolerance : float, optional
        Share (0 to 1) below which the fit stops; drawn as a dotted line.
    """
    epochs = _epochs(rows)
    points = [
        (number, row["changed"]) for number, row in enumerate(epochs, 1) if row.get("changed") is not None
    ]
    if not points:
        return empty("Changed labels appear once there are groups.", theme, height=height)
    accent = theme_of(theme).accent
    figure = go.Figure(
        go.Scatter(
            x=[number for number, _ in points],
            y=[100 * share for _, share in points],
            mode="lines+markers" if len(points) < 40 else "lines",
            line={"color": accent, "width": 2},
            marker={"size": 5, "color": accent},
            hovertemplate="epoch %{x}: %{y:.2f} % changed<extra></extra>",
        )
    )
    styled(figure, theme, height=height)
    if tolerance is not None:
        figure.add_hline(
            y=100 * tolerance,
            line={"dash": "dot", "width": 1, "color": theme_of(theme).quiet},
            annotation={"text": "stops here", "font": {"size": 11, "color": theme_of(theme).quiet}},
        )
    figure.update_yaxes(
        rangemode="tozero", ticksuffix=" %", showgrid=True, nticks=5, title_text="changed their group"
    )
    return _with_phases(figure, epochs, theme, points[0][0])


def figure_curves(rows: Sequence[Row], theme: ThemeName = "light") -> go.Figure:
    """Draw the numbers a method tells beside its losses, one line each; the more there are, the higher.

    Parameters
    ----------
    rows : sequence of dict
        Events of a fit as rows.
    """
    epochs = _epochs(rows)
    names = list(dict.fromkeys(name for row in epochs for name in row.get("figures") or ()))
    height = 160 + 24 * len(names)  # a phone's legend takes a line for each
    if not names:
        return empty("This method tells nothing beside its losses.", theme, height=height)
    colors = [color for color in OKABE_ITO if color != "#F0E442"]
    figure = go.Figure()
    for index, name in enumerate(names):
        figure.add_scatter(
            x=list(range(1, len(epochs) + 1)),
            y=[(row.get("figures") or {}).get(name) for row in epochs],
            name=escaped(name),
            mode="lines+markers" if len(epochs) < 40 else "lines",
            line={"color": colors[index % len(colors)], "width": 2},
            hovertemplate="%{y:.3f}",
        )
    styled(figure, theme, height=height)
    figure.update_layout(hovermode="x unified")
    figure.update_yaxes(showgrid=True, nticks=5, title_text=escaped(names[0]) if len(names) == 1 else None)
    return _with_phases(figure, epochs, theme)


def _epochs(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.get("kind") == "epoch"]


def _with_phases(figure: go.Figure, epochs: Sequence[Row], theme: ThemeName, first: int = 1) -> go.Figure:
    """Name the phases above the plot, which begins at epoch ``first``, and draw a thin line between them."""
    colors = theme_of(theme)
    starts = [
        (number, str(row["phase"]))
        for number, row in enumerate(epochs, 1)
        if number >= first and (number == first or row["phase"] != epochs[number - 2]["phase"])
    ]
    shown = len(epochs) - first + 1
    has_legend = sum(trace.showlegend is not False for trace in figure.data) > 1
    # however many lines the legend takes, it stands clear of the names of the phases
    figure.update_layout(
        margin_t=52 if has_legend else 26, legend_y=1 + NAME_HEIGHT / (figure.layout.height - AROUND)
    )
    free_from = 0.0  # the epoch where the last name ends; a phase that starts before gets a line alone
    for number, phase in starts:
        if number > first:
            figure.add_vline(x=number - 0.5, line={"width": 1, "color": colors.line})
        if number >= free_from:
            name = phase_in_words(phase)
            free_from = number + shown * len(name) / LETTERS
            figure.add_annotation(
                text=escaped(name),
                x=number - 0.5,
                y=1.0,
                yref="paper",
                xanchor="left",
                yanchor="bottom",
                showarrow=False,
                font={"size": 11, "color": colors.quiet},
            )
    figure.update_xaxes(
        range=[first - 0.5, len(epochs) + 0.5], title_text="epoch", nticks=6, dtick=1 if shown < 6 else None
    )
    return figure


def _number_bands(figure: go.Figure, end: float, sizes: Sequence[int], colors: Sequence[str]) -> None:
    below, everything = 0.0, max(sum(sizes), 1)
    for label, size in enumerate(sizes):
        share = size / everything
        if share >= NAMED_FROM:
            figure.add_annotation(
                text=str(group_number(label)),
                x=end,
                xshift=-2,
                y=100 * (below + share / 2),
                xanchor="right",
                showarrow=False,
                font={"size": 11, "color": readable_on(colors[label])},
            )
        below += share
