"""Turn sentences into a collection of the words or phrases in them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustering.collections.check import column_findings, few_findings
from clustering.collections.collection import SENTENCES, SPANS, Finding
from clustering.collections.columns import check_column, label_columns, listed, of_items, typed_table
from clustering.collections.conllu import phrases, read_conllu
from clustering.collections.loaded import Loaded
from clustering.collections.tables import read_cells
from clustering.collections.text_options import TokenOptions
from clustering.collections.words import WORD_OR_MARK, in_context, spoken_at
from clustering.errors import StudioError
from clustering.files import write_whole
from clustering.progress import Progress, tell
from clustering.words import several

PLACES = ("document", "sentence")  # where an item stands, not what it is: no reference
WINDOW = 2  # words on either side that make a context


def read_tokens(
    path: Path, part: Path, options: TokenOptions, *, label_column: str | None, progress: Progress
) -> Loaded:
    """Read words or phrases in sentences from CoNLL-U, or from a table of sentence, start and end.

    Raises
    ------
    StudioError
        When a line or row cannot be read, or a span lies outside of its sentence.
    """
    tell(progress, 0, 2, "reading the sentences")
    treebank = path.name.lower().endswith((".conllu", ".conllu.gz"))
    sentences, spans, table, findings = _of_treebank(path, options) if treebank else _of_table(path, options)
    if len(spans) < 2:
        raise StudioError(
            f"{path.name} gives {several(len(spans), 'item')}.", "A collection needs two or more."
        )
    check_column(table, label_column, path.name)
    tell(progress, 1, 2, "reading the sentences")
    data = spans.assign(words=pd.Series([sentences[at] for at in spans["sentence"].tolist()]))
    places = [name for name in PLACES if name in table and name != label_column]
    labels = label_columns(table.drop(columns=places), label_column)
    first = Finding(
        "tokens",
        len(spans),
        f"{several(len(spans), 'word or phrase', 'words or phrases')} in "
        f"{several(len(sentences), 'sentence')}.",
    )
    findings = [
        first, *findings, *few_findings(len(spans)),
        *column_findings(table, labels, constant="kept as metadata", missing="kept as missing"),
    ]  # fmt: skip
    write_whole(
        part / SENTENCES, lambda stream: pd.DataFrame({"words": sentences}).to_parquet(stream, index=False)
    )
    write_whole(part / SPANS, lambda stream: spans.to_parquet(stream, index=False))
    return Loaded(_items(data, table), labels, _content_hash(sentences, spans), tuple(findings))


def neighbouring_words(data: pd.DataFrame, window: int = WINDOW) -> NDArray[np.int64]:
    """Return pairs of items that stand at most ``window`` items apart in one sentence, int64 (e, 2)."""
    sentence, start = data["sentence"].to_numpy(), data["start"].to_numpy()
    order = np.lexsort((start, sentence))
    pairs = []
    for apart in range(1, window + 1):
        one, other = order[:-apart], order[apart:]
        together = sentence[one] == sentence[other]
        pairs.append(np.stack([one[together], other[together]], axis=1))
    return np.concatenate(pairs).astype(np.int64)


def _of_treebank(
    path: Path, options: TokenOptions
) -> tuple[list[list[str]], pd.DataFrame, pd.DataFrame, list[Finding]]:
    found = read_conllu(path)
    spans, facts, left_out = [], [], 0
    for at, sentence in enumerate(found):
        whole = [(word, word + 1, word) for word in range(len(sentence.words))]
        for start, end, head in phrases(sentence) if options.spans == "phrases" else whole:
            if (
                options.spans == "words"
                and options.punctuation == "leave out"
                and sentence.tags[head] == "PUNCT"
            ):
                left_out += 1
                continue
            spans.append((at, start, end))
            facts.append((
                sentence.tags[head], sentence.fine_tags[head], sentence.relations[head],
                sentence.document or None, sentence.name or str(at + 1),
            ))  # fmt: skip
    table = pd.DataFrame(facts, columns=["tag", "fine tag", "relation", "document", "sentence"])
    table = table.replace({"_": None})
    table = table.drop(columns=[name for name in table if table[name].isna().all()])
    findings = []
    if left_out:
        findings.append(
            Finding(
                "punctuation",
                left_out,
                f"{several(left_out, 'punctuation mark')} left out as items; the sentences keep them.",
            )
        )
    return [one.words for one in found], _spans(spans), table, findings


def _of_table(
    path: Path, options: TokenOptions
) -> tuple[list[list[str]], pd.DataFrame, pd.DataFrame, list[Finding]]:
    cells, findings = read_cells(path)
    table, odd = typed_table(cells)
    by_name = {str(name).strip().lower(): str(name) for name in table.columns}
    chosen = {
        "sentence": options.sentence_column or by_name.get("sentence") or by_name.get("text"),
        "start": options.start_column or by_name.get("start"),
        "end": options.end_column or by_name.get("end"),
    }
    for what, name in chosen.items():
        if name is None or name not in table:
            raise StudioError(
                f"{path.name} has no column “{name or what}” ({listed(list(table.columns), 20)}).",
                f"Name the column with {what}_column, or load the file as another kind.",
            )
        if what != "sentence" and not pd.api.types.is_integer_dtype(table[name]):
            raise StudioError(
                f"Column “{name}” of {path.name} does not hold whole numbers only.",
                "Write positions from 0 on, in every row.",
            )
    texts = table[chosen["sentence"]].map(lambda value: value if isinstance(value, str) else "")
    numbers, distinct = pd.factorize(texts)
    places = [_places(text, options.positions) for text in distinct]
    spans = []
    starts, ends = (table[chosen[name]].tolist() for name in ("start", "end"))
    for row, (at, start, end) in enumerate(zip(numbers.tolist(), starts, ends, strict=True), 1):
        words = _covered(places[at], start, end, options.positions)
        if words is None:
            raise StudioError(
                f"Row {row} of {path.name} names {options.positions} {start} to {end}, which its sentence "
                "does not have "
                f"(“{str(distinct[at])[:60]}”).",
                "Count from 0; the end is the first that no longer belongs. Choose positions “words” or "
                "“characters”.",
            )
        spans.append((at, *words))
    rest = table.drop(columns=[str(name) for name in chosen.values()])
    return [[text for text, _, _ in found] for found in places], _spans(spans), rest, [*findings, *odd]


def _places(text: str, positions: str) -> list[tuple[str, int, int]]:
    pattern = re.compile(r"\S+" if positions == "words" else WORD_OR_MARK)
    return [(match[0], match.start(), match.end()) for match in pattern.finditer(text)]


def _covered(
    places: list[tuple[str, int, int]], start: int, end: int, positions: str
) -> tuple[int, int] | None:
    """Return the first word of a span and the one behind its last, or None where there are none."""
    if positions == "words":
        return (start, end) if 0 <= start < end <= len(places) else None
    inside = [at for at, (_, first, last) in enumerate(places) if first < end and last > start]
    fits = 0 <= start < end and places and end <= places[-1][2]
    return (inside[0], inside[-1] + 1) if inside and fits else None


def _spans(spans: list[tuple[int, int, int]]) -> pd.DataFrame:
    return pd.DataFrame(np.array(spans, dtype=np.int64).reshape(-1, 3), columns=["sentence", "start", "end"])


def _items(data: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    rows = range(len(data))
    own = next((name for name in table if str(name).lower() == "id"), None)
    unique = own is not None and table[own].notna().all() and table[own].astype("str").is_unique
    parts = [in_context(data, row) for row in rows]
    columns: dict[str, Any] = {
        "id": table[own].astype("str") if unique else pd.Series(rows).add(1).astype("str"),
        "title": [spoken_at(data, row) for row in rows],
        "opening": [f"{left} [{word}] {right}".strip() for left, word, right in parts],
    }
    rest = table.drop(columns=own) if unique else table
    return of_items(columns, rest)


def _content_hash(sentences: list[list[str]], spans: pd.DataFrame) -> str:
    whole = hashlib.blake2b(spans.to_numpy().tobytes(), digest_size=16)
    for words in sentences:
        whole.update("\t".join(words).encode() + b"\n")
    return whole.hexdigest()
