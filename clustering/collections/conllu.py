"""Read CoNLL-U, the form treebanks come in: one word a line, ten columns, an empty line behind a sentence."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from clustering.errors import StudioError
from clustering.words import several

COLUMNS = 10
MOST_BYTES = 2 * 2**30  # unpacked
MEND = "Save it again as CoNLL-U: ten columns with tabs between them, an empty line behind each sentence."


@dataclass
class Sentence:
    """One sentence; lists have one entry a word.

    Attributes
    ----------
    name, document : str
        As its comments say, else empty.
    words, tags, fine_tags, relations : list of str
        Forms, universal and own parts of speech, relations to the head.
    heads : list of int
        Position of the head, from 0; -1 for the root.
    """

    name: str = ""
    document: str = ""
    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    fine_tags: list[str] = field(default_factory=list)
    relations: list[str] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)


def read_conllu(path: Path) -> list[Sentence]:
    """Return the sentences of a ``.conllu`` or ``.conllu.gz`` file.

    Words that are several at once (``3-4``) and empty nodes (``5.1``) are passed over: their parts and the
    words around them are there.

    Raises
    ------
    StudioError
        Naming the line that cannot be read.
    """
    sentences: list[Sentence] = []
    now, document = Sentence(), ""
    for number, line in enumerate([*_text(path).splitlines(), ""], 1):
        if not line.strip():
            if now.words:
                sentences.append(_whole(now, path, number))
            now = Sentence(document=document)
        elif line.startswith("#"):
            key, _, value = line[1:].partition("=")
            if key.strip() == "newdoc id":
                document = now.document = value.strip()
            elif key.strip() == "sent_id":
                now.name = value.strip()
        else:
            _add(now, line, path, number)
    if not sentences:
        raise StudioError(f"{path.name} holds no sentence.", MEND)
    return sentences


def phrases(sentence: Sentence) -> list[tuple[int, int, int]]:
    """Return (start, end, head) of every phrase of two words or more: a word and all that hangs on it.

    Only those whose words stand side by side; the whole sentence is left out.
    """
    reach = [{word} for word in range(len(sentence.words))]
    for word, above in enumerate(sentence.heads):
        seen = {word}
        while above >= 0 and above not in seen:
            reach[above].add(word)
            seen.add(above)
            above = sentence.heads[above]
    found = []
    for head, words in enumerate(reach):
        start, end = min(words), max(words) + 1
        if 2 <= len(words) == end - start < len(sentence.words):
            found.append((start, end, head))
    return sorted(found)


def _text(path: Path) -> str:
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path) as stream:
                raw = stream.read(MOST_BYTES + 1)
        else:
            raw = path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise StudioError(
            f"{path.name} cannot be read ({error}).", "Pack it again, or unpack it first."
        ) from error
    if len(raw) > MOST_BYTES:
        raise StudioError(f"{path.name} is larger than {MOST_BYTES / 2**30:.0f} GB.", "Split it.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise StudioError(
            f"{path.name} is not UTF-8 (first at line {line}).", "Save it again as UTF-8, as CoNLL-U asks."
        ) from error


def _add(sentence: Sentence, line: str, path: Path, number: int) -> None:
    cells = line.split("\t")
    if len(cells) != COLUMNS:
        raise StudioError(
            f"Line {number} of {path.name} has {several(len(cells), 'column')}; CoNLL-U has {COLUMNS}.", MEND
        )
    if "-" in cells[0] or "." in cells[0]:
        return
    if cells[0] != str(len(sentence.words) + 1):
        raise StudioError(
            f"Line {number} of {path.name} is numbered “{cells[0]}”; word {len(sentence.words) + 1} "
            "should follow.",
            MEND,
        )
    if cells[6] != "_" and not cells[6].isdigit():
        raise StudioError(f"Line {number} of {path.name} hangs on “{cells[6]}”, which is no number.", MEND)
    sentence.words.append(cells[1])
    sentence.tags.append(cells[3])
    sentence.fine_tags.append(cells[4])
    sentence.heads.append(-1 if cells[6] == "_" else int(cells[6]) - 1)
    sentence.relations.append(cells[7])


def _whole(sentence: Sentence, path: Path, number: int) -> Sentence:
    wrong = [head for head in sentence.heads if head >= len(sentence.words)]
    if wrong:
        raise StudioError(
            f"The sentence that ends at line {number} of {path.name} has "
            f"{several(len(sentence.words), 'word')}, but one hangs on word {wrong[0] + 1}.",
            MEND,
        )
    return sentence
