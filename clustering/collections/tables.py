"""Turn a table into a collection: which columns are features, which are metadata, which is the label."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clustering.collections.archives import refuse_bomb
from clustering.collections.check import column_findings, duplicate_findings, few_findings
from clustering.collections.collection import FEATURES, Finding
from clustering.collections.columns import (
    check_column,
    label_columns,
    listed,
    named_label,
    typed_table,
)
from clustering.collections.delimited import read_delimited
from clustering.collections.loaded import Loaded
from clustering.errors import StudioError
from clustering.files import write_whole
from clustering.progress import Progress, tell
from clustering.words import several

MOST_WORDS = 50  # distinct words of a feature; beyond it one-hot columns outnumber what they say
ID_NAMES = frozenset({"id", "index", "key", "uuid", "guid", "row", "nr", "no", "number", "unnamed: 0"})


def read_table(path: Path, part: Path, *, label_column: str | None, progress: Progress) -> Loaded:
    """Read a CSV, TSV, Parquet or Excel file.

    Numbers, truth values and words of few kinds become features. Ids, dates and texts become metadata. The
    label column (``label_column``, or the first called label, class, target, …) never is a feature.

    Raises
    ------
    StudioError
        When the file is broken or empty, has fewer than two rows, or no column can be a feature.
    """
    tell(progress, 0, 3, "reading the table")
    raw, findings = read_cells(path)
    if len(raw) < 2:
        raise StudioError(
            f"{path.name} holds {several(len(raw), 'row')} below its header.",
            "A collection needs two rows or more.",
        )
    tell(progress, 1, 3, "looking at the columns")
    table, odd = typed_table(raw.reset_index(drop=True))
    table, infinite = _finite(table)
    label = _label(table, label_column, path.name)
    features, roles = split_columns(table, label, path.name)
    items, ids_from = _items(table)
    repeats = _repeats(features)
    items.insert(
        1, "duplicate_of", pd.Series([items["id"][r] if r >= 0 else None for r in repeats], dtype="str")
    )
    described_by = table.drop(columns=[*features, *ids_from])
    labels = label_columns(described_by, label_column)
    findings = (
        *findings, *odd, *infinite, *roles, *_one_class(table, label), *few_findings(len(table)),
        *duplicate_findings(items["id"].to_list(), repeats),
        *column_findings(table, labels, constant="not used as features",
                         missing="kept as missing; the encoder fills them and says how"),
    )  # fmt: skip
    tell(progress, 2, 3, "writing the table")
    write_whole(part / FEATURES, lambda stream: features.to_parquet(stream, index=False))
    return Loaded(items, labels, _content_hash(features), findings)


def split_columns(table: pd.DataFrame, label: str | None, source: str) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the columns features are made of, and sentences about every column's part.

    Raises
    ------
    StudioError
        When no column is left.
    """
    roles = roles_of(table, label)
    features = [name for name, role in roles.items() if role == "feature"]
    told = {"id": "they name the rows", "text": "texts and dates", "constant": "constant or empty"}
    others = [
        f"{listed([name for name, found in roles.items() if found == role])} ({reason})"
        for role, reason in told.items()
        if role in roles.values()
    ]
    if not features:
        raise StudioError(
            f"{source} has no column that features can be made of: {'; '.join(others) or 'only the label'}.",
            "Add columns of numbers, or of words of few kinds.",
        )
    left_out = f" Metadata only: {'; '.join(others)}." if others else ""
    findings = [
        Finding(
            "features",
            len(features),
            f"{several(len(features), 'column')} used as features ({listed(features)}).{left_out}",
            tuple(features[:20]),
        )
    ]
    if label is not None:
        findings.append(
            Finding("label", 1, f"“{label}” is taken as the label and left out of the features.", (label,))
        )
    return table[features], findings


def roles_of(table: pd.DataFrame, label: str | None) -> dict[str, str]:
    """Return what each column is: ``"feature"``, ``"label"``, ``"id"``, ``"text"`` or ``"constant"``."""
    return {str(name): "label" if name == label else _role(table[name]) for name in table}


def row_digests(frame: pd.DataFrame) -> np.ndarray:
    """Return a 64-bit hash of every row's values."""
    return pd.util.hash_pandas_object(frame.astype("str"), index=False).to_numpy()


def first_equal(digests: np.ndarray) -> np.ndarray:
    """Return for every row the first one equal to it, or -1."""
    _, first, inverse = np.unique(digests, return_index=True, return_inverse=True)
    earlier = first[inverse]
    return np.where(earlier < np.arange(len(digests)), earlier, -1)


