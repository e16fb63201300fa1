"""What a live view sees of the latent space: the same random rows each time, at evenly spread epochs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustering.training.seeds import numpy_generator

MAX_ROWS = 20_000
PER_PHASE = 40


def snapshot_rows(n_items: int, random_state: int) -> NDArray[np.int64]:
    """Return the sorted indices (s,) of the items shown, s ≤ 20,000."""
    if n_items <= MAX_ROWS:
        return np.arange(n_items, dtype=np.int64)
    chosen = numpy_generator(random_state, "snapshot").choice(n_items, MAX_ROWS, replace=False)
    return np.sort(chosen).astype(np.int64)


def is_snapshot_epoch(epoch: int, epochs: int) -> bool:
    """Say whether ``epoch`` of ``epochs`` is shown: about 40 a phase, the first and the last among them."""
    stride = max(1, epochs // PER_PHASE)
    return epoch % stride == 0 or epoch == epochs
