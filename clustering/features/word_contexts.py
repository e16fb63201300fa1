"""Words by what stands left and right of them and by how they end: no weights, any language."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable, Encoder
from clustering.features.batches import written
from clustering.features.info import EncoderInfo
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell

EDGE, RARE = "", "\0"  # beyond the sentence; words that are not among the counted
ENDINGS = 3  # letters
SEEN = 5  # times a neighbour must stand in the collection: of rarer ones the information is mostly chance


class WordContexts(Encoder):
    """Four blocks of equal width: the word, its left neighbour, its right one, its ending."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="word-contexts",
        title="Words and their neighbours",
        kinds=("tokens",),
        dimensions=None,
        origin="No weights: words are counted in the collection itself.",
        summary=(
            "Which words stand beside a word, and how it ends: enough to tell many parts of speech, "
            "without a "
            "network. A language model sees the whole sentence."
        ),
        order=85,
        version=2,
    )

    def __init__(
        self,
        dimensions: Annotated[int, Interval(ge=2, le=500), Meaning("Numbers a block; there are four.")] = 50,
        vocabulary: Annotated[
            int,
            Interval(ge=10, le=20_000),
            Meaning("Neighbours that are counted at most, the commonest first.", advanced=True),
        ] = 2000,
    ) -> None:
        self.dimensions = dimensions
        self.vocabulary = vocabulary

    def describe(self) -> str:
        """Return what the blocks are."""
        return (
            f"{self.dimensions} numbers each for a word, its left and its right neighbour, and its "
            "endings of up to three letters: positive pointwise mutual information with the words beside "
            f"them that stand in the collection {SEEN} times or more, reduced by SVD. Each is brought to one "
            "length, which would else tell how frequent a word is; then every column has mean 0 and "
            "deviation 1. Of a phrase, the left neighbour is that of its first word, the right that of its "
            "last, and word and ending are those of its last."
        )

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return the blocks, float32 (n, d); see `Encoder.encode`."""
        self._check(collection)
        data = spans_of(collection)
        tell(progress, 0, 2, "Counting neighbours")
        found = self._blocks(data)
        tell(progress, 1, 2, "Counting neighbours")
        return written(found, self.key(collection), checkpoint)

    def _blocks(self, data: pd.DataFrame) -> NDArray[np.float32]:
        sentences = data.drop_duplicates("sentence")["words"].tolist()
        lower = [[word.lower() for word in words] for words in sentences]
        types = {
            word: at for at, word in enumerate([EDGE, *dict.fromkeys(w for words in lower for w in words)])
        }
        counted = _counted(lower, self.dimensions, self.vocabulary)
        by_word = _of_one_length(_reduced(_ppmi(lower, types, counted), self.dimensions))
        by_ending = _of_one_length(_reduced(_endings(types), self.dimensions))
        where = data[["words", "start", "end"]].itertuples(index=False)
        picked = np.array([
            (types[words[end - 1].lower()], types[words[start - 1].lower() if start else EDGE],
             types[words[end].lower() if end < len(words) else EDGE])
            for words, start, end in where
        ])  # fmt: skip
        blocks = [
            by_word[picked[:, 0]],
            by_word[picked[:, 1]],
            by_word[picked[:, 2]],
            by_ending[picked[:, 0]],
        ]
        whole = np.concatenate(blocks, axis=1)
        spread = whole.std(axis=0)
        return ((whole - whole.mean(axis=0)) / np.where(spread > 1e-9, spread, 1)).astype(np.float32)


def spans_of(collection: Encodable) -> pd.DataFrame:
    """Return sentence, start, end and words of a collection's items.

    Raises
    ------
    StudioError
        When it holds no words in sentences.
    """
    data = collection.data()
    if not isinstance(data, pd.DataFrame) or "words" not in data:
        raise StudioError(f"“{collection.name}” holds no words in sentences.", "Choose such a collection.")
    return data


def _counted(sentences: list[list[str]], fewest: int, most: int) -> list[str]:
    """Return the words that count as neighbours: seen often enough, or the commonest where few are."""
    seen = Counter(word for words in sentences for word in words).most_common(most)
    often = sum(times >= SEEN for _, times in seen)
    return [word for word, _ in seen[: max(often, fewest)]]


def _ppmi(sentences: list[list[str]], types: dict[str, int], counted: list[str]) -> Any:
    """Return max(0, log p(w, c) / (p(w) p(c))) of words and what stands left or right of them, sparse."""
    from scipy.sparse import coo_array

    column = {word: at for at, word in enumerate([*counted, EDGE, RARE])}
    width = len(column)
    rows, columns = [], []
    for words in sentences:
        padded = [EDGE, *words, EDGE]
        for at, word in enumerate(words, 1):
            for beside, shift in ((padded[at - 1], 0), (padded[at + 1], width)):
                rows.append(types[word])
                columns.append(column.get(beside, column[RARE]) + shift)
    table = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(types), 2 * width)).tocsr().tocoo()
    of_word, of_context = np.asarray(table.sum(axis=1)).ravel(), np.asarray(table.sum(axis=0)).ravel()
    row, col = table.coords
    table.data = np.maximum(0, np.log(table.data * table.data.sum() / (of_word[row] * of_context[col])))
    return table.tocsr()


def _endings(types: dict[str, int]) -> Any:
    """Return which endings of one to three letters each word has, and whether it is no word, sparse."""
    from scipy.sparse import coo_array

    column: dict[str, int] = {}
    rows, columns = [], []
    for word, row in types.items():
        for length in range(1, ENDINGS + 1):
            if len(word) >= length:
                rows.append(row)
                columns.append(column.setdefault(word[-length:], len(column)))
    return coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(types), max(1, len(column)))).tocsr()


def _of_one_length(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale rows to length 1; zeros, as of what lies beyond a sentence, stay zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def _reduced(table: Any, dimensions: int) -> NDArray[np.float64]:
    from sklearn.decomposition import TruncatedSVD

    kept = min(dimensions, *(side - 1 for side in table.shape))
    if kept < 1:
        return np.asarray(table.toarray(), dtype=np.float64)
    return np.asarray(TruncatedSVD(kept, n_iter=7, random_state=0).fit_transform(table))
