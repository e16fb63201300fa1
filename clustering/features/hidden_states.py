"""Words and phrases as a language model sees them in their sentence, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.collections.words import are_phrases
from clustering.errors import StudioError
from clustering.features.base import Encodable, EncodeNew
from clustering.features.batches import written
from clustering.features.info import EncoderInfo
from clustering.features.language_models import LanguageEncoder
from clustering.features.word_contexts import spans_of
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell

if TYPE_CHECKING:
    import torch


class HiddenStates(LanguageEncoder):
    """The state of a word at a layer, mean of its pieces; of phrases the two end points side by side."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="hidden-states",
        title="States of a language model",
        kinds=("tokens",),
        dimensions=None,
        origin="Weights of the model named under “model”: a folder, an installed package, or the hub.",
        summary="What a language model makes of a word in its sentence; compare its layers.",
        order=86,
        offline=False,
    )

    def __init__(
        self,
        model: Annotated[
            str, Meaning("A transformers id on the hub, such as bert-base-cased, or the folder of one.")
        ] = "sentence-transformers/all-MiniLM-L6-v2",
        layer: Annotated[
            int,
            Interval(ge=0, le=200),
            Meaning("Which layer's states: 0 are the words before the first layer."),
        ] = 4,
        device: Annotated[
            Literal["auto", "cuda", "mps", "cpu"], Meaning("Where to compute.", advanced=True)
        ] = "auto",
        batch_size: Annotated[
            int, Interval(ge=1, le=4096), Meaning("Sentences at a time.", advanced=True)
        ] = 32,
    ) -> None:
        self.model = model
        self.layer = layer
        self.device = device
        self.batch_size = batch_size
        self._met = ""

    def describe(self) -> str:
        """Return what is taken from the model."""
        return (
            f"States of layer {self.layer} of {self.model}; the pieces of a word are averaged, of phrases "
            "the states "
            f"of first and last word stand side by side.{self._met}"
        )

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return one row an item, float32 (n, d); see `Encoder.encode`."""
        self._check(collection)
        data = spans_of(collection)
        tokenizer, network = self._network()
        states, split = self._states(tokenizer, network, _sentences(data), progress)
        found = _of_spans(data, states, are_phrases(data))
        self._met = f" {split:,} sentences were too long for it and read in parts." if split else ""
        return written(found, self.key(collection), checkpoint)

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:
        """Return a function that reads the sentences of new words; see `Encoder.prepared`."""
        self._check(collection)
        known = spans_of(collection)
        tokenizer, network = self._network()
        phrases = are_phrases(known)

        def encode_new(newcomers: Encodable) -> NDArray[np.float32]:
            data = spans_of(newcomers)
            return _of_spans(data, self._states(tokenizer, network, _sentences(data), silent)[0], phrases)

        self._check_width(collection, dimensions, int(network.config.hidden_size) * (1 + phrases))
        return encode_new

    def _states(
        self, tokenizer: Any, network: Any, sentences: pd.Series[Any], progress: Progress
    ) -> tuple[dict[int, NDArray[np.float32]], int]:
        """Return the states (words, d) of every sentence, and how many were read in parts."""
        most = min(int(network.config.max_position_embeddings), 512)
        parts = [
            (number, part)
            for number, words in zip(sentences.index.tolist(), sentences.tolist(), strict=True)
            for part in _parts(tokenizer, words, most)
        ]
        states: dict[int, list[NDArray[np.float32]]] = {number: [] for number, _ in parts}
        for first in range(0, len(parts), self.batch_size):
            batch = parts[first : first + self.batch_size]
            for (number, _), rows in zip(
                batch, self._read(tokenizer, network, [words for _, words in batch]), strict=True
            ):
                states[number].append(rows)
            tell(progress, first + len(batch), len(parts), "Sentences read by the language model")
        return {number: np.concatenate(rows) for number, rows in states.items()}, sum(
            len(rows) > 1 for rows in states.values()
        )

    def _read(self, tokenizer: Any, network: Any, batch: list[list[str]]) -> list[NDArray[np.float32]]:
        import torch

        given = tokenizer(batch, is_split_into_words=True, padding=True, return_tensors="pt")
        with torch.inference_mode():
            out = network(
                **{name: value.to(network.device) for name, value in given.items()}, output_hidden_states=True
            )
        states = out.hidden_states[self.layer].float().cpu().numpy()
        return [_of_words(states[row], given.word_ids(row), len(words)) for row, words in enumerate(batch)]

    def _network(self) -> tuple[Any, Any]:
        def open_(place: str, here: bool, device: torch.device) -> tuple[Any, Any]:
            from transformers import AutoModel, AutoTokenizer

            chosen = {"local_files_only": here, "trust_remote_code": False}
            tokenizer = AutoTokenizer.from_pretrained(place, use_fast=True, add_prefix_space=True, **chosen)
            return tokenizer, AutoModel.from_pretrained(place, use_safetensors=True, **chosen).to(
                device
            ).eval()

        tokenizer, network = self._opened("transformers", open_)
        layers = int(network.config.num_hidden_layers)
        if self.layer > layers:
            raise StudioError(
                f"{self.model} has {layers} layers; there is no layer {self.layer}.",
                f"Choose a layer from 0 to {layers}.",
            )
        return tokenizer, network


def _parts(tokenizer: Any, words: list[str], most: int) -> list[list[str]]:
    """Cut a sentence between words where it has more pieces than the model reads."""
    pieces = [
        len(one)
        for one in tokenizer([[word] for word in words], is_split_into_words=True, add_special_tokens=False)[
            "input_ids"
        ]
    ]
    if sum(pieces) <= most - 2:
        return [words]
    parts: list[list[str]] = [[]]
    room = most - 2
    for word, length in zip(words, pieces, strict=True):
        if parts[-1] and length > room:
            parts.append([])
            room = most - 2
        parts[-1].append(word if length <= most - 2 else word[: most - 2])
        room -= length
    return parts


def _of_words(states: NDArray[np.float32], word_ids: list[int | None], n_words: int) -> NDArray[np.float32]:
    """Return the mean state of the pieces of every word (n_words, d); a word without any piece gets zeros."""
    sums, counts = np.zeros((n_words, states.shape[1]), np.float32), np.zeros(n_words)
    for state, word in zip(states, word_ids, strict=True):
        if word is not None:
            sums[word] += state
            counts[word] += 1
    return (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)


def _of_span(states: NDArray[np.float32], start: int, end: int, phrases: bool) -> NDArray[np.float32]:
    return np.concatenate([states[start], states[end - 1]]) if phrases else states[start]


def _of_spans(
    data: pd.DataFrame, states: dict[int, NDArray[np.float32]], phrases: bool
) -> NDArray[np.float32]:
    spans = data[["sentence", "start", "end"]].itertuples(index=False)
    return np.stack([_of_span(states[at], start, end, phrases) for at, start, end in spans])


def _sentences(data: pd.DataFrame) -> pd.Series[Any]:
    return data.drop_duplicates("sentence").set_index("sentence")["words"]
