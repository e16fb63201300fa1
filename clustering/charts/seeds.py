"""How alike several seeds of one run are, group by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from clustering.charts.groups import BAR_HEIGHT, MANY_HEIGHT
from clustering.charts.palette import ThemeName, cluster_colors, cluster_glyph, group_name, theme_of
from clustering.charts.style import empty, escaped, named_rows, shortened, styled
from clustering.metrics.stability import DOUBTFUL, STABLE


def recovery_bars(
    recovered: Mapping[int, float],
    theme: ThemeName = "light",
    *,
    names: Sequence[str] | None = None,
    colors: Sequence[str] | None = None,
) -> go.Figure:
    """Draw how well each group is found again by other seeds, as bars from 0 to 1 with two marks.

    Parameters
    ----------
    recovered : dict of int to float
        Group → its mean Jaccard overlap with the best counterpart in each other seed.
    names, colors : sequences of str, optional
        One a group; ``Group 1 …`` and `cluster_colors` by default.
    """
    if not recovered:
        return empty("There are no groups to find again.", theme)
    shown = sorted(recovered)
    colors = list(colors or cluster_colors(shown[-1] + 1, theme))
    values = [float(recovered[label]) for label in shown]
    quiet = theme_of(theme).quiet
    figure = go.Figure(
        go.Bar(
            x=values,
            y=list(range(len(shown))),
            orientation="h",
            marker={"color": [colors[label] for label in shown]},
            text=[f"{value:.2f}" for value in values],
            textposition="outside",
            cliponaxis=False,
            customdata=[escaped(group_name(label, names)) for label in shown],
            hovertemplate="%{customdata}: %{x:.3f}<extra></extra>",
        )
    )
    styled(figure, theme, height=56 + (BAR_HEIGHT if len(shown) <= 20 else MANY_HEIGHT) * len(shown))
    figure.update_layout(margin={"t": 24, "r": 40})
    for place, word, side in ((DOUBTFUL, "doubtful", "right"), (STABLE, "stable", "left")):
        figure.add_vline(x=place, line={"dash": "dot", "width": 1, "color": quiet}, layer="below")
        figure.add_annotation(
            x=place,
            y=1,
            yref="paper",
            yanchor="bottom",
            xanchor=side,
            text=f"◂ {word}" if side == "right" else f"{word} ▸",
            showarrow=False,
            font={"size": 11, "color": quiet},
        )
    figure.update_xaxes(visible=False, range=[0, 1.02])
    rows = [f"{shortened(group_name(label, names))} {cluster_glyph(label)}" for label in shown]
    named_rows(figure, rows, range(len(rows))).update_yaxes(autorange="reversed")
    return figure
