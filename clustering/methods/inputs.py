"""The door of every method: checked rows and parameters, and a number of groups that the items can fill."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Interval

from clustering.checks import NotNumbersError, checked_items, checked_settings
from clustering.errors import StudioError
from clustering.parameters import Meaning

__all__ = [
    "NClusters",
    "NotNumbersError",
    "RandomState",
    "check_different",
    "check_group_count",
    "checked_items",
    "checked_settings",
]

NClusters = Annotated[int, Ge(1), Meaning("How many groups to look for.")]
RandomState = Annotated[
    int,
    Interval(ge=0, le=2**32 - 1),
    Meaning("Start of all chance in the fit: the same number gives the same groups.", advanced=True),
]


def check_group_count(n_clusters: int, n_items: int, n_distinct: int) -> None:
    """Refuse to look for more groups than there are different items.

    Raises
    ------
    StudioError
        Naming both numbers.
    """
    if n_clusters > n_items:
        raise StudioError(
            f"“n_clusters” is {n_clusters}, but there are only {n_items} items (n_samples={n_items}).",
            f"Choose “n_clusters” between 1 and {n_items}, or load more items.",
        )
    if n_clusters > n_distinct:
        raise StudioError(
            f"“n_clusters” is {n_clusters}, but the {n_items} items are only {n_distinct} different ones.",
            f"Choose “n_clusters” between 1 and {n_distinct}, or use features that tell the items apart.",
        )


def check_different(
    title: str,
    fewest: int,
    n_items: int,
    n_distinct: int,
    *,
    what: str = "different items",
    mend: str = "Load more items, or choose k-means.",
) -> None:
    """Refuse fewer different items than a method needs.

    Parameters
    ----------
    title : str
        Of the method.
    fewest, n_items, n_distinct : int
    what : str
        Says in what they must differ, where that is not in their features.
    mend : str

    Raises
    ------
    StudioError
        Naming the numbers.
    """
    if n_distinct < fewest:
        seen = "1 sample" if n_items == 1 else f"{n_items} items"
        raise StudioError(f"{title} needs {fewest} {what}; there are {n_distinct} (of {seen}).", mend)
