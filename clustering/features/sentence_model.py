"""Texts as a sentence model sees them: what is said rather than the words it is said with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.features.base import Encodable, EncodeNew
from clustering.features.batches import FeatureFile
from clustering.features.info import EncoderInfo
from clustering.features.language_models import LanguageEncoder
from clustering.features.tfidf import texts_of
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell

if TYPE_CHECKING:
    import torch

CHUNK = 256  # texts between two words of progress


class SentenceModel(LanguageEncoder):
    """Any sentence-transformers model; rows are scaled to length √d, so that numbers are of size 1."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="sentence-model",
        title="Sentence model",
        kinds=("text",),
        dimensions=None,
        origin="Weights of the model named under “model”: a folder, an installed package, or the hub.",
        summary="What a text says, whatever its words: for short texts on many topics.",
        order=81,
        offline=False,
    )

    def __init__(
        self,
        model: Annotated[
            str, Meaning("A sentence-transformers id on the hub, or the folder of a downloaded model.")
        ] = "sentence-transformers/all-MiniLM-L6-v2",
        device: Annotated[
            Literal["auto", "cuda", "mps", "cpu"], Meaning("Where to compute.", advanced=True)
        ] = "auto",
        batch_size: Annotated[int, Interval(ge=1, le=4096), Meaning("Texts at a time.", advanced=True)] = 32,
    ) -> None:
        self.model = model
        self.device = device
        self.batch_size = batch_size
        self._met = ""

    def describe(self) -> str:
        """Return what the model reads."""
        return f"Texts as {self.model} sees them, scaled to one length.{self._met}"

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return one row a text, float32 (n, d); see `Encoder.encode`."""
        self._check(collection)
        texts, network = texts_of(collection), self._network()
        key = self.key(collection)
        rows: FeatureFile | None = None
        long = 0
        for first in range(0, len(texts), CHUNK):
            if rows is not None and first < rows.done:
                continue
            part = texts[first : first + CHUNK]
            if rows is None:  # the width is known with the first row
                width = self._rows(network, texts[:1]).shape[1]
                rows = FeatureFile(len(texts), width, key, CHUNK, checkpoint)
                if first < rows.done:
                    continue
            long += _longer(network, part)
            rows.write(first, self._rows(network, part))
            tell(progress, rows.done, len(texts), "Texts read by the sentence model")
        assert rows is not None
        if long:
            self._met = (
                f" {long:,} of {len(texts):,} texts are longer than the {network.max_seq_length} word "
                "pieces it "
                "reads: only their beginnings count."
            )
        return rows.finished()

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:
        """Return a function that reads new texts; see `Encoder.prepared`."""
        self._check(collection)
        network = self._network()
        self._check_width(collection, dimensions, self._rows(network, texts_of(collection)[:1]).shape[1])
        return lambda newcomers: self._rows(network, texts_of(newcomers))

    def _network(self) -> Any:
        def open_(place: str, here: bool, device: torch.device) -> Any:
            from sentence_transformers import SentenceTransformer

            return SentenceTransformer(place, device=str(device), local_files_only=here)

        return self._opened("sentence_transformers", open_)

    def _rows(self, network: Any, texts: list[str]) -> NDArray[np.float32]:
        found = np.asarray(
            network.encode(
                texts, batch_size=self.batch_size, show_progress_bar=False, normalize_embeddings=True
            )
        )
        return (found * np.sqrt(found.shape[1])).astype(np.float32)


def _longer(network: Any, texts: list[str]) -> int:
    """Return how many texts hold more word pieces than the model reads."""
    most = int(network.max_seq_length or 0)
    if not most:
        return 0
    # a word piece has at least one letter: shorter texts need not be cut up
    long = [text for text in texts if len(text) > most]
    pieces = (
        network.tokenizer(long, add_special_tokens=True, truncation=False, verbose=False)["input_ids"]
        if long
        else []
    )
    return sum(len(one) > most for one in pieces)
