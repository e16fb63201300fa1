"""Texts from small files, to be placed beside a collection of texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from clustering.errors import StudioError
from clustering.newcomers.rows import refuse_many


def text_rows(files: Sequence[Path]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the texts of ``.txt`` files, one row a file, and their names.

    Raises
    ------
    StudioError
        When a file is no text, or an empty one.
    """
    from clustering.collections.delimited import decoded

    refuse_many(len(files), "texts were dropped")
    texts = []
    for file in files:
        if file.suffix.lower() != ".txt":
            raise StudioError(f"“{file.name}” is not a .txt file.", "Save the text as .txt, one file each.")
        text = decoded(file)[0].strip()
        if not text:
            raise StudioError(f"“{file.name}” is empty.", "Leave it out, or write something into it.")
        texts.append(text)
    return pd.DataFrame({"text": texts}), tuple(file.name for file in files)
