"""Turn an array of embeddings from elsewhere into a collection."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.arrays import read_arrays
from clustering.collections.check import column_findings, duplicate_findings, few_findings
from clustering.collections.collection import VECTORS, Finding
from clustering.collections.columns import (
    check_column,
    label_columns,
    listed,
    named_label,
    typed_table,
)
from clustering.collections.loaded import Loaded
from clustering.collections.tables import first_equal
from clustering.errors import StudioError
from clustering.files import write_whole
from clustering.progress import Progress, tell
from clustering.words import several

_BLOCK = 2**24  # values converted at once: 64 MB of float32


def read_vectors(
    path: Path, member: str, part: Path, *, label_column: str | None, progress: Progress
) -> Loaded:
    """Read ``.npy``, ``.npz`` or ``.parquet`` into float32 (n, d).

    Parquet: a column of lists of equal length, or else all columns of numbers, are the vectors; the other
    columns are metadata.

    Raises
    ------
    StudioError
        When the file cannot be read, holds no numbers, or rows with NaN or infinite values.
    """
    tell(progress, 0, 1, "reading the vectors")
    if path.suffix.lower() == ".parquet":
        data, metadata = vectors_of_parquet(path, label_column)
    else:
        data, labels, _ = read_arrays(path, member)
        metadata = pd.DataFrame(index=pd.RangeIndex(len(data) if data.ndim else 0))
        if labels is not None:
            metadata["label"] = labels
    findings = _shape_findings(data, path.name)
    data = data.reshape(len(data), -1)
    digests, content_hash, flat = write_rows(data, part / VECTORS, path.name, progress)
    repeats = first_equal(digests)
    metadata, odd = typed_table(metadata)
    check_column(metadata, label_column, path.name)
    labels_found = label_columns(metadata, label_column)
    items = _items(metadata, repeats)
    if flat:
        sentence = f"{several(flat, 'dimension')} with one value in every row; kept, distances stay the same."
        findings.append(Finding("constant", flat, sentence))
    findings += [
        *odd, *few_findings(len(items)), *duplicate_findings(items["id"].to_list(), repeats),
        *column_findings(metadata, labels_found, constant="kept as metadata", missing="kept as missing"),
    ]  # fmt: skip
    return Loaded(items, labels_found, content_hash, tuple(findings))


def _items(metadata: pd.DataFrame, repeats: NDArray[np.int64]) -> pd.DataFrame:
    """Return the items with ids of their own, or else numbered from 0 as the rows of the array are."""
    own = "id" in metadata and metadata["id"].notna().all() and metadata["id"].astype("str").is_unique
    ids = metadata["id"].astype("str") if own else pd.Series(np.arange(len(metadata))).astype("str")
    marks = pd.Series([ids[row] if row >= 0 else None for row in repeats], dtype="str")
    rest = metadata.drop(columns="id") if own else metadata
    rest = rest.rename(columns={name: f"{name} (table)" for name in rest if name in ("id", "duplicate_of")})
    return pd.concat([ids.rename("id"), marks.rename("duplicate_of"), rest], axis=1)


def _shape_findings(data: NDArray[Any], source: str) -> list[Finding]:
    """Refuse what is no table of numbers; say when more axes are laid flat."""
    if data.dtype.kind not in "fiub":
        raise StudioError(f"{source} holds {data.dtype}, not numbers.", "Save real numbers, such as float32.")
    if data.ndim < 2 or 0 in data.shape or len(data) < 2:
        raise StudioError(
            f"{source} has the shape {data.shape}.",
            "Vectors are a table: two rows or more (items) × dimensions.",
        )
    if data.ndim == 2:
        return []
    flat = int(np.prod(data.shape[1:]))
    sentence = f"Every item has the shape {data.shape[1:]}; laid flat into {flat:,} dimensions."
    return [Finding("flattened", len(data), sentence)]


def write_rows(
    data: NDArray[Any], target: Path, source: str, progress: Progress
) -> tuple[NDArray[np.uint64], str, int]:
    """Write float32 (n, d) piece by piece; return a hash a row, one of all, how many columns are constant."""
    n, d = data.shape
    whole = hashlib.blake2b(f"{n} {d} ".encode(), digest_size=16)
    digests = np.empty(n, np.uint64)
    low, high = np.full(d, np.inf, np.float32), np.full(d, -np.inf, np.float32)
    bad: list[int] = []
    step = max(1, _BLOCK // d)

    def fill(stream: BinaryIO) -> None:  # plain writes: on a full disk a memory map would end the process
        header = {"descr": "<f4", "fortran_order": False, "shape": (n, d)}
        np.lib.format.write_array_header_1_0(stream, header)
        for start in range(0, n, step):
            tell(progress, start, n, "reading the vectors")
            with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite: refused below
                block = np.ascontiguousarray(data[start : start + step], dtype="<f4")
            bad.extend((np.flatnonzero(~np.isfinite(block).all(axis=1)) + start).tolist())
            whole.update(block.data)
            digests[start : start + step] = [
                int.from_bytes(hashlib.blake2b(row, digest_size=8).digest(), "little") for row in block
            ]
            np.minimum(low, block.min(axis=0), out=low)
            np.maximum(high, block.max(axis=0), out=high)
            stream.write(block.data)
        if bad:
            raise StudioError(
                f"{source} holds {several(len(bad), 'row')} with NaN or infinite values "
                f"(counted from 0: {listed(bad)}).",
                "Remove these rows or fill in their values, then load again.",
            )

    write_whole(target, fill)
    return digests, whole.hexdigest(), int(np.count_nonzero(low == high))


def vectors_of_parquet(path: Path, label_column: str | None) -> tuple[NDArray[Any], pd.DataFrame]:
    """Return the vectors in a Parquet file, and its other columns.

    Raises
    ------
    StudioError
        When it is broken, or holds no vectors of one length.
    """
    try:
        table = pd.read_parquet(path).reset_index(drop=True)
    except Exception as error:  # pyarrow raises many kinds on a broken file
        raise StudioError(f"{path.name} cannot be read ({error}).", "Write it again.") from error
    label = label_column or named_label(table)
    lists = [name for name in table if len(table) and isinstance(table[name].iloc[0], np.ndarray)]
    if lists:
        lengths = {len(value) if isinstance(value, np.ndarray) else 0 for value in table[lists[0]]}
        if len(lengths) > 1:
            raise StudioError(
                f"The vectors in “{lists[0]}” of {path.name} have {len(lengths)} different lengths.",
                "Give every row a vector of the same length.",
            )
        return np.stack(table[lists[0]].to_list()), table.drop(columns=lists[0])
    numbers = [name for name in table if name not in (label, "id") and _is_number(table[name])]
    if not numbers:
        raise StudioError(
            f"{path.name} has no columns of numbers (columns: {listed(list(table.columns))}).",
            "Store vectors as one column of lists, or one column of numbers a dimension.",
        )
    return table[numbers].to_numpy(np.float64, na_value=np.nan), table.drop(columns=numbers)


def _is_number(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
