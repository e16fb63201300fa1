"""The words of a text, in whatever script, and those that tell some texts from others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

# Chinese, Japanese and Thai put no spaces between words: two letters at a time stand for them.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_PIECES = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+(?:['’-][^\W_{_UNSPACED}]+)*")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
WORD_OR_MARK = r"\w+|[^\w\s]"  # what a sentence that is no treebank's is cut into
MOST_NAMED = 5_000  # words counted for names, the commonest first


def are_phrases(spans: pd.DataFrame) -> bool:
    """Say whether any item of a collection of words, with ``start`` and ``end``, is more than one word."""
    return bool((spans["end"] - spans["start"] > 1).any())


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, without punctuation; of unspaced script, pairs of letters."""
    found: list[str] = []
    for piece in _PIECES.findall(text.lower()):
        if _IS_UNSPACED.match(piece) and len(piece) > 1:
            found.extend(one + other for one, other in pairwise(piece))
        else:
            found.append(piece)
    return found


def telling_words(texts: Sequence[str], labels: ArrayLike, most: int = 5) -> dict[int, list[str]]:
    """Return for each group the words that tell it from the others: class-based tf-idf.

    All texts of a group count as one. A word weighs its share of the group's words times
    log(1 + A / f), where f is how often it stands in all groups together and A the mean number of words a
    group (Grootendorst 2022, arXiv:2203.05794, eq. 2). A word counts at most once a text, so that one long
    text does not name its group, and only words of two texts or more can name one.

    Parameters
    ----------
    texts : sequence of str
    labels : int array-like (n,)
        -1 belongs to no group.
    most : int
        Words a group.

    Returns
    -------
    dict of int to list of str
        Empty lists for groups without such words.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    groups = np.asarray(labels, dtype=np.int64)
    names = np.unique(groups[groups >= 0])
    kept = np.flatnonzero(groups >= 0)
    if not len(kept):
        return {}
    least = 2 if len(kept) > 2 else 1
    counter = CountVectorizer(analyzer=_once, min_df=least, max_features=MOST_NAMED, dtype=np.float64)
    try:
        counted = counter.fit_transform([texts[row] for row in kept.tolist()])
    except ValueError:  # no word at all
        return {int(name): [] for name in names}
    words = counter.get_feature_names_out()
    table = np.stack([np.asarray(counted[groups[kept] == name].sum(axis=0))[0] for name in names])
    weights = class_weights(table)
    order = np.argsort(-weights, axis=1, kind="stable")[:, :most]
    return {
        int(name): [str(words[column]) for column in row if weights[place, column] > 0]
        for place, (name, row) in enumerate(zip(names, order, strict=True))
    }


def class_weights(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the class-based tf-idf (K, words) of counts (K, words)."""
    sizes = table.sum(axis=1, keepdims=True)
    share = table / np.where(sizes > 0, sizes, 1)
    return np.asarray(share * np.log1p(sizes.mean() / np.maximum(table.sum(axis=0), 1)))


def names_of_groups(data: pd.DataFrame, labels: ArrayLike, most: int = 3) -> dict[int, str]:
    """Return a proposal of a name for each group of texts, or of words in sentences.

    Texts are named by the words that tell them apart, groups of words by their commonest members.
    """
    groups = np.asarray(labels)
    if "text" in data:
        found = telling_words(data["text"].tolist(), groups, most)
    else:
        found = {
            int(k): list(common_words(data, groups, int(k), most)) for k in np.unique(groups[groups >= 0])
        }
    return {label: ", ".join(words) for label, words in found.items() if words}


def common_words(
    data: pd.DataFrame, labels: NDArray[np.int64], label: int, most: int
) -> dict[str, list[int]]:
    """Return the commonest words or phrases of a group, each with its rows, of a collection of tokens."""
    rows = np.flatnonzero(labels == label)
    spoken = pd.Series([spoken_at(data, row).lower() for row in rows.tolist()], index=rows)
    counts = spoken.value_counts(sort=False).sort_values(ascending=False, kind="stable").head(most)
    return {str(word): spoken.index[spoken == word].tolist() for word in counts.index}


def spoken_at(data: pd.DataFrame, row: int) -> str:
    """Return the word or phrase of an item of a collection of tokens."""
    words, start, end = (data[name].iloc[row] for name in ("words", "start", "end"))
    return " ".join(words[start:end])


def in_context(data: pd.DataFrame, row: int, width: int = 8) -> tuple[str, str, str]:
    """Return what stands before a word or phrase, itself, and what stands behind it."""
    words, start, end = (data[name].iloc[row] for name in ("words", "start", "end"))
    before, behind = words[max(0, start - width) : start], words[end : end + width]
    left = ("… " if start > width else "") + " ".join(before)
    right = " ".join(behind) + (" …" if len(words) - end > width else "")
    return left, " ".join(words[start:end]), right


def _once(text: str) -> list[str]:
    return [word for word in dict.fromkeys(words_of(text)) if len(word) > 1 and not word.isdigit()]
