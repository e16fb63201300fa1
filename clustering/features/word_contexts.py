"""Words by what stands left and right of them and by how they end: no weights, any language."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable, EncodeNew, Encoder
from clustering.features.batches import written
from clustering.features.counted_words import SEEN, CountedWords
from clustering.features.info import EncoderInfo
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell


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
        _, found = self._learned(data)
        tell(progress, 1, 2, "Counting neighbours")
        return written(found, self.key(collection), checkpoint)

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:
        """Return a function that sees new words by the collection's counts; see `Encoder.prepared`."""
        self._check(collection)
        made, whole = self._learned(spans_of(collection))
        self._check_width(collection, dimensions, whole.shape[1])
        return lambda newcomers: made(spans_of(newcomers))

    def _learned(
        self, data: pd.DataFrame
    ) -> tuple[Callable[[pd.DataFrame], NDArray[np.float32]], NDArray[np.float32]]:
        """Return what makes rows of spans by the counts of a collection, and those of its own spans."""
        counts = CountedWords(
            data.drop_duplicates("sentence")["words"].tolist(), self.dimensions, self.vocabulary
        )
        whole = counts.blocks(data)
        mean, spread = whole.mean(axis=0), whole.std(axis=0)

        def scaled(blocks: NDArray[np.float64]) -> NDArray[np.float32]:
            return ((blocks - mean) / np.where(spread > 1e-9, spread, 1)).astype(np.float32)

        return lambda new: scaled(counts.blocks(new)), scaled(whole)


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
