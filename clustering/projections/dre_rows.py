"""The rows DRE learns from: on the device where they fit, else fetched from the host batch by batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

RESIDENT_SHARE = 0.5  # of the free device memory; the rest is for networks and distances


class Rows:
    """Rows of a set, picked by number.

    Parameters
    ----------
    features : float32 array (n, d)
    device : torch.device
    """

    def __init__(self, features: NDArray[np.float32], device: torch.device) -> None:
        host = torch.from_numpy(features)
        self.device, self.n_items = device, len(features)
        resident = (
            device.type == "cpu" or features.nbytes < RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]
        )
        self._features = host.to(device) if resident else host

    def take(self, numbers: Tensor) -> Tensor:
        """Return the rows (r, d) of the given numbers (r,), on the device."""
        return self._features.index_select(0, numbers.to(self._features.device)).to(self.device)

    def batches(self, table: Tensor) -> Iterator[Tensor]:
        """Yield the rows (b, d) of each line of a table of row numbers (batches, b)."""
        for numbers in table:
            yield self.take(numbers)
