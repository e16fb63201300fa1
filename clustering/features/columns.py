"""Columns of a table as learned from a collection: the same numbers for its rows and for new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.words import several

if TYPE_CHECKING:
    import pandas as pd

Columns = list[tuple[str, NDArray[np.float32]]]
Scaling = Literal["standardise", "robust", "none"]


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers or moments.

    Parameters
    ----------
    fill : float
        The median, which stands for a missing value.
    scale : (largest, middle, spread) or None
        x becomes (x / largest − middle) / spread; None where the known values are all equal.
    flagged : bool
        Whether a column of its own says where a value was missing.
    origin : Timestamp or None
        The first moment, from which seconds are counted.
    """

    name: str
    fill: float
    scale: tuple[float, float, float] | None
    flagged: bool
    origin: pd.Timestamp | None = None

    def columns(self, column: pd.Series) -> Columns:
        """Return the feature columns of some rows."""
        values = numbers_of(column, self.origin)
        missing = ~np.isfinite(values)
        found: Columns = []
        if self.scale is not None:
            largest, middle, spread = self.scale
            filled = np.where(missing, self.fill, values)
            # divided first, so that neither huge nor tiny numbers lose their deviation
            found.append((self.name, ((filled / largest - middle) / spread).astype(np.float32)))
        if self.flagged:
            found.append((f"{self.name} is missing", missing.astype(np.float32)))
        return found


@dataclass(frozen=True)
class CategoryColumn:
    """A column of words: one column a frequent word, one for the rest, one for none."""

    name: str
    kinds: tuple[str, ...]
    other: bool
    flagged: bool

    def columns(self, column: pd.Series) -> Columns:
        """Return the feature columns of some rows."""
        missing = column.isna().to_numpy()
        texts = column.astype(str).to_numpy(dtype=object)
        found: Columns = [
            (f"{self.name} = {kind}", ((texts == kind) & ~missing).astype(np.float32)) for kind in self.kinds
        ]
        if self.other:
            rest = ~missing & ~np.isin(texts.astype(str), self.kinds)
            found.append((f"{self.name} = other", rest.astype(np.float32)))
        if self.flagged:
            found.append((f"{self.name} is missing", missing.astype(np.float32)))
        return found


LearnedColumn = NumberColumn | CategoryColumn


def learned_column(
    name: str, column: pd.Series, scaling: Scaling, max_categories: int, flag_missing: bool
) -> tuple[LearnedColumn | None, str]:
    """Return how a column becomes numbers, and what was met; or None and why it is left out.

    Raises
    ------
    StudioError
        When numbers are too large to be taken as they are.
    """
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        return _numbers(name, column, scaling, flag_missing, column.min())
    if any(
        fits(column)
        for fits in (
            pd.api.types.is_bool_dtype,
            pd.api.types.is_numeric_dtype,
            pd.api.types.is_timedelta64_dtype,
        )
    ):
        return _numbers(name, column, scaling, flag_missing, None)
    return _categories(name, column, max_categories)


def numbers_of(column: pd.Series, origin: pd.Timestamp | None = None) -> NDArray[np.float64]:
    """Return a column's values as float64, spans of time in seconds; NaN where there is none."""
    import pandas as pd

    if origin is not None and pd.api.types.is_datetime64_any_dtype(column):
        column = column - origin
    if pd.api.types.is_timedelta64_dtype(column):
        column = column.dt.total_seconds()
    return np.asarray(column.astype("Float64").to_numpy(np.float64, na_value=np.nan), dtype=np.float64)


def _numbers(
    name: str, column: pd.Series, scaling: Scaling, flag_missing: bool, origin: pd.Timestamp | None
) -> tuple[LearnedColumn | None, str]:
    values = numbers_of(column, origin)
    missing = ~np.isfinite(values)
    present = values[~missing]
    if not len(present):
        return None, "hold no value at all"
    varies = np.ptp(present) > 0
    flagged = bool(missing.any()) and flag_missing
    if not varies and not flagged:
        return None, "hold one value only"
    fill = float(np.median(present))
    scale = _scale(name, np.where(missing, fill, values), scaling) if varies else None
    met = ""
    if missing.any():
        met = f"“{name}”: {several(missing.sum(), 'missing value')} filled with the median" + (
            " and flagged in a column of their own." if flag_missing else "."
        )
    return NumberColumn(name, fill, scale, flagged, origin), met


def _scale(name: str, values: NDArray[np.float64], scaling: Scaling) -> tuple[float, float, float]:
    largest = float(np.abs(values).max())
    if scaling == "none":
        if largest > np.finfo(np.float32).max:
            raise StudioError(
                f"Column “{name}” holds numbers beyond 10³⁸, too large to be taken as they are.",
                "Choose the scaling “standardise” or “robust”.",
            )
        return 1.0, 0.0, 1.0
    values = values / largest
    middle, spread = float(values.mean()), float(values.std())
    if scaling == "robust":
        low, middle, high = (float(q) for q in np.percentile(values, (25, 50, 75)))
        if high - low > 1e-9 * spread:  # else half the values are as good as equal: keep the deviation
            spread = high - low
    return largest, middle, spread or 1.0


def _categories(name: str, column: pd.Series, max_categories: int) -> tuple[LearnedColumn | None, str]:
    missing = column.isna().to_numpy()
    texts = column.astype(str).to_numpy(dtype=object)
    kinds, counts = np.unique(texts[~missing].astype(str), return_counts=True)
    if not len(kinds):
        return None, "hold no value at all"
    if len(kinds) == 1 and not missing.any():
        return None, "hold one value only"
    if len(kinds) > max_categories and counts.max() == 1:
        return None, "hold another text in every row"
    frequent = kinds[np.lexsort((kinds, -counts))][:max_categories]
    met = []
    if len(kinds) > len(frequent):
        rare = several(len(kinds) - len(frequent), "rare category", "rare categories")
        met.append(f"“{name}”: {rare} in the column “other”.")
    if missing.any():
        met.append(f"“{name}”: {several(missing.sum(), 'missing value')} marked in a separate column.")
    names = tuple(str(kind) for kind in sorted(frequent))
    return CategoryColumn(name, names, len(kinds) > len(frequent), bool(missing.any())), " ".join(met)
