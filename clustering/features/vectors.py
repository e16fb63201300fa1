"""Vectors that came from elsewhere: taken as they are, standardised, or brought to length one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable, EncodeNew, Encoder
from clustering.features.batches import FeatureFile
from clustering.features.info import EncoderInfo
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell
from clustering.words import several

CHUNK = 8192  # rows held at a time


class Vectors(Encoder):
    """Embeddings or measurements as numbers, scaled or not."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="vectors",
        title="Vectors",
        kinds=("vectors",),
        dimensions=None,
        origin="No weights: the features are the vectors you brought.",
        summary="Takes embeddings from elsewhere; standardise when the columns have different units.",
        order=60,
    )

    def __init__(
        self,
        scaling: Annotated[
            Literal["as they are", "standardised", "length one"],
            Meaning(
                "Standardised gives every column mean 0 and deviation 1; length one compares directions only."
            ),
        ] = "as they are",
    ) -> None:
        self.scaling = scaling
        self._met = ""

    def describe(self) -> str:
        """Return what is done to the vectors, and what was met on the way."""
        sentence = {
            "as they are": "Vectors are taken as they are.",
            "standardised": "Every column is shifted to mean 0 and scaled to standard deviation 1.",
            "length one": "Every vector is scaled to length 1.",
        }[self.scaling]
        return sentence + self._met

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return the scaled vectors, float32 (n, d); see `Encoder.encode`."""
        self._check(collection)
        vectors = self._rows(collection)
        n, d = vectors.shape
        shift, scale = self._column_scaling(vectors)
        constant = int((scale == 0).sum())
        self._met = f" {several(constant, 'constant column')} became 0." if constant else ""
        key = self.key(collection)
        rows = FeatureFile(n, d, key, CHUNK, checkpoint)
        zero_rows = 0
        with rows:
            for first in range(rows.done, n, CHUNK):
                chunk, zeros = self._scaled(_finite(vectors, first, collection.name), shift, scale)
                zero_rows += zeros
                rows.write(first, chunk)
                tell(progress, rows.done, n, "Features from vectors")
        if zero_rows:
            self._met += f" {several(zero_rows, 'row')} of zeros stayed zeros."
        return rows.finished()

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:
        """Return a function that scales new vectors by the collection's columns; see `Encoder.prepared`."""
        self._check(collection)
        vectors = self._rows(collection)
        self._check_width(collection, dimensions, vectors.shape[1])
        shift, scale = self._column_scaling(vectors)

        def encode_new(newcomers: Encodable) -> NDArray[np.float32]:
            self._check(newcomers)
            rows = newcomers.data()
            assert isinstance(rows, np.ndarray)
            return self._scaled(_finite(rows, 0, newcomers.name, len(rows)), shift, scale)[0]

        return encode_new

    def _rows(self, collection: Encodable) -> NDArray[np.float32]:
        """Return what is scaled, (n, d)."""
        vectors = collection.data()
        assert isinstance(vectors, np.ndarray)
        return vectors

    def _scaled(
        self, chunk: NDArray[np.float64], shift: NDArray[np.float64], scale: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], int]:
        """Return the scaled rows, and how many of them are zeros that have no direction."""
        chunk = (chunk - shift) / np.where(scale == 0, 1, scale)
        if self.scaling != "length one":
            return chunk.astype(np.float32), 0
        lengths = np.linalg.norm(chunk, axis=1, keepdims=True)
        return (chunk / np.where(lengths == 0, 1, lengths)).astype(np.float32), int((lengths == 0).sum())

    def _column_scaling(
        self, vectors: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        d = vectors.shape[1]
        if self.scaling != "standardised":
            return np.zeros(d), np.ones(d)
        chunks = range(0, len(vectors), CHUNK)
        mean = sum(vectors[i : i + CHUNK].sum(axis=0, dtype=np.float64) for i in chunks) / len(vectors)
        squares = sum(((vectors[i : i + CHUNK] - mean) ** 2).sum(axis=0) for i in chunks)
        deviation = np.sqrt(np.asarray(squares) / len(vectors))
        # rounding leaves a constant column with a deviation near the last digit of its mean, not 0
        return np.asarray(mean), np.where(deviation <= 1e-6 * np.abs(mean), 0.0, deviation)


def _finite(vectors: NDArray[np.float32], first: int, name: str, count: int = CHUNK) -> NDArray[np.float64]:
    chunk = np.asarray(vectors[first : first + count], dtype=np.float64)
    wrong = np.argwhere(~np.isfinite(chunk))
    if len(wrong):
        row, column = int(wrong[0, 0]) + first, int(wrong[0, 1])
        raise StudioError(
            f"“{name}” holds values that are not finite numbers (first: row {row}, column {column}).",
            "Replace or remove them and load the vectors again.",
        )
    return chunk
