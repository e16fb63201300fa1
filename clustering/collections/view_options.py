"""What can be chosen when several views of the same items are read."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from clustering.parameters import Meaning


class ViewOptions:
    """How views are matched, and which of them is a picture.

    Parameters
    ----------
    id_column : str, optional
        Of tables; by default the first called id, key, item, … that has another value in every row.
    picture_view : str, optional
        A view whose numbers are the grey values of a picture, row by row: it is shown on maps and walls.
    picture_width : int, optional
        Pixels in a row of it; by default the picture is a square.
    """

    def __init__(
        self,
        id_column: Annotated[
            str | None,
            Meaning("Column that names the items in tables; empty: found by its name.", advanced=True),
        ] = None,
        picture_view: Annotated[
            str | None,
            Meaning("View whose numbers are the grey values of a picture, to show items by; empty: none."),
        ] = None,
        picture_width: Annotated[
            int | None,
            Interval(ge=2, le=4096),
            Meaning("Pixels in a row of that picture; empty: it is a square."),
        ] = None,
    ) -> None:
        self.id_column = id_column
        self.picture_view = picture_view
        self.picture_width = picture_width
