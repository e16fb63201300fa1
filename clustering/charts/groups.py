"""What the groups are like: their sizes, how sure the method is, how well they hold together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from clustering.charts.palette import (
    ThemeName,
    cluster_colors,
    cluster_glyph,
    group_name,
    group_number,
    theme_of,
    translucent,
)
from clustering.charts.style import empty, escaped, named_rows, shortened, styled, width_of

BAR_HEIGHT = 26  # pixels a row of bars
MANY_HEIGHT = 18  # the same for more than twenty
UNDER = 50  # pixels under a chart for the ticks and the title of its x axis
MOST_BLADE_POINTS = 400  # a group in the silhouette plot; more would not show


def cluster_sizes(
    labels: ArrayLike,
    theme: ThemeName = "light",
    *,
    n_clusters: int | None = None,
    names: Sequence[str] | None = None,
    colors: Sequence[str] | None = None,
) -> go.Figure:
    """Draw how many items each group holds, as bars with the count at their end.

    Parameters
    ----------
    labels : int array (n,)
        -1 is unassigned, shown last in grey.
    n_clusters : int, optional
        Groups there are, when some may be empty.
    """
    found = np.asarray(labels, dtype=np.int64).ravel()
    if not len(found):
        return empty("There are no items yet.", theme)
    count = max(int(found.max()) + 1, n_clusters or 0)
    colors = list(colors or cluster_colors(count, theme))
    shown = list(range(count)) + ([-1] if (found < 0).any() else [])
    sizes = [int((found == label).sum()) for label in shown]
    whole = [escaped(group_name(label, names)) for label in shown]
    figure = go.Figure(
        go.Bar(
            x=sizes,
            y=list(range(len(shown))),
            orientation="h",
            marker={"color": [colors[label] if label >= 0 else theme_of(theme).line for label in shown]},
            text=[f"{size:,}" for size in sizes],
            textposition="outside",
            cliponaxis=False,
            customdata=[[name, 100 * size / len(found)] for name, size in zip(whole, sizes, strict=True)],
            hovertemplate="%{customdata[0]}: %{x:,} items (%{customdata[1]:.1f} %)<extra></extra>",
        )
    )
    styled(figure, theme, height=40 + (BAR_HEIGHT if len(shown) <= 20 else MANY_HEIGHT) * len(shown))
    figure.update_layout(margin={"t": 8, "r": 48})
    figure.update_xaxes(visible=False, range=[0, max(sizes) * 1.02 or 1])
    rows = [f"{shortened(group_name(label, names))} {cluster_glyph(label)}" for label in shown]
    named_rows(figure, rows, range(len(rows))).update_yaxes(autorange="reversed")
    return figure


def confidence_histogram(
    confidences: ArrayLike, n_clusters: int, theme: ThemeName = "light", *, height: int = 240
) -> go.Figure:
    """Draw how sure the method is of its items: the largest soft assignment of each.

    Parameters
    ----------
    confidences : float array (n,)
        From 1/K to 1.
    n_clusters : int
        K; a dotted line marks 1/K, where an item belongs to every group alike.
    """
    values = np.asarray(confidences, dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    if not len(values):
        return empty("There are no confidences.", theme, height=height)
    counts, edges = np.histogram(values, bins=40, range=(0.0, 1.0))
    colors = theme_of(theme)
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=0.025,
            marker={"color": translucent(colors.accent, 0.75), "line": {"color": colors.paper, "width": 1}},
            customdata=np.stack([edges[:-1], edges[1:]], axis=1),
            hovertemplate="%{customdata[0]:.3f} to %{customdata[1]:.3f}: %{y:,} items<extra></extra>",
        )
    )
    styled(figure, theme, height=height)
    figure.add_vline(
        x=1 / max(n_clusters, 1),
        line={"dash": "dot", "width": 1, "color": colors.quiet},
        annotation={
            "text": f"undecided (1/{n_clusters})",
            "font": {"size": 11, "color": colors.quiet},
            "yanchor": "bottom",
            "xanchor": "left" if n_clusters > 1 else "right",
            "y": 1.0,
        },
    )
    figure.update_layout(margin={"l": 44 + round(width_of(str(counts.max()))), "b": UNDER})
    figure.update_xaxes(
        range=[0, 1],
        title_text="confidence (largest soft assignment)",
        tickformat=".1f",
        automargin=False,
    )
    figure.update_yaxes(title_text="items", showgrid=True, nticks=5, automargin=False)
    return figure


def silhouette_plot(
    values: ArrayLike,
    labels: ArrayLike,
    theme: ThemeName = "light",
    *,
    space: str = "features",
    names: Sequence[str] | None = None,
    colors: Sequence[str] | None = None,
    height: int | None = None,
) -> go.Figure:
    """Draw the silhouette of every item, sorted within its group (Rousseeuw 1987).

    Parameters
    ----------
    values : float array (n,)
        From -1 (nearer to another group) to 1.
    labels : int array (n,)
        Items with -1 or without a value are left out.
    space : str
        Where the distances were taken; named under the axis.
    """
    width, found = np.asarray(values, dtype=np.float64).ravel(), np.asarray(labels, dtype=np.int64).ravel()
    kept = np.isfinite(width) & (found >= 0)
    width, found = width[kept], found[kept]
    if not len(found):
        return empty("There are no silhouettes: it takes two groups.", theme)
    shown = np.unique(found)
    colors = list(colors or cluster_colors(int(found.max()) + 1, theme))
    gap = 0.012 * len(found)
    figure, base, ticks = go.Figure(), 0.0, []
    for label in shown.tolist():
        blade = np.sort(width[found == label])[::-1]
        picked = _thinned(blade)
        name = escaped(group_name(label, names))
        figure.add_scatter(
            x=blade[picked],
            y=base + picked,
            mode="lines",
            fill="tozerox",
            fillcolor=translucent(colors[label], 0.85),
            line={"width": 0.75, "color": colors[label]},
            showlegend=False,
            hovertemplate=f"{name}: mean {blade.mean():.2f}, {(blade < 0).mean():.0%} below 0"
            f" ({len(blade):,} items)<extra></extra>",
        )
        ticks.append((base + len(blade) / 2, label))
        base += len(blade) + gap
    styled(figure, theme, height=height or int(np.clip(60 + 26 * len(shown), 240, 900)))
    mean = float(width.mean())
    figure.add_vline(
        x=mean,
        line={"dash": "dot", "width": 1, "color": theme_of(theme).ink},
        annotation={
            "text": f"mean {mean:.2f}",
            "font": {"size": 11, "color": theme_of(theme).quiet},
            "y": 1.0,
            "yanchor": "bottom",
        },
    )
    figure.add_vline(x=0, line={"width": 1, "color": theme_of(theme).line})
    figure.update_xaxes(title_text=f"silhouette in the space of {escaped(space)}", tickformat=".1f")
    rows = [
        f"{shortened(group_name(label, names))} {cluster_glyph(label)}"
        if len(ticks) <= 24
        else str(group_number(label))
        for _, label in ticks
    ]
    return named_rows(figure, rows, [place for place, _ in ticks], below=UNDER).update_yaxes(
        range=[base, -gap]
    )


def assignment_bars(
    assignments: ArrayLike,
    theme: ThemeName = "light",
    *,
    names: Sequence[str] | None = None,
    colors: Sequence[str] | None = None,
    most: int = 6,
) -> go.Figure:
    """Draw one item's soft assignment: the likeliest groups as bars, the rest together.

    Parameters
    ----------
    assignments : float array (K,)
        Sums to 1.
    most : int
        Groups shown by name.
    """
    shares = np.asarray(assignments, dtype=np.float64).ravel()
    if not len(shares):
        return empty("This item has no soft assignment.", theme, height=80)
    colors = list(colors or cluster_colors(len(shares), theme))
    order = np.argsort(-shares, kind="stable")
    shown = order[:most] if len(shares) > most + 1 else order
    rows = [
        (f"{shortened(group_name(label, names))} {cluster_glyph(label)}", float(shares[label]), colors[label])
        for label in shown.tolist()
    ]
    if len(shown) < len(shares):
        rest = float(shares.sum() - shares[shown].sum())
        rows.append((f"{len(shares) - len(shown)} others", max(rest, 0.0), theme_of(theme).line))
    figure = go.Figure(
        go.Bar(
            x=[share for _, share, _ in rows],
            y=list(range(len(rows))),
            orientation="h",
            marker={"color": [color for *_, color in rows]},
            text=[f"{share:.2f}" if share >= 0.005 else "< 0.01" for _, share, _ in rows],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    styled(figure, theme, height=16 + BAR_HEIGHT * len(rows))
    figure.update_layout(margin={"t": 4, "b": 4, "r": 44})
    figure.update_xaxes(visible=False, range=[0, 1])
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[name for name, *_ in rows], autorange="reversed"
    )
    return figure


def _thinned(blade: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return evenly spaced places in a sorted blade, its ends among them."""
    return np.unique(np.linspace(0, len(blade) - 1, min(len(blade), MOST_BLADE_POINTS)).astype(np.int64))
