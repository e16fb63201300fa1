"""What can be chosen when measurements are cut into windows."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Gt, Interval

from clustering.parameters import Meaning


class SeriesOptions:
    """How series become windows of one length.

    Parameters
    ----------
    window : int, optional
        Steps of a window that is cut from longer recordings. Without it the file holds windows already.
    step : int, optional
        Steps from the start of one window to the start of the next; by default ``window``.
    rate : float, optional
        Samples a second; by default read from the time column, where there is one.
    gaps : {"refuse", "fill", "leave out"}
        Of missing values.
    irregular : {"refuse", "resample"}
        Of times that are not evenly apart.
    lengths : {"refuse", "shortest"}
        Of series of different lengths that are not cut into windows.
    time_column, recording_column : str, optional
        Of a table; by default found by their names.
    """

    def __init__(
        self,
        window: Annotated[
            int | None,
            Interval(ge=2, le=1_000_000),
            Meaning("Steps of a window cut from long recordings; empty: the file holds windows already."),
        ] = None,
        step: Annotated[
            int | None,
            Interval(ge=1, le=1_000_000),
            Meaning("Steps from one window to the next; empty: a window's length, so that none overlap."),
        ] = None,
        rate: Annotated[
            float | None,
            Gt(0),
            Meaning("Samples a second; empty: as the time column says, or not known."),
        ] = None,
        gaps: Annotated[
            Literal["refuse", "fill", "leave out"],
            Meaning(
                "Missing values: say where they are, fill them with a straight line between their "
                "neighbours, or leave such windows out.",
                advanced=True,
            ),
        ] = "refuse",
        irregular: Annotated[
            Literal["refuse", "resample"],
            Meaning(
                "Times that are not evenly apart: say where, or take values from straight lines between the "
                "measurements at even times.",
                advanced=True,
            ),
        ] = "refuse",
        lengths: Annotated[
            Literal["refuse", "shortest"],
            Meaning(
                "Series of different lengths: say which, or cut all to the length of the shortest.",
                advanced=True,
            ),
        ] = "refuse",
        time_column: Annotated[
            str | None,
            Meaning("Of a table: the column with the time; empty: found by its name.", advanced=True),
        ] = None,
        recording_column: Annotated[
            str | None,
            Meaning(
                "Of a table: the column that tells recordings apart, such as a person or a trial; no window "
                "crosses from one to the next. Empty: found by its name.",
                advanced=True,
            ),
        ] = None,
    ) -> None:
        self.window = window
        self.step = step
        self.rate = rate
        self.gaps = gaps
        self.irregular = irregular
        self.lengths = lengths
        self.time_column = time_column
        self.recording_column = recording_column
