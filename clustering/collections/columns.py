"""What a column is: numbers, dates, words; a label, a feature, or only something to read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from clustering.collections.collection import Finding
from clustering.errors import StudioError
from clustering.words import several

LABEL_NAMES = frozenset(
    {"label", "labels", "class", "classes", "target", "targets", "y", "species", "category"}
)
MOSTLY = 0.8  # share of numbers above which a column of words was probably meant as numbers
MOST_LABELS = 200  # distinct values of a reference label
MOST_CODES = 20  # distinct whole numbers that may be codes of groups rather than amounts


def unique_names(names: Sequence[object]) -> tuple[list[str], tuple[str, ...]]:
    """Return column names as text, each once, and those that had to change (empty or repeated ones)."""
    given = [str(name).strip() for name in names]
    taken = Counter(given)
    result: list[str] = []
    changed = []
    for position, name in enumerate(given):
        free = name or f"column {position + 1}"
        number = 2
        while free in result or (free != name and free in taken):
            free = f"{name or 'column'} ({number})"
            number += 1
        if free != name:
            changed.append(name or free)
        result.append(free)
    return result, tuple(changed)


def check_column(table: pd.DataFrame, name: str | None, source: str) -> None:
    """Refuse a column someone named that is not there.

    Raises
    ------
    StudioError
        Saying which columns there are.
    """
    if name is not None and name not in table:
        there = list(table.columns)
        mend = f"Choose one of: {listed(there, 20)}." if there else "Leave it out."
        raise StudioError(f"{source} has no column “{name}”.", mend)


def of_items(columns: dict[str, Any], rest: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a collection's items, then those that came along, “(file)” where names meet."""
    renamed = rest.rename(columns={name: f"{name} (file)" for name in rest if str(name) in columns})
    return pd.concat([pd.DataFrame(columns), renamed], axis=1)


def typed(column: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    """Give a column of words the type its words have.

    Returns
    -------
    column : pandas.Series
        Int64 or int64, float64, bool or boolean, datetime64, or text.
    mixed : str
        When nearly all are numbers and some are not: a sentence that says which; else empty.
    """
    if column.dtype != object and not isinstance(column.dtype, pd.StringDtype):
        return _whole(column), ""
    text = column.map(_plain_text).astype("str")
    text = text.where(column.notna().to_numpy() & (text.str.strip() != "").to_numpy())
    known = text.dropna().str.strip()
    if known.empty:
        return text, ""
    if set(known.str.lower()) <= {"true", "false"}:
        truth = text.str.strip().str.lower().map({"true": True, "false": False})
        return truth.astype("boolean" if truth.isna().any() else "bool"), ""
    numbers = pd.to_numeric(known, errors="coerce")
    odd = known[numbers.isna()]
    if odd.empty and not _are_codes(known):
        whole = known.str.fullmatch(r"[+-]?\d{1,18}").all()
        values = pd.Series(np.nan, index=text.index) if not whole else pd.Series(pd.NA, text.index, "Int64")
        values[numbers.index] = numbers
        return (values.astype("int64") if whole and not values.isna().any() else values), ""
    if known.str.fullmatch(r"\d{4}-\d{2}-\d{2}([T ][\d:.]+(Z|[+-][\d:]+)?)?").all():
        dates = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=True)
        if dates.notna().sum() == len(known):
            return dates.dt.tz_localize(None), ""
    if 0 < len(odd) < len(known) * (1 - MOSTLY):
        row = int(np.flatnonzero(column.index == odd.index[0])[0]) + 1
        return text, (
            f"Column “{column.name}” holds {several(len(odd), 'value')} that cannot be read as numbers "
            f"(first: “{odd.iloc[0]}”, row {row})"
        )
    return text, ""


def typed_table(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Give every column of a table its type and its own name, and say what was odd."""
    names, changed = unique_names(list(table.columns))
    table = table.set_axis(names, axis=1)
    findings = []
    if changed:
        findings.append(
            Finding(
                "names",
                len(changed),
                f"{several(len(changed), 'column name')} twice or empty ({listed(changed)}); numbered.",
                changed[:20],
            )
        )
    columns, mixed = {}, {}
    for name in names:
        columns[name], odd = typed(table[name])
        if odd:
            mixed[name] = odd
    if mixed:
        findings.append(
            Finding(
                "mixed",
                len(mixed),
                f"{'; '.join(list(mixed.values())[:3])}. Kept as text; clean them to use them as numbers.",
                tuple(mixed)[:20],
            )
        )
    return pd.DataFrame(columns, index=table.index), tuple(findings)


def label_columns(table: pd.DataFrame, first: str | None = None) -> tuple[str, ...]:
    """Return the columns that may serve as reference labels: 2 to 200 groups of two items or more on average.

    The user's choice comes first, then columns called label, class, target, …, then the others as they stand;
    of columns that make the same groups (a name and its slug) only the first.
    """
    usable = [
        str(name)
        for name in table.columns
        if (table[name].nunique() >= 2 if name == first else is_categorical(table[name]))
    ]
    usable.sort(key=lambda name: (name != first, name.lower() not in LABEL_NAMES))
    by_groups: dict[bytes, str] = {}
    for name in usable:
        by_groups.setdefault(pd.factorize(table[name])[0].tobytes(), name)
    return tuple(by_groups.values())


def is_categorical(column: pd.Series[Any]) -> bool:
    """Say whether a column sorts the items into groups."""
    known = column.dropna()
    groups = known.nunique()
    if not 2 <= groups <= min(MOST_LABELS, len(known) // 2):
        return False
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return not pd.api.types.is_datetime64_any_dtype(column)
    if pd.api.types.is_float_dtype(column):
        return False
    return groups <= (MOST_LABELS if str(column.name).lower() in LABEL_NAMES else MOST_CODES)


def named_label(table: pd.DataFrame) -> str | None:
    """Return the first column that is called label, class, target, …; a “y” beside an “x” is a coordinate."""
    names = {str(name).lower() for name in table.columns}
    for name in table.columns:
        called = str(name).lower()
        if called in LABEL_NAMES and (called != "y" or ("x" not in names and is_categorical(table[name]))):
            return str(name)
    return None


def listed(names: Sequence[object], most: int = 5) -> str:
    """Return the first few names, and how many more there are."""
    shown = ", ".join(str(name) for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def shortened(text: str, most: int) -> str:
    """Return a text, or its beginning up to a whole word and “…”."""
    if len(text) <= most:
        return text
    return text[:most].rpartition(" ")[0].rstrip() + " …" if " " in text[:most] else text[:most] + "…"


def _are_codes(known: pd.Series[Any]) -> bool:
    """Say whether numbers are names: all of one length and some with a zero in front, as 007."""
    return bool(known.str.fullmatch(r"0\d+").any()) and known.str.len().nunique() == 1


def _whole(column: pd.Series[Any]) -> pd.Series[Any]:
    """Show whole numbers with gaps as whole numbers: 1850, not 1850.0."""
    if pd.api.types.is_float_dtype(column) and column.isna().any() and column.notna().any():
        known = column.dropna()
        if np.isfinite(known).all() and (known == np.floor(known)).all() and known.abs().max() < 2**53:
            return column.astype("Int64")
    return column


def _plain_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return re.sub(r"\.0$", "", str(value)) if isinstance(value, float) else str(value)
