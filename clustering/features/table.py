"""A table as numbers: scaled columns, one column a category, missing values filled in and flagged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable, Encoder, listed
from clustering.features.batches import FeatureFile, digest
from clustering.features.info import EncoderInfo
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell

if TYPE_CHECKING:
    import pandas as pd

Columns = list[tuple[str, NDArray[np.float32]]]
NAMED_AT_MOST = 5


class Table(Encoder):
    """Numeric columns scaled, text columns one-hot, missing values imputed with a column that says so."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="table",
        title="Scaled table",
        kinds=("table",),
        dimensions=None,
        origin="No weights: the features are the table's own columns, scaled.",
        summary="Brings columns of different units to one scale, categories to columns of 0 and 1.",
        order=50,
    )

    def __init__(
        self,
        scaling: Annotated[
            Literal["standardise", "robust", "none"],
            Meaning(
                "Standardise: mean 0, deviation 1. Robust: median 0, middle half of length 1, for outliers."
            ),
        ] = "standardise",
        max_categories: Annotated[
            int,
            Interval(ge=2, le=200),
            Meaning(
                "The most frequent categories of a column that get a column of their own.", advanced=True
            ),
        ] = 20,
        flag_missing: Annotated[
            bool, Meaning("Add a column of 0 and 1 that says where a number was missing.", advanced=True)
        ] = True,
    ) -> None:
        self.scaling = scaling
        self.max_categories = max_categories
        self.flag_missing = flag_missing
        self.feature_names: tuple[str, ...] = ()
        self._met: list[str] = []

    def describe(self) -> str:
        """Return how columns are scaled, and what was dropped, filled in or merged."""
        scaling = {
            "standardise": "Numbers are shifted to mean 0 and scaled to standard deviation 1",
            "robust": "Numbers are shifted to median 0 and scaled by the range of their middle half",
            "none": "Numbers are taken as they are",
        }[self.scaling]
        sentence = f"{scaling}; categories become columns of 0 and 1, at most {self.max_categories} a column."
        return " ".join([sentence, *self._met])

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return the scaled table, float32 (n, d); see `Encoder.encode`. Names are in ``feature_names``."""
        self._check(collection)
        frame = collection.data()
        assert not isinstance(frame, np.ndarray)
        self._met = []
        found: Columns = []
        dropped: dict[str, list[str]] = {}
        for position, name in enumerate(frame.columns):
            tell(progress, position, frame.shape[1], "Features from the table")
            columns, reason = self._column(str(name), frame.iloc[:, position])
            found += columns
            if reason:
                dropped.setdefault(reason, []).append(str(name))
        self._met += [_dropped_sentence(names, reason) for reason, names in dropped.items()]
        if not found:
            raise StudioError(
                f"No column of “{collection.name}” tells its rows apart. {' '.join(self._met)}".strip(),
                "Load a table with at least one column of numbers or categories that vary.",
            )
        self.feature_names = tuple(name for name, _ in found)
        key = digest({"collection": collection.content_hash, **self.fingerprint()})
        rows = FeatureFile(len(frame), len(found), key, max(1, len(frame)), checkpoint)
        rows.write(0, np.column_stack([values for _, values in found]))
        tell(progress, frame.shape[1], frame.shape[1], "Features from the table")
        return rows.finished()

    def _column(self, name: str, column: pd.Series) -> tuple[Columns, str]:
        """Return the feature columns of one table column, and why there are none."""
        import pandas as pd

        if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
            return self._numbers(name, _floats(column))
        if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
            moments = column - column.min() if pd.api.types.is_datetime64_any_dtype(column) else column
            return self._numbers(name, _floats(moments.dt.total_seconds()))
        return self._categories(name, column)

    def _numbers(self, name: str, values: NDArray[np.float64]) -> tuple[Columns, str]:
        missing = ~np.isfinite(values)
        present = values[~missing]
        if not len(present):
            return [], "hold no value at all"
        if np.ptp(present) == 0 and not (missing.any() and self.flag_missing):
            return [], "hold one value only"
        filled = np.where(missing, np.median(present), values)
        columns: Columns = []
        if np.ptp(present) > 0:
            columns.append((name, self._scaled(name, filled)))
        if missing.any():
            self._met.append(
                f"“{name}”: {missing.sum()} missing value(s) filled with the median"
                + (" and flagged in a column of their own." if self.flag_missing else ".")
            )
            if self.flag_missing:
                columns.append((f"{name} is missing", missing.astype(np.float32)))
        return columns, ""

    def _scaled(self, name: str, values: NDArray[np.float64]) -> NDArray[np.float32]:
        if self.scaling == "none":
            if np.abs(values).max() > np.finfo(np.float32).max:
                raise StudioError(
                    f"Column “{name}” holds numbers beyond 10³⁸, too large to be taken as they are.",
                    "Choose the scaling “standardise” or “robust”.",
                )
            return values.astype(np.float32)
        values = values / np.abs(values).max()  # so that neither huge nor tiny numbers lose their deviation
        middle, spread = float(values.mean()), float(values.std())
        if self.scaling == "robust":
            low, middle, high = (float(q) for q in np.percentile(values, (25, 50, 75)))
            if high - low > 1e-9 * spread:  # else half the values are as good as equal: keep the deviation
                spread = high - low
        return ((values - middle) / (spread or 1.0)).astype(np.float32)

    def _categories(self, name: str, column: pd.Series) -> tuple[Columns, str]:
        missing = column.isna().to_numpy()
        texts = column.astype(str).to_numpy(dtype=object)
        kinds, counts = np.unique(texts[~missing].astype(str), return_counts=True)
        if not len(kinds):
            return [], "hold no value at all"
        if len(kinds) == 1 and not missing.any():
            return [], "hold one value only"
        if len(kinds) > self.max_categories and counts.max() == 1:
            return [], "hold another text in every row"
        frequent = kinds[np.lexsort((kinds, -counts))][: self.max_categories]
        columns: Columns = [
            (f"{name} = {kind}", ((texts == kind) & ~missing).astype(np.float32)) for kind in sorted(frequent)
        ]
        if len(kinds) > len(frequent):
            rest = ~missing & ~np.isin(texts.astype(str), frequent)
            columns.append((f"{name} = other", rest.astype(np.float32)))
            self._met.append(
                f"“{name}”: {len(kinds) - len(frequent)} rare categories share the column “other”."
            )
        if missing.any():
            columns.append((f"{name} is missing", missing.astype(np.float32)))
            self._met.append(f"“{name}”: {missing.sum()} missing value(s) have a column of their own.")
        return columns, ""


def _floats(column: pd.Series) -> NDArray[np.float64]:
    return np.asarray(column.astype("Float64").to_numpy(np.float64, na_value=np.nan), dtype=np.float64)


def _dropped_sentence(names: list[str], reason: str) -> str:
    shown = listed([f"“{name}”" for name in names[:NAMED_AT_MOST]])
    more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
    return f"Left out because they {reason}: {shown}{more}."
