"""Windows of a series as they were measured: scaled by channel and laid flat, step after step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable, EncodeNew, Encoder
from clustering.features.batches import FeatureFile
from clustering.features.info import EncoderInfo
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell

CHUNK = 2048  # windows held at a time


class Windows(Encoder):
    """Every value of a window, float32 (n, steps · channels); the channels of a step lie together."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="windows",
        title="Windows as measured",
        kinds=("series",),
        dimensions=None,
        origin="No weights: the features are the measurements themselves, scaled.",
        summary=(
            "For methods that read a window step by step, such as DISC. To others the same movement a moment "
            "later looks different: give them the statistics of windows."
        ),
        order=71,
        layout=("channels",),
        suits="they keep the order of the steps, which it reads",
    )

    def __init__(
        self,
        scaling: Annotated[
            Literal["standardised", "min-max", "each window", "as they are"],
            Meaning(
                "Standardised: every channel mean 0 and deviation 1 over the collection. Min-max: between 0 "
                "and 1. Each window: mean 0 and deviation 1 within it, which forgets its level and strength, "
                "and with them a posture."
            ),
        ] = "standardised",
    ) -> None:
        self.scaling = scaling

    def describe(self) -> str:
        """Return what is done to the windows."""
        return {
            "standardised": "Every channel is shifted to mean 0 and scaled to deviation 1 over all windows.",
            "min-max": "Every channel is scaled to lie between 0 and 1 over all windows.",
            "each window": "Every channel of every window is shifted to mean 0 and scaled to deviation 1.",
            "as they are": "Windows are taken as they are.",
        }[self.scaling] + " A window is laid flat, step after step."

    def layout(self, collection: Encodable) -> dict[str, Any]:
        """Return how many channels lie together."""
        return {"channels": int(windows_of(collection).shape[2])}

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return the windows, scaled and laid flat, float32 (n, d); see `Encoder.encode`."""
        self._check(collection)
        windows = windows_of(collection)
        n, steps, channels = windows.shape
        shift, factor = self._channel_scaling(windows)
        key = self.key(collection)
        rows = FeatureFile(n, steps * channels, key, CHUNK, checkpoint)
        with rows:
            for first in range(rows.done, n, CHUNK):
                rows.write(first, self._scaled(windows[first : first + CHUNK], shift, factor))
                tell(progress, rows.done, n, "Features from windows")
        return rows.finished()

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:
        """Return a function that scales new windows by the collection's channels; see `Encoder.prepared`."""
        self._check(collection)
        windows = windows_of(collection)
        self._check_width(collection, dimensions, windows.shape[1] * windows.shape[2])
        shift, factor = self._channel_scaling(windows)

        def encode_new(newcomers: Encodable) -> NDArray[np.float32]:
            self._check(newcomers)
            return self._scaled(windows_of(newcomers), shift, factor)

        return encode_new

    def _scaled(
        self, windows: NDArray[np.float32], shift: NDArray[np.float64], factor: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        values = np.asarray(windows, dtype=np.float64)
        if self.scaling == "each window":
            shift = values.mean(axis=1, keepdims=True)
            factor = _inverse(values.std(axis=1, keepdims=True), shift)
        return ((values - shift) * factor).astype(np.float32).reshape(len(windows), -1)

    def _channel_scaling(
        self, windows: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what is taken off each channel, and by what the rest is multiplied."""
        channels = windows.shape[2]
        if self.scaling in ("as they are", "each window"):
            return np.zeros(channels), np.ones(channels)
        if self.scaling == "min-max":
            low = windows.min(axis=(0, 1)).astype(np.float64)
            return low, _inverse(windows.max(axis=(0, 1)) - low, low)
        count = windows.shape[0] * windows.shape[1]
        chunks = range(0, len(windows), CHUNK)
        mean = sum(windows[i : i + CHUNK].sum(axis=(0, 1), dtype=np.float64) for i in chunks) / count
        squares = sum(((windows[i : i + CHUNK] - mean) ** 2).sum(axis=(0, 1)) for i in chunks)
        return np.asarray(mean), _inverse(np.sqrt(np.asarray(squares) / count), np.asarray(mean))


def windows_of(collection: Encodable) -> NDArray[np.float32]:
    """Return the windows (n, steps, channels) of a collection of series.

    Raises
    ------
    StudioError
        When there are none of that shape.
    """
    windows = collection.data()
    if not isinstance(windows, np.ndarray) or windows.ndim != 3:
        raise StudioError(f"“{collection.name}” holds no windows.", "Choose a collection of series.")
    return windows


def _inverse(spread: NDArray[np.float64], level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / spread; a constant channel, whose spread is rounding beside its level, becomes 0."""
    flat = spread <= 1e-6 * np.abs(level)
    return np.where(flat, 0.0, 1 / np.where(flat, 1, spread))
