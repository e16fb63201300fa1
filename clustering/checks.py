"""The door of methods and maps: finite float32 rows and checked settings come in, or a sentence says why."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from clustering.errors import StudioError
from clustering.parameters import checked_parameters


class NotNumbersError(StudioError, TypeError):
    """The data hold something that is no number; also a `TypeError`, as users of scikit-learn expect."""


def checked_settings(estimator: BaseEstimator) -> dict[str, Any]:
    """Return the estimator's parameters converted to their annotated types.

    Raises
    ------
    StudioError
        Naming the first parameter that is out of range.
    """
    return checked_parameters(type(estimator), estimator.get_params(deep=False))


def checked_items(estimator: BaseEstimator, X: ArrayLike, *, fitting: bool = False) -> NDArray[np.float32]:
    """Return ``X`` as a finite, C-ordered float32 array (n, d) that the caller may keep but must not change.

    With ``fitting`` the number and names of the columns are remembered on the estimator (``n_features_in_``);
    without it they are compared with those remembered.

    Raises
    ------
    StudioError
        For data that are empty, not two-dimensional, not numbers, not finite, or of another width.
    """
    try:
        with np.errstate(over="ignore"):
            items = validate_data(
                estimator, X, reset=fitting, dtype=np.float32, order="C", ensure_all_finite=False
            )
    except TypeError as error:
        raise NotNumbersError(
            f"The data hold something that is not a number: {_first_sentence(error)}",
            "Give a dense table of numbers: one row an item, one column a feature.",
        ) from None
    except ValueError as error:
        raise StudioError(*_said(_first_sentence(error))) from None
    _refuse_not_finite(X, items)
    return items


def _said(reason: str) -> tuple[str, str]:
    if "2D array" in reason or "dim" in reason:
        return (
            f"The data are not a table of items × features: {reason}",
            "Reshape your data: X.reshape(1, -1) for a single item, X.reshape(-1, 1) for a single feature.",
        )
    if "expecting" in reason or "feature names" in reason:
        return reason, "Give the same columns, in the same order, as in the fit."
    return reason, "Give a table of real numbers with at least one row (item) and one column (feature)."


def _first_sentence(error: Exception) -> str:
    sentence = str(error).partition("\n")[0].strip().rstrip(":")
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _refuse_not_finite(X: ArrayLike, items: NDArray[np.float32]) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        flat = items.ravel(order="K")
        if np.isfinite(np.dot(flat, flat)):  # one pass without a mask: the usual case
            return
    bad = ~np.isfinite(items)
    if not bad.any():
        return
    row, column = (int(index) for index in np.argwhere(bad)[0])
    value = float(np.asarray(X)[row, column])
    found = (
        "a value too large for 32-bit numbers, which would become inf" if np.isfinite(value) else str(value)
    )
    found = found.replace("nan", "NaN")
    where = f"row {row + 1}, column {column + 1}"
    if hasattr(X, "columns"):
        where += f" “{X.columns[column]}”"
    raise StudioError(
        f"{int(bad.sum())} of the values are missing or infinite (first: {found}, {where}).",
        "Fill, clip or drop them before clustering.",
    )
