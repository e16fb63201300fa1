"""All randomness of a fit, derived from one number by purpose: the global generators are never touched."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def derived_seed(random_state: int, *purpose: str | int) -> int:
    """Return a seed below 2³² for one purpose of a fit.

    Naming the purpose (``"order", "pretrain", 12``) instead of drawing from one running stream makes every
    epoch's randomness a function of its number, so that a resumed fit needs no generator state.

    Parameters
    ----------
    random_state : int
        The fit's seed, ≥ 0.
    *purpose : str or int
    """
    words = [part if isinstance(part, int) else zlib.crc32(part.encode()) for part in purpose]
    return int(np.random.SeedSequence([random_state, *words]).generate_state(1)[0])


def torch_generator(
    random_state: int, *purpose: str | int, device: torch.device | str = "cpu"
) -> torch.Generator:
    """Return a torch generator on ``device``, seeded for one purpose."""
    import torch

    return torch.Generator(device=device).manual_seed(derived_seed(random_state, *purpose))


def numpy_generator(random_state: int, *purpose: str | int) -> np.random.Generator:
    """Return a numpy generator, seeded for one purpose."""
    return np.random.default_rng(derived_seed(random_state, *purpose))
