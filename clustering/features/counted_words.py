"""Vectors of words from what stands beside them and from how they end, also of words met later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

EDGE, RARE = "", "\0"  # beyond the sentence; words that are not among the counted
ENDINGS = 3  # letters
SEEN = 5  # times a neighbour must stand in the collection: of rarer ones the information is mostly chance

Rows = NDArray[np.float64]


class CountedWords:
    """What was counted in some sentences.

    Parameters
    ----------
    sentences : sequence of list of str
    dimensions : int
        Numbers a vector.
    vocabulary : int
        Neighbours that are counted at most.
    """

    def __init__(self, sentences: Sequence[list[str]], dimensions: int, vocabulary: int) -> None:
        lower = [[word.lower() for word in words] for words in sentences]
        words = dict.fromkeys(word for sentence in lower for word in sentence)
        self.row = {word: at for at, word in enumerate([EDGE, *words])}
        counted = _counted(lower, dimensions, vocabulary)
        self.column = {word: at for at, word in enumerate([*counted, EDGE, RARE])}
        beside = _beside(lower, self.row, self.column)
        self._of_context = np.asarray(beside.sum(axis=0)).ravel()
        by_word, self._neighbours = _reduced(_information(beside, self._of_context), dimensions)
        endings = dict.fromkeys(word[-length:] for word in words for length in _lengths(word))
        self.ending = {ending: at for at, ending in enumerate(endings)}
        by_ending, self._endings = _reduced(_ends(list(self.row), self.ending), dimensions)
        self.by_word, self.by_ending = _of_one_length(by_word), _of_one_length(by_ending)

    def blocks(self, data: pd.DataFrame) -> Rows:
        """Return of every span the word, its left neighbour, its right one and its ending, side by side.

        A word that was not counted is placed by the two words beside it, as one that was counted once, and by
        its ending.

        Parameters
        ----------
        data : DataFrame
            With ``start, end`` and ``words``, the words of the sentence.

        Returns
        -------
        float64 array (n, 4 k)
        """
        met: dict[tuple[str, str, str], int] = {}  # words that were not counted, with their neighbours

        def at(words: list[str], place: int) -> int:
            word, left, right = (
                words[there].lower() if 0 <= there < len(words) else EDGE
                for there in (place, place - 1, place + 1)
            )
            known = self.row.get(word)
            return met.setdefault((word, left, right), len(self.row) + len(met)) if known is None else known

        spans = data[["words", "start", "end"]].itertuples(index=False)
        picked = np.array(
            [(at(words, end - 1), at(words, start - 1), at(words, end)) for words, start, end in spans]
        )
        by_word, by_ending = self.by_word, self.by_ending
        if met:
            by_word = np.concatenate([by_word, self._folded_in(list(met))])
            ends = self._endings(_ends([word for word, _, _ in met], self.ending))
            by_ending = np.concatenate([by_ending, _of_one_length(ends)])
        word, left, right = picked.T
        return np.concatenate([by_word[word], by_word[left], by_word[right], by_ending[word]], axis=1)

    def _folded_in(self, met: Sequence[tuple[str, str, str]]) -> Rows:
        """Return the vectors of words that stood once, between a left and a right neighbour."""
        from scipy.sparse import csr_array

        columns = np.array(
            [
                (
                    self.column.get(left, self.column[RARE]),
                    len(self.column) + self.column.get(right, self.column[RARE]),
                )
                for _, left, right in met
            ]
        )
        starts = 2 * np.arange(len(met) + 1)
        shape = (len(met), 2 * len(self.column))
        once = csr_array((np.ones(columns.size), columns.ravel(), starts), shape=shape)
        return _of_one_length(self._neighbours(_information(once, self._of_context)))


def _counted(sentences: list[list[str]], fewest: int, most: int) -> list[str]:
    """Return the words that count as neighbours: seen often enough, or the commonest where few are."""
    seen = Counter(word for words in sentences for word in words).most_common(most)
    often = sum(times >= SEEN for _, times in seen)
    return [word for word, _ in seen[: max(often, fewest)]]


def _beside(sentences: list[list[str]], row: dict[str, int], column: dict[str, int]) -> Any:
    """Count what stands left of every word and, in as many more columns, what stands right of it, sparse."""
    from scipy.sparse import coo_array

    rows, columns = [], []
    for words in sentences:
        padded = [EDGE, *words, EDGE]
        for at, word in enumerate(words, 1):
            for beside, shift in ((padded[at - 1], 0), (padded[at + 1], len(column))):
                rows.append(row[word])
                columns.append(column.get(beside, column[RARE]) + shift)
    return coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(row), 2 * len(column))).tocsr()


def _information(counts: Any, of_context: Rows) -> Any:
    """Return max(0, log p(w, c) / (p(w) p(c))) of words' counts (w, c), sparse.

    ``of_context`` (c,) is how often each neighbour stood beside a word in the collection; one that never did
    says nothing.
    """
    table = counts.tocoo()
    of_word = np.asarray(table.sum(axis=1)).ravel()
    row, col = table.coords
    expected = of_word[row] * of_context[col]
    shares = np.divide(table.data * of_context.sum(), expected, out=np.ones(len(row)), where=expected > 0)
    table.data = np.maximum(0, np.log(shares))
    return table.tocsr()


def _lengths(word: str) -> range:
    return range(1, min(ENDINGS, len(word)) + 1)


def _ends(words: Sequence[str], column: dict[str, int]) -> Any:
    """Return which of the endings in ``column`` each word has, sparse."""
    from scipy.sparse import coo_array

    found = [
        (at, column[word[-length:]])
        for at, word in enumerate(words)
        for length in _lengths(word)
        if word[-length:] in column
    ]
    rows, columns = np.array(found, dtype=np.int64).reshape(-1, 2).T
    return coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(words), max(1, len(column)))).tocsr()


def _of_one_length(rows: Rows) -> Rows:
    """Scale rows to length 1; zeros, as of what lies beyond a sentence, stay zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def _reduced(table: Any, dimensions: int) -> tuple[Rows, Callable[[Any], Rows]]:
    """Return the main directions of a table's rows, and a function that finds them for further rows."""
    from sklearn.decomposition import TruncatedSVD

    kept = min(dimensions, *(side - 1 for side in table.shape))
    if kept < 1:
        return table.toarray(), lambda new: np.asarray(new.toarray())
    svd = TruncatedSVD(kept, n_iter=7, random_state=0)
    return np.asarray(svd.fit_transform(table)), svd.transform
