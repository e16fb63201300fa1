"""Texts by the words in them: tf-idf, and the main directions of it (latent semantic analysis)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.collections.words import words_of
from clustering.errors import StudioError
from clustering.features.base import Encodable, EncodeNew, Encoder
from clustering.features.batches import written
from clustering.features.info import EncoderInfo
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell

MOST_ROWS = 20_000  # texts the directions are learned from
SEVERAL = 20  # texts from which a word must stand in two of them


class Tfidf(Encoder):
    """Words weighted by how rare they are, float32 (n, d); rows have length √d, so numbers are of size 1."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="tfidf",
        title="Words of texts (tf-idf, LSA)",
        kinds=("text",),
        dimensions=None,
        origin="No weights: words are counted in the collection itself.",
        summary=(
            "Which words a text holds, in any language, without a network. Texts that say the same in other "
            "words lie apart; a sentence model sees that."
        ),
        order=80,
    )

    def __init__(
        self,
        dimensions: Annotated[
            int | None,
            Interval(ge=2, le=1000),
            Meaning("Main directions that are kept (LSA); empty: one column a word."),
        ] = 50,
        vocabulary: Annotated[
            int,
            Interval(ge=10, le=100_000),
            Meaning("Words that are counted, the commonest first.", advanced=True),
        ] = 20_000,
    ) -> None:
        self.dimensions = dimensions
        self.vocabulary = vocabulary

    def describe(self) -> str:
        """Return what is counted."""
        kept = f"; of it {self.dimensions} main directions (truncated SVD)" if self.dimensions else ""
        return (
            "Every word counts 1 + log of how often it stands in a text, times the log of how rare it is "
            "among the "
            f"texts{kept}. Words that stand in one text only are left out. Rows are scaled to one length: "
            "only "
            "their direction counts."
        )

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return the weighted words, float32 (n, d); see `Encoder.encode`."""
        self._check(collection)
        tell(progress, 0, 2, "Counting words")
        made = self._learned(collection)
        tell(progress, 1, 2, "Counting words")
        found = made(texts_of(collection))
        return written(found, self.key(collection), checkpoint)

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:
        """Return a function that weighs new texts by the collection's words; see `Encoder.prepared`."""
        self._check(collection)
        made = self._learned(collection)
        self._check_width(collection, dimensions, made(texts_of(collection)[:1]).shape[1])
        return lambda newcomers: made(texts_of(newcomers))

    def _learned(self, collection: Encodable) -> Any:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        texts = texts_of(collection)
        least = 2 if len(texts) >= SEVERAL else 1
        counter = TfidfVectorizer(
            analyzer=words_of, min_df=least, max_features=self.vocabulary, sublinear_tf=True, dtype=np.float64
        )
        try:
            counted = counter.fit_transform(texts)
        except ValueError as error:
            raise StudioError(
                f"No word stands in {least} texts or more of “{collection.name}”.",
                "Choose a sentence model as encoder, or load longer texts.",
            ) from error
        wanted = self.dimensions
        if wanted is None or min(counted.shape) <= 2:
            return lambda new: _scaled(counter.transform(new).toarray())
        chosen = np.unique(np.linspace(0, len(texts) - 1, min(MOST_ROWS, len(texts))).astype(int))
        svd = TruncatedSVD(min(wanted, *(side - 1 for side in counted.shape)), n_iter=7, random_state=0)
        svd.fit(counted[chosen])
        return lambda new: _scaled(svd.transform(counter.transform(new)))


def texts_of(collection: Encodable) -> list[str]:
    """Return the texts of a collection.

    Raises
    ------
    StudioError
        When it holds none.
    """
    data = collection.data()
    if not isinstance(data, pd.DataFrame) or "text" not in data:
        raise StudioError(f"“{collection.name}” holds no texts.", "Choose a collection of texts.")
    return data["text"].tolist()


def _scaled(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Give rows the length √d; a text without any known word stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1) * np.sqrt(rows.shape[1])).astype(np.float32)
