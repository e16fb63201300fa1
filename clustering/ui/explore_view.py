"""What the Explore page shows, worked out from arrays and tables: columns, filters, colours. No Streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.charts.palette import ThemeName, cluster_colors, sequential_scale
from clustering.ui.captions import HIDDEN, shown
from clustering.ui.groups import Groups
from clustering.ui.latent_map.legend import RAMP_STEPS, Legend, ramp_codes

MOST_VALUES = 200  # distinct values of a column that can be filtered or coloured by
MOST_COLOURED = 60  # values that get a colour of their own; the rest stay grey
WHOLE = (0.0, 1.0)  # a share that is not narrowed
FEW_NUMBERS = 12  # whole numbers with fewer distinct values are taken for groups
BY_GROUP, BY_CONFIDENCE, BY_TRUST = "Group", "Confidence", "Trust in this place"
BY_LABEL = "label by hand"  # the column that labels given by hand make
BY_CUT = "Cut of the tree"  # groups, but not those of the run


@dataclass(frozen=True)
class Column:
    """A metadata column one can filter and colour by."""

    name: str
    kind: Literal["values", "numbers"]
    low: float = 0.0
    high: float = 0.0
    whole: bool = False  # only whole numbers


@dataclass(frozen=True)
class Filters:
    """What a person wants to see; empty means everything.

    Parameters
    ----------
    values : mapping of column to chosen values
    ranges : mapping of column to (low, high)
        Items without a number are out as soon as a range is set.
    groups : sequence of int
    confidence, trust : (low, high)
        0..1. Trust is the share of an item's neighbours that are its neighbours on the map too.
    """

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    groups: Sequence[int] = ()
    confidence: tuple[float, float] = WHOLE
    trust: tuple[float, float] = WHOLE

    @property
    def active(self) -> int:
        """How many filters are set."""
        return (
            sum(map(bool, self.values.values()))
            + len(self.ranges)
            + bool(self.groups)
            + (self.confidence != WHOLE)
            + (self.trust != WHOLE)
        )


def columns_of(items: pd.DataFrame) -> list[Column]:
    """Return the columns one can filter and colour by, in the table's order."""
    found = []
    for name in map(str, items.columns):
        if name in HIDDEN:
            continue
        column = items[name]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            known = pd.to_numeric(column, errors="coerce").dropna().to_numpy(dtype=np.float64)
            known = known[np.isfinite(known)]
            distinct = len(np.unique(known[:100_000]))
            whole = bool(np.all(known == np.round(known)))
            if distinct < 2:
                continue
            if not (whole and distinct <= FEW_NUMBERS and 2 * distinct <= len(known)):
                found.append(Column(name, "numbers", float(known.min()), float(known.max()), whole))
                continue
        elif not _splits(column):
            continue
        if not any(one.kind == "values" and _same_split(items[one.name], column) for one in found):
            found.append(Column(name, "values"))
    return found


def _splits(column: pd.Series) -> bool:
    """Say whether a column sorts items into groups; one whose values are all different names them instead."""
    distinct = column.nunique(dropna=True)
    return 2 <= distinct <= MOST_VALUES and distinct < column.count()


def _same_split(first: pd.Series, second: pd.Series) -> bool:
    """Say whether two columns tell the same items apart, as a name and its spelling for addresses do."""
    one, two = pd.factorize(first)[0], pd.factorize(second)[0]
    pairs = np.unique(np.stack([one, two]), axis=1).shape[1]
    return pairs == len(np.unique(one)) == len(np.unique(two))


def as_text(column: pd.Series) -> NDArray[np.object_]:
    """Return a column's values as text, missing ones as an empty string, shape (n,)."""
    codes, values = pd.factorize(column, use_na_sentinel=True)
    words = np.array([*(shown(value) for value in values), ""], dtype=object)
    return np.asarray(words[codes], dtype=object)


