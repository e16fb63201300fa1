"""Words in sentences from small files, to be placed beside a collection of words or phrases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from clustering.collections.words import WORD_OR_MARK, are_phrases, in_context
from clustering.errors import StudioError
from clustering.newcomers.rows import refuse_many

if TYPE_CHECKING:
    from clustering.collections import Collection

TREEBANKS = (".conllu", ".conllu.gz")
AROUND = 4  # words on either side that a name shows
# Treebanks of English set “n't”, “'s” and the like apart.
_CLITICS = r"\w+(?=n['’]t\b)|n['’]t\b|['’](?:s|re|ve|ll|d|m)\b"
_CLITIC = re.compile(_CLITICS, re.IGNORECASE)
_PLAIN, _PARTED = re.compile(WORD_OR_MARK), re.compile(f"{_CLITICS}|{WORD_OR_MARK}", re.IGNORECASE)
MARK = (
    "Put those you ask about into square brackets, as in “The old [ship] sailed”; the sentence around them "
    "still counts."
)


def word_rows(collection: Collection, files: Sequence[Path]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the words of ``.txt`` and CoNLL-U files in their sentences, one row each, and their names.

    In a ``.txt`` every line is a sentence; where any words are in square brackets, only those are placed.

    Returns
    -------
    DataFrame
        ``sentence, start, end`` and ``words``, as a collection of words holds them.
    tuple of str
        Each word in its context.

    Raises
    ------
    StudioError
        When a file is no text, holds no word, or holds phrases and the collection words.
    """
    known = collection.data()
    assert isinstance(known, pd.DataFrame)
    phrases = are_phrases(known)
    pieces = _PARTED if _parts_clitics(known) else _PLAIN
    rows: list[tuple[int, int, int, list[str]]] = []
    sentences = 0
    for file in files:
        found = (
            _of_treebank(file, phrases)
            if file.name.lower().endswith(TREEBANKS)
            else _of_text(file, phrases, pieces)
        )
        for words, spans in found:
            rows += [(sentences, start, end, words) for start, end in spans]
            sentences += 1
    _refuse_crowds(len(rows), phrases)
    data = pd.DataFrame(rows, columns=["sentence", "start", "end", "words"])
    parts = [in_context(data, row, AROUND) for row in range(len(data))]
    return data, tuple(f"{left} [{item}] {right}".strip() for left, item, right in parts)


Marked = tuple[list[str], list[tuple[int, int]]]  # the words of a sentence, and the spans asked about


def _of_treebank(file: Path, phrases: bool) -> list[Marked]:
    from clustering.collections.conllu import phrases as phrases_of
    from clustering.collections.conllu import read_conllu

    found: list[Marked] = []
    for sentence in read_conllu(file):
        whole = [(at, at + 1) for at in range(len(sentence.words))]
        spans = [(start, end) for start, end, _ in phrases_of(sentence)] if phrases else whole
        found.append((sentence.words, spans))
    return found


def _of_text(file: Path, phrases: bool, pieces: re.Pattern[str]) -> list[Marked]:
    from clustering.collections.delimited import decoded

    if file.suffix.lower() != ".txt":
        raise StudioError(
            f"“{file.name}” holds no sentences.",
            "Drop a .txt with one sentence a line, or CoNLL-U (.conllu).",
        )
    lines = [line for line in decoded(file)[0].splitlines() if line.strip()]
    if not lines:
        raise StudioError(f"“{file.name}” is empty.", "Write a sentence into it.")
    marked = [_marked(line, pieces) for line in lines]
    if any(spans for _, spans in marked):
        _refuse_phrases(marked, phrases)
        return marked
    if phrases:
        raise StudioError(
            f"The items of this collection are phrases, and “{file.name}” does not say which.",
            "Put each phrase into square brackets, as in “[The old ship] sailed”, or drop CoNLL-U.",
        )
    return [(words, [(at, at + 1) for at in range(len(words))]) for words, _ in marked]


def _marked(line: str, pieces: re.Pattern[str]) -> Marked:
    """Return the words of a line, and which of them are in square brackets."""
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    for piece in pieces.findall(line):
        if piece == "[" and opened is None:
            opened = len(words)
        elif piece == "]" and opened is not None and len(words) > opened:
            spans.append((opened, len(words)))
            opened = None
        elif piece in "[]":
            raise StudioError(
                f"The square brackets in “{line.strip()[:60]}” do not close around words.",
                "Write one [ and one ] around each word you ask about.",
            )
        else:
            words.append(piece)
    if opened is not None:
        raise StudioError(
            f"A square bracket in “{line.strip()[:60]}” is not closed.", "Write ] behind the word."
        )
    return words, spans


def _parts_clitics(known: pd.DataFrame) -> bool:
    """Say whether the words of a collection were set apart as treebanks do: “do n't”."""
    sentences = known.drop_duplicates("sentence")["words"]
    return any(_CLITIC.fullmatch(word) for words in sentences for word in words)


def _refuse_phrases(marked: Sequence[Marked], phrases: bool) -> None:
    long = next(
        (" ".join(words[start:end]) for words, spans in marked for start, end in spans if end - start > 1),
        None,
    )
    if long is not None and not phrases:
        raise StudioError(
            f"“{long}” is a phrase, and the items of this collection are single words.",
            "Put each word into brackets of its own.",
        )


def _refuse_crowds(count: int, phrases: bool) -> None:
    if not count:
        raise StudioError("There is no phrase of two words or more.", "Drop longer sentences.")
    what = "phrases" if phrases else "words"
    try:
        refuse_many(count, f"{what} are in what you gave")
    except StudioError as error:
        raise StudioError(error.problem, MARK) from None
