"""Read a text table as spreadsheets and scripts write them: any usual encoding, any usual separator."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from pathlib import Path

import pandas as pd

from clustering.collections.collection import Finding
from clustering.errors import StudioError

SEPARATORS = (",", ";", "\t", "|")
_SAMPLE = 200  # lines

csv.field_size_limit(2**27)  # 128 MB: a cell may hold a long text


def read_delimited(path: Path) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Read a CSV or TSV file; every value stays the text it is.

    Raises
    ------
    StudioError
        When it is empty, no text, or its rows do not fit its header.
    """
    text, encoding = decoded(path)
    if not text.strip():
        raise StudioError(f"{path.name} is empty.", "Choose a file with a header line and one row an item.")
    separator = _separator(text)
    rows = _rows(path, text, separator)
    if not rows:
        raise StudioError(f"{path.name} is empty.", "Choose a file with a header line and one row an item.")
    findings = []
    if encoding != "utf-8":
        findings.append(
            Finding(
                "encoding", 1, f"{path.name} is not UTF-8; it was read as {encoding}. Look at a few accents."
            )
        )
    header, body = rows[0], rows[1:]
    if all(_is_number(cell) for cell in header):
        header, body = [f"column {position + 1}" for position in range(len(header))], rows
        findings.append(
            Finding(
                "header",
                1,
                "The first line holds only numbers, so it was read as data; columns are numbered.",
            )
        )
    table = pd.DataFrame(body, columns=pd.RangeIndex(len(header)), dtype="str")
    table = table.replace(dict.fromkeys(_MISSING))
    if separator == ";":
        table = table.apply(_with_points)
    table.columns = pd.Index(header)
    return table, tuple(findings)


_MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "-nan", "null", "NULL", "None", "<NA>", "#N/A", "#NA")


def decoded(path: Path) -> tuple[str, str]:
    """Return the text of a file and the encoding it was read as, UTF-8 where it is that.

    Raises
    ------
    StudioError
        When it is no text.
    """
    raw = path.read_bytes()
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
    ):  # fmt: skip
        if raw.startswith(mark):
            try:
                return raw.decode("utf-8-sig" if encoding == "utf-8" else encoding), encoding
            except UnicodeDecodeError:
                break
    if b"\0" in raw[:65536]:
        raise StudioError(
            f"{path.name} is not a text table and no text.",
            "Save it as text or CSV (UTF-8), or choose another file.",
        )
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1"), "latin-1"


def _separator(text: str) -> str:
    """Choose the separator that gives most lines the same number of cells, and more than one."""
    sample = io.StringIO(text)
    head = "".join(line for _, line in zip(range(_SAMPLE), sample, strict=False))
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(head), delimiter=separator) if row]
        except csv.Error:
            continue
        width, agreeing = Counter(widths).most_common(1)[0]
        score = (agreeing / len(widths), width)
        if width > 1 and score > best_score:
            best, best_score = separator, score
    return best


def _rows(path: Path, text: str, separator: str) -> list[list[str]]:
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(row)]
    except csv.Error as error:
        raise StudioError(
            f"{path.name} cannot be read as a table ({error}).", "Export it again as CSV (UTF-8)."
        ) from error
    width = len(rows[0]) if rows else 0
    for number, row in enumerate(rows[1:], start=2):
        extra = row[width:]
        if any(extra):
            raise StudioError(
                f"Row {number} of {path.name} has {len(row)} cells, the header has {width}.",
                "Put texts that hold the separator in quotes, or remove the extra cells.",
            )
        row[width:] = []
        row.extend([""] * (width - len(row)))
    return rows


def _with_points(column: pd.Series) -> pd.Series:  # type: ignore[type-arg]
    """Turn decimal commas into points where every value is such a number: files with “;” come from there."""
    known = column.dropna().str.strip()
    is_decimal = known.str.fullmatch(r"[+-]?\d+(,\d+)?([eE][+-]?\d+)?")
    if len(known) and is_decimal.all() and known.str.contains(",").any():
        return column.str.replace(",", ".")
    return column


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
