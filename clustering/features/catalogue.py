"""Find an encoder by name, choose one for a collection, and run it."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable, Encoder
from clustering.features.language_models import sentences_are_read_here
from clustering.features.suiting import unsuited
from clustering.parameters import checked_parameters
from clustering.progress import Progress, silent
from clustering.registry import discovered, looked_up

SMALL_PICTURE = 32  # pixels: up to here raw pixels say as much as a network trained on large pictures
PROBES = 12


@dataclass(frozen=True)
class FeatureArray:
    """Features with what made them; goes wherever an array goes.

    Parameters
    ----------
    values : float32 array (n, d)
    about : mapping
        encoder, title, origin, description, parameters, n, d, seconds, device,
        device_reason, key, layout.
    """

    values: NDArray[np.float32]
    about: MappingProxyType[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values, (n, d)."""
        return self.values.shape

    @property
    def layout(self) -> dict[str, Any]:
        """How the numbers lie, as methods take it: ``DISC(n_clusters=4, **features.layout)``."""
        return dict(self.about.get("layout", {}))

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype=dtype) if copy else np.asarray(self.values, dtype=dtype)


@cache
def _found() -> dict[str, type[Encoder]]:
    from clustering import features

    return cast("dict[str, type[Encoder]]", discovered(features, Encoder))


def encoders() -> dict[str, type[Encoder]]:
    """Return every encoder class by name, in the order lists show them."""
    return dict(_found())


def encoder(name: str) -> type[Encoder]:
    """Return one encoder class.

    Raises
    ------
    StudioError
        When there is none of that name.
    """
    return cast("type[Encoder]", looked_up(encoders(), name, "encoder"))


def default_encoder(kind: str, collection: Encodable | None = None, layout: Collection[str] = ()) -> str:
    """Return the name of the encoder that works on any machine for this kind of collection.

    Small pictures (up to 32 pixels, judged by a dozen of them) get raw pixels, others the network whose
    weights came with the installation; a graph whose nodes have no features its nodes' positions.
    Windows of series get their statistics, unless the method reads them step by step. Texts are read by the
    sentence model where it came with the installation, else their words are counted.

    Parameters
    ----------
    kind : str
    collection : Collection, optional
    layout : collection of str
        What the method asks of how the numbers of an item lie (`MethodInfo.layout`).

    Raises
    ------
    StudioError
        When no encoder reads this kind.
    """
    if kind == "images":
        return "pixels" if collection is not None and _all_small(collection) else "efficientnet-lite0"
    if kind == "text" and sentences_are_read_here():
        return "sentence-model"
    if kind == "graph" and collection is not None and not np.asarray(collection.data()).shape[1]:
        return "graph-positions"
    told = {name: entry.info.layout for name, entry in encoders().items() if kind in entry.info.kinds}
    for name in told:
        if name not in unsuited(told, layout):
            return name
    raise StudioError(
        f"No encoder reads collections of the kind “{kind}” yet.",
        "Load images, a table, vectors, series, texts or a graph.",
    )


def encode(
    collection: Encodable,
    encoder: str = "auto",
    *,
    progress: Progress = silent,
    checkpoint: Path | None = None,
    **parameters: Any,
) -> FeatureArray:
    """Turn every item of a collection into a row of numbers.

    Parameters
    ----------
    collection : Collection
    encoder : str
        A name in `encoders()`, or "auto" for `default_encoder`.
    progress : callable
        Hears every batch; returning True stops.
    checkpoint : Path, optional
        Folder where finished batches are kept; run again to go on, see `Encoder.encode`.
    **parameters
        The encoder's own, as annotated in its constructor.

    Returns
    -------
    FeatureArray
        float32 (n, d) with a record of what made it.

    Raises
    ------
    StudioError
        When the encoder, a parameter, the weights or an item cannot be used.
    Stopped
        When the listener asked for it.

    Examples
    --------
    >>> features = encode(collection)                               # doctest: +SKIP
    >>> features.shape                                              # doctest: +SKIP
    (600, 1280)
    """
    if collection.n_items == 0:
        raise StudioError(f"“{collection.name}” is empty.", "Load a collection with at least one item.")
    made = made_encoder(collection, encoder, parameters)
    started = time.perf_counter()
    values = made.encode(collection, progress=progress, checkpoint=checkpoint)
    about = {
        "encoder": made.info.name,
        "title": made.info.title,
        "origin": made.origin(),
        "description": made.describe(),
        "parameters": made.parameters(),
        "n": int(values.shape[0]),
        "d": int(values.shape[1]),
        "seconds": round(time.perf_counter() - started, 3),
        "device": made.device_used,
        "device_reason": made.device_reason,
        "key": made.key(collection),
        "layout": made.layout(collection),
    }
    return FeatureArray(values, MappingProxyType(about))


def made_encoder(collection: Encodable, name: str, parameters: dict[str, Any]) -> Encoder:
    """Return the encoder called ``name`` ("auto" for the default) with checked parameters."""
    chosen = encoder(default_encoder(collection.kind, collection) if name == "auto" else name)
    return chosen(**checked_parameters(chosen, parameters))


def feature_key(collection: Encodable, encoder: str, parameters: dict[str, Any] | None = None) -> str:
    """Return the name of a feature set in the cache.

    It depends on the collection's content, the encoder with its version, every parameter that changes numbers
    (given or default), and the content of a local weight file; not on device or batch size.

    Raises
    ------
    StudioError
        When the encoder or a parameter is wrong, or a weight file is not there.
    """
    return made_encoder(collection, encoder, parameters or {}).key(collection)


def _all_small(collection: Encodable) -> bool:
    probes = np.unique(np.linspace(0, collection.n_items - 1, min(PROBES, collection.n_items)).astype(int))
    return all(max(collection.picture(int(index)).size) <= SMALL_PICTURE for index in probes)
