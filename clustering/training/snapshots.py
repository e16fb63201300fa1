"""What a live view sees of the latent space: the same random rows each time, at evenly spread epochs."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.training.data import Data
from clustering.training.events import Snapshot
from clustering.training.phase import Refreshed
from clustering.training.seeds import numpy_generator

MAX_ROWS = 20_000
PER_PHASE = 40
LIVE_SHARE = 0.015  # of the training time; with the events a live view then costs less than 0.02
LIVE_SECONDS = 0.05  # it may always cost, so that a fit of seconds moves too


def snapshot_rows(n_items: int, random_state: int) -> NDArray[np.int64]:
    """Return the sorted indices (s,) of the items shown, s ≤ 20,000."""
    if n_items <= MAX_ROWS:
        return np.arange(n_items, dtype=np.int64)
    chosen = numpy_generator(random_state, "snapshot").choice(n_items, MAX_ROWS, replace=False)
    return np.sort(chosen).astype(np.int64)


class LiveView:
    """Takes snapshots of a network in training, and sees to it that they stay cheap.

    Parameters
    ----------
    data : Data
    encode : callable
        Features (b, d) → latents (b, m).
    random_state : int
    share : float
        Of the time that snapshots may cost: several seeds side by side divide it among them.
    """

    def __init__(
        self, data: Data, encode: Callable[[Tensor], Tensor], random_state: int, share: float = 1.0
    ) -> None:
        self._data, self._encode, self._share = data, encode, share
        self.rows = snapshot_rows(data.n_items, random_state)
        self._rows = torch.from_numpy(self.rows).to(data.device)
        self._spent = 0.0

    def wants(self, epoch: int, epochs: int, elapsed: float) -> bool:
        """Say whether ``epoch`` of ``epochs`` is to be shown, ``elapsed`` seconds into the fit.

        The first and the last are; between them about 40, as long as all of them together cost no more than
        that share of the time.
        """
        if epoch in (0, epochs):
            return True
        allowed = self._share * max(LIVE_SECONDS, LIVE_SHARE * elapsed)
        return epoch % max(1, epochs // PER_PHASE) == 0 and self._spent <= allowed

    def show(self, phase: str, epoch: int, seen: Refreshed | None, tell: Callable[[Snapshot], None]) -> None:
        """Take a snapshot, from the last look at the whole set where there is one, and pass it on."""
        begun = time.monotonic()
        try:
            tell(self._without_clusters(phase, epoch) if seen is None else self._taken(phase, epoch, seen))
        finally:
            self._spent += time.monotonic() - begun

    def _without_clusters(self, phase: str, epoch: int) -> Snapshot:
        with torch.inference_mode():
            latents = self._encode(self._data.take(self._rows)).float().cpu().numpy()
        n = len(latents)
        nothing = np.zeros((0, latents.shape[1]), np.float32)
        return Snapshot(phase, epoch, self.rows, latents, np.full(n, -1), np.zeros(n, np.float32), nothing)

    def _taken(self, phase: str, epoch: int, seen: Refreshed) -> Snapshot:
        return Snapshot(
            phase,
            epoch,
            self.rows,
            seen.latents[self._rows].float().cpu().numpy(),
            seen.labels[self._rows].cpu().numpy(),
            seen.confidences[self._rows].float().cpu().numpy(),
            seen.centers.float().cpu().numpy().copy(),  # the next step moves the original
            seen.generated() if seen.generated else None,
        )