def masks_of(
    items: pd.DataFrame, filters: Filters, groups: Groups, trust: NDArray[np.float32] | None = None
) -> dict[str, NDArray[np.bool_]]:
    """Return which items each set filter lets through, by its name; shape (n,) each.

    Without ``trust`` (a map whose points were not measured) its filter lets everything through.
    """
    masks: dict[str, NDArray[np.bool_]] = {}
    for name, chosen in filters.values.items():
        if chosen and name in items.columns:
            masks[name] = np.isin(as_text(items[name]), np.array(list(chosen), dtype=object))
    for name, (low, high) in filters.ranges.items():
        if name in items.columns:
            numbers = pd.to_numeric(items[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
            with np.errstate(invalid="ignore"):
                masks[name] = (numbers >= low) & (numbers <= high)
    if filters.groups:
        masks["group of the run"] = np.isin(groups.labels, list(filters.groups))
    shares = {"confidence of the run": (filters.confidence, groups.confidence)}
    if trust is not None:
        shares["trust in the map"] = (filters.trust, trust)
    for name, ((low, high), values) in shares.items():
        if (low, high) != WHOLE:
            masks[name] = (values >= low) & (values <= high)  # what was not measured (NaN) is left out
    return masks


def visible_items(masks: Mapping[str, NDArray[np.bool_]], n: int, without: str = "") -> NDArray[np.bool_]:
    """Return which items pass all filters, or all but one, shape (n,)."""
    passed = np.ones(n, dtype=bool)
    for name, mask in masks.items():
        if name != without:
            passed &= mask
    return passed


def value_counts(column: pd.Series, passed: NDArray[np.bool_]) -> dict[str, int]:
    """Return how many of the passed items hold each value; numbers in order, other values by frequency."""
    codes, values = pd.factorize(column, use_na_sentinel=True)
    counts = np.bincount(codes[passed & (codes >= 0)], minlength=len(values)).tolist()
    numeric = pd.api.types.is_numeric_dtype(column)
    order = sorted(
        range(len(values)), key=lambda at: values[at] if numeric else (-counts[at], str(values[at]))
    )
    return {shown(values[at]): counts[at] for at in order}


def colouring(
    choice: str,
    items: pd.DataFrame,
    columns: Sequence[Column],
    groups: Groups,
    theme: ThemeName,
    palette: str = "auto",
    trust: NDArray[np.float32] | None = None,
) -> tuple[Legend, NDArray[np.int64]]:
    """Return the legend and the code of each item when the map is coloured by ``choice``.

    Trust is coloured from none to all neighbours on every map, so that maps can be compared by eye.
    """
    column = next((one for one in columns if one.name == choice), None)
    if choice == BY_TRUST and trust is not None:
        codes, _, _ = ramp_codes(trust, WHOLE)
        legend = _ramp(BY_TRUST, "no neighbour kept", "all kept", theme)
        return replace(legend, missing="Not measured", share=True), codes
    if choice == BY_CONFIDENCE:
        codes, low, high = ramp_codes(groups.confidence)
        return _ramp("Confidence", f"{low:.0%}", f"{high:.0%}", theme), codes
    if column is None:
        legend = Legend(
            title=BY_CUT if choice == BY_CUT else BY_GROUP,
            colours=groups.colours(theme, palette),
            names=groups.names,
            medoids=groups.medoids,
            shapes=8 < groups.count <= 20,
        )
        return legend, groups.labels
    if column.kind == "numbers":
        numbers = pd.to_numeric(items[column.name], errors="coerce").to_numpy(
            dtype=np.float64, na_value=np.nan
        )
        codes, low, high = ramp_codes(numbers)
        return _ramp(column.name, _number(low), _number(high), theme), codes
    return _by_value(column.name, items[column.name], theme)


def _by_value(name: str, column: pd.Series, theme: ThemeName) -> tuple[Legend, NDArray[np.int64]]:
    counts = value_counts(column, np.ones(len(column), dtype=bool))
    coloured = list(counts)[:MOST_COLOURED]
    place = {value: code for code, value in enumerate(coloured)}
    codes = np.array([place.get(value, -1) for value in as_text(column)], dtype=np.int64)
    legend = Legend(
        title=name,
        colours=cluster_colors(len(coloured), theme),
        names=coloured,
        shapes=8 < len(coloured) <= 20,
        labels=False,
        missing="Other or unknown" if len(counts) > MOST_COLOURED else "Unknown",
    )
    return legend, codes


def _ramp(title: str, low: str, high: str, theme: ThemeName) -> Legend:
    stops = [tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5)) for _, colour in sequential_scale(theme)]
    places = np.linspace(0, len(stops) - 1, RAMP_STEPS)
    parts = [np.interp(places, range(len(stops)), [stop[part] for stop in stops]) for part in range(3)]
    colours = [f"#{round(r):02X}{round(g):02X}{round(b):02X}" for r, g, b in zip(*parts, strict=True)]
    return Legend(title=title, colours=colours, labels=False, low=low, high=high, missing="Unknown")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.3g}"


def space_words(space: str) -> str:
    """Return what a map's space is called by a person."""
    return "latent space" if space == "latent" else "features"


def honesty_figures(quality: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Return the three figures under a map as (title, value, explanation)."""
    wanted = {
        "trustworthiness": "Of what lies close on the map, how much is close in truth",
        "continuity": "Of what is close in truth, how much lies close on the map",
        "neighbour_recall": "Share of true nearest neighbours that are neighbours on the map",
    }
    found = {str(figure.get("name")): figure for figure in quality}
    return [
        (str(found[name].get("title", name)), f"{float(found[name]['value']):.2f}", words)
        for name, words in wanted.items()
        if name in found and found[name].get("value") is not None
    ]
