"""Join a table of metadata to the pictures it speaks of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from clustering.collections.collection import Finding
from clustering.collections.columns import listed, typed_table
from clustering.errors import StudioError
from clustering.words import several

NAMES = ("metadata.csv", "metadata.tsv", "metadata.jsonl", "metadata.parquet")
KEYS = ("file_name", "file", "filename", "path", "image", "image_path", "id")  # looked at first
RESERVED = frozenset({"id", "path", "aspect", "width", "height", "duplicate_of"})  # columns of ours


@dataclass(frozen=True)
class Joined:
    """Metadata in the order of the pictures.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a picture, missing where the metadata say nothing of it.
    ids : list of str or None
        The metadata's own ids, when every picture has one and no two share it.
    findings : tuple of Finding
    """

    table: pd.DataFrame
    ids: list[str] | None
    findings: tuple[Finding, ...]


def metadata_file(folder: Path) -> Path | None:
    """Return the metadata file of a folder of pictures, if it has one."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def read_metadata(path: Path) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Read metadata from CSV, TSV, JSON lines or Parquet.

    Raises
    ------
    StudioError
        When the file is broken.
    """
    from clustering.collections.delimited import read_delimited

    if path.suffix in (".csv", ".tsv"):
        return read_delimited(path)
    try:
        if path.suffix == ".jsonl":
            lines = path.read_text(encoding="utf-8-sig").splitlines()
            return pd.DataFrame([json.loads(line) for line in lines if line.strip()]), ()
        return pd.read_parquet(path), ()
    except (ValueError, OSError, TypeError, AttributeError) as error:
        raise StudioError(
            f"{path.name} cannot be read ({error}).", "Write it again, or take it away."
        ) from error


def join(metadata: pd.DataFrame, pictures: Sequence[str], what: str = "picture") -> Joined:
    """Bring metadata into the order of the pictures.

    The column that names the pictures (by path, file name or file name without its ending) is found by
    trying: the one that names most of them.

    Parameters
    ----------
    metadata : pandas.DataFrame
    pictures : sequence of str
        Paths relative to the folder, with forward slashes.
    what : str
        What a file is called in sentences.

    Raises
    ------
    StudioError
        When no column names any picture.
    """
    key, keys, names = _matching(metadata, pictures, what)
    first = ~pd.Series(keys).duplicated().to_numpy()
    position = {text: row for row, text in enumerate(keys) if first[row] and text}
    rows = [position.get(name, -1) for name in names]
    table, findings = typed_table(metadata)
    aligned = table.iloc[[max(row, 0) for row in rows]].reset_index(drop=True)
    unknown = [picture for picture, row in zip(pictures, rows, strict=True) if row < 0]
    if unknown:
        blank = pd.Series([row < 0 for row in rows])
        aligned, _ = typed_table(aligned.astype(object).mask(blank, other=None).infer_objects())
    ids = _ids(aligned)
    if list(names) == list(pictures) or (ids is not None and key == "id"):
        aligned = aligned.drop(columns=key)  # it says what our own column says
    if ids is not None and "id" in aligned:
        aligned = aligned.drop(columns="id")
    aligned = aligned.rename(columns={name: f"{name} (metadata)" for name in aligned if name in RESERVED})
    used = set(rows)
    idle = [text for row, text in enumerate(keys) if row not in used]
    return Joined(aligned, ids, (*findings, *_findings(key, unknown, idle, what)))


def _matching(metadata: pd.DataFrame, pictures: Sequence[str], what: str) -> tuple[str, list[str], list[str]]:
    """Return the naming column, its values, and the pictures' names in the form that it uses."""
    paths = [PurePosixPath(picture) for picture in pictures]
    forms = [list(pictures), [path.name for path in paths], [path.stem for path in paths]]
    known = [
        set(form) if len(set(form)) == len(form) else set() for form in forms
    ]  # a name that is two files'
    columns = sorted(metadata.columns, key=lambda name: KEYS.index(name) if name in KEYS else len(KEYS))
    best: tuple[int, str, list[str], list[str]] | None = None
    for column in columns:
        values = [_key(value) for value in metadata[column]]
        for form, names in zip(forms, known, strict=True):
            hits = len(names.intersection(values))
            if hits and (best is None or hits > best[0]):
                best = (hits, column, values, form)
    if best is None:
        raise StudioError(
            f"No column of the metadata names the {what}s (columns: {listed(list(metadata.columns))}).",
            f"Add a column “file” with names such as “{pictures[0]}”, or take the metadata file away.",
        )
    return best[1:]


def _key(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return str(value).strip().replace("\\", "/").removeprefix("./")


def _ids(table: pd.DataFrame) -> list[str] | None:
    if "id" not in table or table["id"].isna().any():
        return None
    ids = [str(value) for value in table["id"]]
    return ids if len(set(ids)) == len(ids) else None


def _findings(key: str, unknown: list[str], idle: list[str], what: str) -> list[Finding]:
    findings = []
    if unknown:
        findings.append(
            Finding(
                "metadata",
                len(unknown),
                f"The metadata (by column “{key}”) say nothing of {several(len(unknown), what)}; "
                "their values are missing.",
                tuple(unknown[:20]),
            )
        )
    if idle:
        findings.append(
            Finding(
                "metadata",
                len(idle),
                several(len(idle), "row of the metadata names", "rows of the metadata name")
                + f" no {what}, or one named before; left out.",
                tuple(idle[:20]),
            )
        )
    return findings
