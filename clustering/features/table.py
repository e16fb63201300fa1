"""A table as numbers: scaled columns, one column a category, missing values filled in and flagged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable, EncodeNew, Encoder, listed
from clustering.features.batches import written
from clustering.features.columns import LearnedColumn, learned_column
from clustering.features.info import EncoderInfo
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell

if TYPE_CHECKING:
    import pandas as pd

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
        learned = self._learned(collection, progress)
        found = [entry for one, column in learned for entry in one.columns(column)]
        if not found:
            raise StudioError(
                f"No column of “{collection.name}” tells its rows apart. {' '.join(self._met)}".strip(),
                "Load a table with at least one column of numbers or categories that vary.",
            )
        self.feature_names = tuple(name for name, _ in found)
        tell(progress, len(learned), len(learned), "Features from the table")
        return written(np.column_stack([values for _, values in found]), self.key(collection), checkpoint)

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:
        """Return a function that scales new rows by the collection's own columns; see `Encoder.prepared`."""
        learned = self._learned(collection)
        self._check_width(collection, dimensions, sum(len(one.columns(column)) for one, column in learned))

        def encode_new(newcomers: Encodable) -> NDArray[np.float32]:
            self._check(newcomers)
            rows = newcomers.data()
            assert not isinstance(rows, np.ndarray)
            found = [values for one, _ in learned for _, values in one.columns(rows[one.name])]
            return np.column_stack(found)

        return encode_new

    def _learned(
        self, collection: Encodable, progress: Progress = silent
    ) -> list[tuple[LearnedColumn, pd.Series]]:
        """Return how each column becomes numbers; what was met is remembered for `describe`."""
        self._check(collection)
        frame = collection.data()
        assert not isinstance(frame, np.ndarray)
        self._met = []
        learned: list[tuple[LearnedColumn, pd.Series]] = []
        dropped: dict[str, list[str]] = {}
        for position, name in enumerate(frame.columns):
            tell(progress, position, frame.shape[1], "Features from the table")
            column = frame.iloc[:, position]
            found, met = learned_column(
                str(name), column, self.scaling, self.max_categories, self.flag_missing
            )
            if found is None:
                dropped.setdefault(met, []).append(str(name))
            else:
                learned.append((found, column))
                self._met += [met] if met else []
        self._met += [_dropped_sentence(names, reason) for reason, names in dropped.items()]
        return learned


def _dropped_sentence(names: list[str], reason: str) -> str:
    shown = listed([f"“{name}”" for name in names[:NAMED_AT_MOST]])
    more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
    return f"Left out because they {reason}: {shown}{more}."
