"""Turn a table or a folder of text files into a collection of texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from clustering.collections.check import EXAMPLES, column_findings, duplicate_findings, few_findings
from clustering.collections.collection import TEXTS, Finding
from clustering.collections.columns import (
    check_column,
    label_columns,
    listed,
    of_items,
    shortened,
    typed_table,
)
from clustering.collections.delimited import decoded
from clustering.collections.loaded import Loaded
from clustering.collections.metadata import join, metadata_file, read_metadata
from clustering.collections.tables import first_equal, read_cells
from clustering.collections.text_options import TextOptions
from clustering.errors import StudioError
from clustering.files import write_whole
from clustering.progress import Progress, tell
from clustering.words import several

NAMES = (
    "text",
    "texts",
    "document",
    "content",
    "body",
    "abstract",
    "review",
    "message",
    "sentence",
    "description",
)
OPENING = 240  # letters of a text shown on a card
TITLE = 80
WORDY = 2.0  # words a value, on average, from which a column may hold texts


def read_texts(
    source: Path, part: Path, options: TextOptions, *, label_column: str | None, progress: Progress
) -> Loaded:
    """Read texts from a CSV, TSV, JSON-lines, Parquet or Excel file, or from a folder of ``.txt`` files.

    Raises
    ------
    StudioError
        When there is no text, or the column holds something else.
    """
    tell(progress, 0, 2, "reading the texts")
    if source.is_dir():
        raw, table, findings = _of_folder(source)
    else:
        raw, table, findings = _of_table(source, options.text_column)
    texts = raw.map(lambda value: value.strip() if isinstance(value, str) else "")
    empty = (texts == "").to_numpy()
    if empty.all():
        raise StudioError(f"Every text of {source.name} is empty.", "Choose another file or column.")
    check_column(table, label_column, source.name)
    ids, told = _ids(table)
    findings += told
    if empty.any():
        gone = tuple(ids[row] for row in empty.nonzero()[0][:EXAMPLES])
        sentence = f"{several(int(empty.sum()), 'text')} empty and left out ({listed(gone, 3)})."
        findings.append(Finding("empty", int(empty.sum()), sentence, gone))
    keep = ~empty
    texts, table, ids = (
        texts[keep].reset_index(drop=True),
        table[keep].reset_index(drop=True),
        ids[keep].reset_index(drop=True),
    )
    if len(texts) < 2:
        raise StudioError(f"{source.name} holds one text.", "A collection needs two or more.")
    lengths = texts.map(lambda text: len(text.split()))
    texts, cut = _cut(texts, lengths, ids, options.longest)
    tell(progress, 1, 2, "reading the texts")
    repeats = first_equal(texts.map(_digest).to_numpy())
    findings += [*cut, *duplicate_findings(ids.to_list(), repeats, "text")]
    labels = label_columns(table, label_column)
    findings += [
        *few_findings(len(texts)),
        *column_findings(table, labels, constant="kept as metadata", missing="kept as missing"),
    ]
    items = _items(ids, texts, lengths, table, [ids[row] if row >= 0 else None for row in repeats])
    write_whole(part / TEXTS, lambda stream: pd.DataFrame({"text": texts}).to_parquet(stream, index=False))
    whole = hashlib.blake2b(digest_size=16)
    for text in texts:
        whole.update(text.encode() + b"\0")
    first = Finding(
        "texts",
        len(texts),
        f"{several(len(texts), 'text')}, half of them of {several(int(lengths.median()), 'word')} or more.",
    )
    return Loaded(items, labels, whole.hexdigest(), (first, *findings))


def _of_table(path: Path, wanted: str | None) -> tuple[pd.Series[Any], pd.DataFrame, list[Finding]]:
    """Return the texts, the other columns, and what was met."""
    cells, findings = _json_lines(path) if path.suffix.lower() in (".jsonl", ".ndjson") else read_cells(path)
    table, odd = typed_table(cells)
    check_column(table, wanted, path.name)
    column = wanted or _text_column(table, path.name)
    known = table[column].dropna()
    if not (pd.api.types.is_string_dtype(known) or known.map(lambda value: isinstance(value, str)).all()):
        what = "numbers" if pd.api.types.is_numeric_dtype(known) else str(known.dtype)
        others = [str(name) for name in table if pd.api.types.is_string_dtype(table[name])]
        raise StudioError(
            f"Column “{column}” of {path.name} holds {what}, not texts (first: "
            f"{known.iloc[0] if len(known) else 'nothing'}).",
            f"Choose another text_column: {listed(others, 20)}."
            if others
            else "Choose a file with a column of texts.",
        )
    # as it was written: a text such as “12.0” or “true” would not be the same after it was typed
    return (
        table[column].reset_index(drop=True),
        table.drop(columns=column).reset_index(drop=True),
        [*findings, *odd],
    )


def _text_column(table: pd.DataFrame, source: str) -> str:
    by_name = {str(name).strip().lower(): str(name) for name in table.columns}
    called = next((by_name[name] for name in NAMES if name in by_name), None)
    if called is not None:
        return called
    wordy = {
        str(name): float(table[name].dropna().map(lambda text: len(text.split())).mean())
        for name in table
        if pd.api.types.is_string_dtype(table[name]) and table[name].notna().any()
    }
    if not wordy or max(wordy.values()) < WORDY:
        raise StudioError(
            f"{source} has no column of texts ({listed(list(table.columns))}).",
            "Name the column with text_column, or load the file as a table.",
        )
    return max(wordy, key=lambda name: wordy[name])


def _json_lines(path: Path) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    text, encoding = decoded(path)
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise StudioError(
                f"Line {number} of {path.name} is no JSON ({error.msg}).",
                'Write one object a line: {"text": "…"}.',
            ) from error
        rows.append(row if isinstance(row, dict) else {"text": row})
    if not rows:
        raise StudioError(f"{path.name} is empty.", 'Write one object a line: {"text": "…"}.')
    return pd.DataFrame(rows), _encoding_findings([path.name] if encoding != "utf-8" else [], encoding)


def _of_folder(folder: Path) -> tuple[pd.Series[Any], pd.DataFrame, list[Finding]]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".txt" and path.is_file())
    if not files:
        raise StudioError(f"{folder.name} holds no .txt file.", "Choose a folder of texts, one file each.")
    names = [path.relative_to(folder).as_posix() for path in files]
    texts, others, encodings = [], [], []
    for name, path in zip(names, files, strict=True):
        text, encoding = decoded(path)
        texts.append(text)
        if encoding not in ("utf-8", "utf-16"):
            others.append(name)
            encodings.append(encoding)
    findings = list(_encoding_findings(others, listed(sorted(set(encodings)))))
    table = pd.DataFrame({"file": names})
    folders = [name.rpartition("/")[0] for name in names]
    if len(set(folders)) > 1:
        table["folder"] = folders
    beside = metadata_file(folder)
    if beside is not None:
        metadata, met = read_metadata(beside)
        joined = join(metadata, names, "text")
        findings += [*met, *joined.findings]
        own = joined.table.rename(
            columns={name: f"{name} (metadata)" for name in joined.table if name in table}
        )
        table = pd.concat([table, own], axis=1)
        if joined.ids is not None:
            table["id"] = joined.ids
    return pd.Series(texts), table, findings


def _encoding_findings(names: Sequence[str], encoding: str) -> tuple[Finding, ...]:
    if not names:
        return ()
    sentence = (
        f"{several(len(names), 'file')} not UTF-8 ({listed(names, 3)}); read as {encoding}. Look at a few "
        "accents, and "
        "save as UTF-8 what looks wrong."
    )
    return (Finding("encoding", len(names), sentence, tuple(names[:EXAMPLES])),)


def _ids(table: pd.DataFrame) -> tuple[pd.Series[Any], list[Finding]]:
    """Return the file's own ids where each names one text, else the texts' numbers."""
    numbers = pd.Series(range(1, len(table) + 1), dtype="int64").astype("str")
    own = next((name for name in table if str(name).lower() == "id"), None)
    if own is None:
        if "file" in table and table["file"].is_unique:
            return table["file"].astype("str"), []
        return numbers, []
    ids = table[own].astype("str")
    twice = ids[ids.duplicated() | table[own].isna()]
    if not len(twice):
        return ids, []
    sentence = (
        f"The column “{own}” does not name every text by itself ({several(len(twice), 'value')} missing or "
        "given twice, "
        f"first: {twice.iloc[0]}); texts are numbered instead."
    )
    return numbers, [Finding("ids", len(twice), sentence, tuple(twice[:EXAMPLES]))]


def _cut(
    texts: pd.Series[Any], lengths: pd.Series[Any], ids: pd.Series[Any], longest: int
) -> tuple[pd.Series[Any], list[Finding]]:
    long = (lengths > longest).to_numpy()
    if not long.any():
        return texts, []
    texts = texts.copy()
    texts[long] = texts[long].map(lambda text: " ".join(text.split(maxsplit=longest)[:longest]))
    examples = tuple(ids[long][:EXAMPLES])
    sentence = (
        f"{several(int(long.sum()), 'text')} of up to {int(lengths.max()):,} words cut to the first "
        f"{longest:,} "
        f"({listed(examples, 3)}); cut them into chapters to keep all."
    )
    return texts, [Finding("long", int(long.sum()), sentence, examples)]


def _items(
    ids: pd.Series[Any],
    texts: pd.Series[Any],
    lengths: pd.Series[Any],
    table: pd.DataFrame,
    repeats: list[str | None],
) -> pd.DataFrame:
    """Return one row a text: id, title, how it begins, its length, and the columns that came along."""
    line = texts.str.split().str.join(" ")
    columns: dict[str, Any] = {"id": ids}
    if not any(str(name).strip().lower() in ("title", "name", "headline", "subject") for name in table):
        columns["title"] = line.map(lambda text: shortened(text, TITLE))
    columns |= {
        "opening": line.map(lambda text: shortened(text, OPENING)),
        "words": lengths,
        "duplicate_of": pd.Series(repeats, dtype="str"),
    }
    rest = table.drop(
        columns=[
            name for name in table if str(name).lower() == "id" and table[name].astype("str").equals(ids)
        ]
    )
    return of_items(columns, rest)


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)
