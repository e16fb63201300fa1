"""The contract every encoder keeps: a collection in, one float32 row an item out, and a sentence on how."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.batches import digest
from clustering.features.info import EncoderInfo
from clustering.parameters import checked_parameters, parameters_of
from clustering.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image


class Encodable(Protocol):
    """What an encoder needs of a collection; `clustering.collections.Collection` has it.

    One that also has ``original(index)``, the path of a picture's file, lets large JPEGs be decoded at a part
    of their size, or by a graphics card.
    """

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def kind(self) -> str:
        """Kind of data: images, table, vectors, series, text, tokens, graph."""

    @property
    def n_items(self) -> int:
        """How many items there are."""

    @property
    def content_hash(self) -> str:
        """Changes when the data change."""

    @property
    def about(self) -> Mapping[str, Any]:
        """What a kind needs to know of its data, such as where each of several views lies."""

    def picture(self, index: int, size: int | None = None) -> Image.Image:
        """Return one picture, RGB, the right way up."""

    def data(self) -> NDArray[np.float32] | pd.DataFrame:
        """Return the vectors, the table, the windows or the views."""


EncodeNew = Callable[[Encodable], NDArray[np.float32]]


class Encoder(ABC):
    """Base of all encoders.

    The constructor only stores its annotated parameters; `encode` checks them. Those named in `not_in_key`
    change how fast the features come, never what they are.
    """

    info: ClassVar[EncoderInfo]
    not_in_key: ClassVar[frozenset[str]] = frozenset({"device", "batch_size"})
    device_used: str = "cpu"
    device_reason: str = "Runs on the processor (CPU): there is no network to run."

    @abstractmethod
    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return the features of every item.

        Parameters
        ----------
        collection : Collection
            Of a kind in ``info.kinds``.
        progress : callable
            Hears every finished batch; returning True stops the work.
        checkpoint : Path, optional
            Folder for finished batches. A later call with the same collection and settings goes on from
            there, and the result is a memory map inside this folder, so memory stays bounded.

        Returns
        -------
        float32 array (n, d)

        Raises
        ------
        StudioError
            When weights cannot be had, an item cannot be read or the collection is of another kind.
        Stopped
            When the listener asked for it; finished batches stay in ``checkpoint``.
        """

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:  # noqa: ARG002
        """Return a function that encodes new items just as `encode` encoded those of ``collection``.

        What costs time (loading weights, learning columns) is done here, once.

        Parameters
        ----------
        collection : Collection
            Whose items were encoded; the new ones are not in it.
        dimensions : int
            Length of its feature vectors.

        Returns
        -------
        callable
            From items of the same kind to float32 (m, d); no row depends on the others.

        Raises
        ------
        StudioError
            When weights cannot be had, or the collection now gives features of another length.
        """
        raise StudioError(
            f"{self.info.title} cannot encode items that come later.", "Choose a run on other features."
        )

    def layout(self, collection: Encodable) -> dict[str, Any]:  # noqa: ARG002
        """Return how the numbers of a row lie, for methods that must know it, by the parameter that says so.

        Empty where a row is a list of features in no order, as most are. Windows of a series say
        ``{"channels": 6}``; see `clustering.methods.info.MethodInfo.layout`.
        """
        return {}

    @abstractmethod
    def describe(self) -> str:
        """Return what the settings do to an item, in sentences; after `encode` also what was met."""

    def origin(self) -> str:
        """Return the sentence that names where the weights come from."""
        return self.info.origin

    def parameters(self) -> dict[str, Any]:
        """Return the constructor arguments as stored."""
        return {parameter.name: getattr(self, parameter.name) for parameter in parameters_of(type(self))}

    def fingerprint(self) -> dict[str, Any]:
        """Return everything that decides the numbers, apart from the collection itself."""
        chosen = {name: value for name, value in self.parameters().items() if name not in self.not_in_key}
        return {"encoder": self.info.name, "version": self.info.version, "parameters": chosen}

    def key(self, collection: Encodable) -> str:
        """Return what tells the features of a collection from all others."""
        return digest({"collection": collection.content_hash, **self.fingerprint()})

    def _check(self, collection: Encodable) -> None:
        """Refuse parameters out of range and collections of another kind, each in sentences."""
        checked_parameters(type(self), self.parameters())
        if collection.kind not in self.info.kinds:
            raise StudioError(
                f"{self.info.title} reads {listed(self.info.kinds)}; "
                f"“{collection.name}” holds {collection.kind}.",
                "Choose an encoder for this kind of collection.",
            )

    def _check_width(self, collection: Encodable, wanted: int, found: int) -> None:
        if wanted != found:
            raise StudioError(
                f"{self.info.title} now gives {found} features an item of “{collection.name}”; "
                f"when they were computed it gave {wanted}.",
                "Compute the features again and train on them.",
            )


def listed(words: Sequence[str]) -> str:
    """Return words as a person lists them: ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
