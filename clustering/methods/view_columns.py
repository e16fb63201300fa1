"""Which columns of a row are which view of an item, which views are pictures, and how each is scaled."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.methods.settings import Width
from clustering.networks.convolutions import Picture
from clustering.parameters import Meaning

Side = Annotated[int, Interval(ge=0, le=100_000)]
ViewSizes = Annotated[
    tuple[Width, ...] | None,
    Meaning("Columns of each view, one after the other; empty: all columns are one view.", advanced=True),
]
ViewShapes = Annotated[
    tuple[Side, ...] | None,
    Meaning(
        "Height, width and channels of each view that is pictures, one view after the other; 0, 0, 0 for a "
        "view of numbers. Empty: none is pictures.",
        advanced=True,
    ),
]


class ViewColumns(NamedTuple):
    """How the columns of a row lie.

    Parameters
    ----------
    sizes : tuple of int
        Columns of each view, one view after the other.
    pictures : tuple of Picture or None
        The picture of each view that is one.
    marked : bool
        Whether one more column a view follows, with 1 where an item lacks it.
    """

    sizes: tuple[int, ...]
    pictures: tuple[Picture | None, ...]
    marked: bool


def view_columns(
    n_features: int, view_sizes: Sequence[int] | None, view_shapes: Sequence[int] | None
) -> ViewColumns:
    """Return how the columns lie.

    Raises
    ------
    StudioError
        When the sizes do not add up to the columns there are, or a picture does not fill its view.
    """
    sizes = tuple(view_sizes or (n_features,))
    pictures = _pictures(sizes, view_shapes)
    if sum(sizes) == n_features:
        return ViewColumns(sizes, pictures, marked=False)
    if view_sizes and sum(sizes) + len(sizes) == n_features:
        return ViewColumns(sizes, pictures, marked=True)
    raise StudioError(
        f"The {len(sizes)} views have {sum(sizes)} columns together (“view_sizes”), but the data have "
        f"{n_features}.",
        "Give the columns of every view in their order; one more a view may say which items lack it.",
    )


def read_by_convolutions(columns: ViewColumns) -> ViewColumns:
    """Return the columns where one view at least is pictures.

    Raises
    ------
    StudioError
        When none is.
    """
    if any(columns.pictures):
        return columns
    views = "The one view" if len(columns.sizes) == 1 else f"None of the {len(columns.sizes)} views"
    told = "is not pictures" if len(columns.sizes) == 1 else "is pictures"
    raise StudioError(
        f"{views} {told}, so there is nothing that convolutions could read.",
        "Choose the picture encoder “dense”. Or load pictures as a view: arrays of items × height × width, "
        "a “picture_view”, or a folder of pictures with their pixels as features.",
    )


def scaled_as_pictures(
    columns: ViewColumns, mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> list[tuple[slice, float, float]]:
    """Return where each picture view lies, its mean over all pixels, and 1 / their common deviation.

    Convolutions look for the same in every place: pixels that are scaled one by one would lose the picture.
    """
    starts = [0, *accumulate(columns.sizes)]
    found = []
    for start, size, picture in zip(starts, columns.sizes, columns.pictures, strict=False):
        if picture is not None:
            here = slice(start, start + size)
            middle = float(mean[here].mean())
            spread = float((variance[here] + (mean[here] - middle) ** 2).mean()) ** 0.5
            found.append((here, middle, 1 / spread if spread > 0 else 1.0))
    return found


def _pictures(sizes: tuple[int, ...], shapes: Sequence[int] | None) -> tuple[Picture | None, ...]:
    if not shapes:
        return (None,) * len(sizes)
    if len(shapes) != 3 * len(sizes):
        raise StudioError(
            f"“view_shapes” holds {len(shapes)} numbers for {len(sizes)} views.",
            "Give three a view: height, width and channels; 0, 0, 0 for a view of numbers.",
        )
    found: list[Picture | None] = []
    for at, size in enumerate(sizes):
        height, width, channels = shapes[3 * at : 3 * at + 3]
        picture = (height, width, channels)
        if any(picture) and prod(picture) != size:
            raise StudioError(
                f"View {at + 1} has {size} columns, but pictures of {height} × {width} pixels and {channels} "
                f"channels have {prod(picture)}.",
                "Give the height, width and channels of its pictures in “view_shapes”, or 0, 0, 0.",
            )
        found.append(picture if any(picture) else None)
    return tuple(found)
