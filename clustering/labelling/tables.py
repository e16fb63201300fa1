"""Labels as a table to take along and to bring: ``id, label``, one row an item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.words import several

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("id", "label")
SEPARATORS = (",", ";", "\t")
NAMED = 3  # troublesome ids named
MEND = "Bring a CSV file with a column “id” and a column “label”, as “Labels as CSV” writes it."
LONGEST = 60  # letters of a label, as of a group's name


@dataclass(frozen=True)
class ReadLabels:
    """What a table of labels held.

    Parameters
    ----------
    labels : mapping of item to label
    notes : tuple of str
        Sentences about rows that were left out.
    """

    labels: Mapping[int, str]
    notes: tuple[str, ...]


def checked_label(text: str) -> str:
    """Return a label as it is kept: one line, without space around it.

    Raises
    ------
    StudioError
        When nothing is left of it, or it is too long.
    """
    plain = " ".join(text.split())
    if not plain:
        raise StudioError("The label is empty.", "Write at least one letter.")
    if len(plain) > LONGEST:
        raise StudioError(
            f"The label “{plain[:20]}…” has {len(plain)} letters; {LONGEST} is the most.", "Shorten it."
        )
    return plain


def read_labels(content: bytes, ids: Sequence[str]) -> ReadLabels:
    """Read a CSV file of labels; all of it or, where something is wrong, nothing.

    Rows without a label are left out, so a table of all items can be filled in little by little.

    Parameters
    ----------
    content : bytes
        UTF-8, separated by commas, semicolons or tabs.
    ids : sequence of str
        Of all items.

    Raises
    ------
    StudioError
        When a column is missing, an id unknown, an item has two different labels, or none has one.
    """
    table = _table(content)
    place = {str(id): row for row, id in enumerate(ids)}
    texts = table["label"].map(_without_apostrophe)
    written = texts.str.strip() != ""
    unknown = [id for id in table["id"][written] if id not in place]
    if unknown:
        raise StudioError(
            f"{several(len(unknown), 'id is', 'ids are')} not in the collection: {_named(unknown)}.",
            f"Ids look like “{ids[0]}”; correct or remove those rows." if len(ids) else MEND,
        )
    found: dict[int, str] = {}
    repeated, torn = 0, []
    for id, text in zip(table["id"][written], texts[written], strict=True):
        label, item = checked_label(text), place[id]
        repeated += item in found
        if found.setdefault(item, label) != label:
            torn.append(id)
    if torn:
        raise StudioError(
            f"{several(len(set(torn)), 'item has', 'items have')} two different labels: {_named(torn)}.",
            "Leave one row for each.",
        )
    if not found:
        raise StudioError("The file holds no label.", MEND)
    return ReadLabels(found, _notes(int((~written).sum()), repeated))


def label_column(labels: Mapping[int, str], n_items: int) -> NDArray[np.object_]:
    """Return the label of every item, None where it has none, (n,)."""
    column = np.full(n_items, None, dtype=object)
    column[list(labels)] = list(labels.values())
    return column


def _table(content: bytes) -> pd.DataFrame:
    import pandas as pd

    try:
        text = content.decode("utf-8-sig")
        separator = max(SEPARATORS, key=text.partition("\n")[0].count)
        table = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False, sep=separator)
    except ValueError as error:  # not UTF-8, empty, or torn rows
        raise StudioError(f"The file cannot be read as a table ({error}).", MEND) from None
    table.columns = table.columns.str.strip().str.lower()
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise StudioError(f"The file has no column “{missing[0]}”.", MEND)
    return table.fillna("").assign(id=lambda rows: rows["id"].map(_without_apostrophe).str.strip())


def _without_apostrophe(text: str) -> str:
    """Take back the apostrophe that keeps a spreadsheet from running a text as a formula."""
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@") else text


def _notes(empty: int, repeated: int) -> tuple[str, ...]:
    notes = []
    if empty:
        notes.append(f"{several(empty, 'row')} without a label {'was' if empty == 1 else 'were'} left out.")
    if repeated:
        notes.append(f"{several(repeated, 'row')} said the same again.")
    return tuple(notes)


def _named(ids: Sequence[str]) -> str:
    different = list(dict.fromkeys(ids))
    more = f" and {len(different) - NAMED} more" if len(different) > NAMED else ""
    return ", ".join(f"“{id}”" for id in different[:NAMED]) + more