def read_cells(path: Path) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Return the cells of a CSV, TSV, Parquet or Excel file, and what was met.

    Raises
    ------
    StudioError
        When it is broken or empty.
    """
    ending = path.suffix.lower()
    if ending in (".csv", ".tsv"):
        return read_delimited(path)
    try:
        if ending == ".parquet":
            return pd.read_parquet(path).reset_index(drop=True), ()
        refuse_bomb(path)
        with pd.ExcelFile(path, engine="openpyxl") as book:
            sheets = book.sheet_names
            cells = pd.read_excel(book, sheet_name=sheets[0], header=None, dtype=object)
    except StudioError:
        raise
    except Exception as error:  # both libraries raise many kinds on a broken file
        raise StudioError(
            f"{path.name} cannot be read ({error}).", "Save it again, or export it as CSV."
        ) from error
    if cells.empty:
        raise StudioError(f"{path.name} is empty.", "Choose a file with a header line and one row an item.")
    header = ["" if pd.isna(name) else name for name in cells.iloc[0]]
    table = cells.iloc[1:].dropna(how="all").reset_index(drop=True)
    table.columns = pd.Index(header, dtype=object)
    others = tuple(str(name) for name in sheets[1:])
    sentence = f"Only the first sheet (“{sheets[0]}”) was read; left out: {listed(others)}."
    return table, (Finding("sheets", len(others), sentence, others[:20]),) if others else ()


def _finite(table: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Make infinite numbers missing ones."""
    names = [
        str(name)
        for name in table
        if pd.api.types.is_float_dtype(table[name])
        and np.isinf(table[name].to_numpy(np.float64, na_value=0)).any()
    ]
    if not names:
        return table, []
    cleaned = table.assign(**{name: table[name].replace([np.inf, -np.inf], np.nan) for name in names})
    sentence = f"Infinite numbers in {several(len(names), 'column')} ({listed(names)}) were made missing."
    return cleaned, [Finding("infinite", len(names), sentence, tuple(names[:20]))]


def _label(table: pd.DataFrame, chosen: str | None, source: str) -> str | None:
    check_column(table, chosen, source)
    return named_label(table) if chosen is None else chosen


def _role(column: pd.Series[Any]) -> str:
    known = column.dropna()
    distinct = known.nunique()
    if distinct <= 1:
        return "constant"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "text"
    if pd.api.types.is_bool_dtype(column):
        return "feature"
    if pd.api.types.is_numeric_dtype(column):
        return "id" if _names_rows(column, known) else "feature"
    if distinct == len(known) and str(column.name).lower() in ID_NAMES:
        return "id"
    return "feature" if distinct <= min(MOST_WORDS, len(known) // 2) else "text"


def _names_rows(column: pd.Series[Any], known: pd.Series[Any]) -> bool:
    """Say whether whole numbers name the rows: all different, and called so or counting up by one."""
    if (
        len(known) != len(column)
        or not pd.api.types.is_integer_dtype(column)
        or known.nunique() != len(known)
    ):
        return False
    name = str(column.name).lower()
    counts = len(known) > 2 and bool((known.astype("int64").diff().iloc[1:] == 1).all())
    return name in ID_NAMES or name.endswith(("_id", " id")) or counts


def _items(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return all columns with ``id`` first: the file's own when it has one a row, else the row's number."""
    own = next((name for name in table if str(name).lower() == "id"), None)
    usable = own is not None and table[own].notna().all() and table[own].astype("str").is_unique
    ids = table[own].astype("str") if usable else pd.Series(np.arange(1, len(table) + 1)).astype("str")
    rest = table.drop(columns=own) if usable else table
    rest = rest.rename(columns={name: f"{name} (table)" for name in rest if name in ("id", "duplicate_of")})
    return pd.concat([ids.rename("id"), rest], axis=1), [str(own)] if usable else []


def _repeats(features: pd.DataFrame) -> np.ndarray:
    return first_equal(row_digests(features))


def _one_class(table: pd.DataFrame, label: str | None) -> list[Finding]:
    if label is None or table[label].nunique() >= 2:
        return []
    only = table[label].dropna().unique()
    value = f"only the value “{only[0]}”" if len(only) else "no value"
    sentence = f"The label “{label}” has {value}: it tells nothing apart and is not offered as reference."
    return [Finding("one class", 1, sentence, (label,))]


def _content_hash(features: pd.DataFrame) -> str:
    """Hash the feature columns: names, types and values, in order."""
    digest = hashlib.blake2b(digest_size=16)
    for name in features:
        digest.update(f"{name}\0{features[name].dtype}\0".encode())
    digest.update(row_digests(features).tobytes())
    return digest.hexdigest()
