"""What a window is like as a whole: level, spread, pace and spectrum of every channel, and how they agree."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from clustering.features.base import Encodable, EncodeNew, Encoder
from clustering.features.batches import written
from clustering.features.info import EncoderInfo
from clustering.features.windows import CHUNK, windows_of
from clustering.progress import Progress, silent, tell

BANDS = 4  # of the spectrum, each twice as wide as the one below
MOST_PAIRS = 66  # of channels whose correlation is told: twelve channels
TINY = 1e-12
NAMES = (
    "mean", "deviation", "lowest", "highest", "median", "middle half", "mean step", "crossings of the mean",
    "loudest frequency", "spectral entropy", *(f"energy in band {band + 1}" for band in range(BANDS)),
)  # fmt: skip


class WindowStatistics(Encoder):
    """Fourteen numbers a channel and the correlations of channels, standardised over the collection."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="window-statistics",
        title="Statistics of windows",
        kinds=("series",),
        dimensions=None,
        origin="No weights: mean, spread, pace and spectrum are computed from the measurements.",
        summary=(
            "A plain and strong start for movements and machines: it does not matter at which moment of a "
            "movement a window begins. Not for methods that read a window step by step."
        ),
        order=70,
        suits="they stay the same at whichever moment of a movement a window begins",
    )

    def __init__(self) -> None:
        pass

    def describe(self) -> str:
        """Return what the numbers are."""
        return (
            f"Of every channel: {', '.join(NAMES[:8])}; of its spectrum without the mean the loudest "
            f"frequency, its entropy and the share of energy in {BANDS} bands; then the correlations of up "
            "to twelve channels. Every number has mean 0 and deviation 1 over the collection."
        )

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return the statistics, standardised, float32 (n, d); see `Encoder.encode`."""
        self._check(collection)
        found = self._statistics(collection, progress)
        shift, factor = _scaling(found)
        return written((found - shift) * factor, self.key(collection), checkpoint)

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:
        """Return a function that describes new windows on the collection's scale; see `Encoder.prepared`."""
        self._check(collection)
        found = self._statistics(collection, silent)
        self._check_width(collection, dimensions, found.shape[1])
        shift, factor = _scaling(found)

        def encode_new(newcomers: Encodable) -> NDArray[np.float32]:
            self._check(newcomers)
            return ((statistics(windows_of(newcomers)) - shift) * factor).astype(np.float32)

        return encode_new

    def _statistics(self, collection: Encodable, progress: Progress) -> NDArray[np.float64]:
        windows = windows_of(collection)
        parts = []
        for first in range(0, len(windows), CHUNK):
            tell(progress, first, len(windows), "Statistics of windows")
            parts.append(statistics(windows[first : first + CHUNK]))
        tell(progress, len(windows), len(windows), "Statistics of windows")
        return np.concatenate(parts)


def statistics(windows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the statistics of windows (n, steps, channels) as (n, 14 · channels + pairs).

    No row depends on another. Of a channel that does not change, what cannot be said is 0.
    """
    x = np.asarray(windows, dtype=np.float64)
    n, steps, channels = x.shape
    quarter, median, three = np.percentile(x, (25, 50, 75), axis=1)
    mean, deviation = x.mean(axis=1), x.std(axis=1)
    centred = x - mean[:, None]
    above = centred > 0
    told = [
        mean, deviation, x.min(axis=1), x.max(axis=1), median, three - quarter,
        np.abs(np.diff(x, axis=1)).mean(axis=1) if steps > 1 else np.zeros_like(mean),
        (above[:, 1:] != above[:, :-1]).mean(axis=1) if steps > 1 else np.zeros_like(mean),
        *_spectrum(centred, deviation),
    ]  # fmt: skip
    first, second = np.triu_indices(channels, 1)
    first, second = first[:MOST_PAIRS], second[:MOST_PAIRS]
    unit = centred / np.where(deviation > TINY, deviation, np.inf)[:, None]
    pairs = (unit[:, :, first] * unit[:, :, second]).mean(axis=1)
    return np.concatenate([np.stack(told, axis=2).reshape(n, -1), pairs], axis=1)


def _spectrum(centred: NDArray[np.float64], deviation: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the loudest frequency (1: half the rate), entropy, shares of energy, each (n, channels)."""
    power = np.abs(np.fft.rfft(centred, axis=1))[:, 1:] ** 2
    count = power.shape[1]
    silent_ones = deviation <= TINY
    if not count:
        return [np.zeros_like(deviation)] * (2 + BANDS)
    shares = power / np.where(silent_ones, np.inf, power.sum(axis=1).clip(min=TINY))[:, None]
    loudest = np.where(silent_ones, 0, (power.argmax(axis=1) + 1) / count)
    entropy = -(shares * np.log(shares.clip(min=TINY))).sum(axis=1) / max(np.log(count), 1)
    edges = np.r_[0, np.round(count / 2.0 ** np.arange(BANDS - 1, -1, -1)).astype(int)]
    bands = [shares[:, low:high].sum(axis=1) for low, high in pairwise(edges)]
    return [loudest, entropy, *bands]


def _scaling(found: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean, deviation = found.mean(axis=0), found.std(axis=0)
    flat = deviation <= 1e-9 * np.maximum(np.abs(mean), 1)
    return mean, np.where(flat, 0.0, 1 / np.where(flat, 1, deviation))
