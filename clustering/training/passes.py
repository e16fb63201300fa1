"""Which rows make up which batch: an endless stream of passes, each in an order of its own."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from clustering.training.data import Data, batch_shape
from clustering.training.seeds import derived_seed


class Passes:
    """Batches of a data set, where the order of a pass follows from the seed, the phase and its number alone.

    Parameters
    ----------
    data : Data
    batch_size : int
    random_state : int

    Attributes
    ----------
    steps : int
        Batches in a pass.
    """

    def __init__(self, data: Data, batch_size: int, random_state: int) -> None:
        self._data, self._random_state = data, random_state
        self.steps, self._batch_size = batch_shape(data.n_items, batch_size)
        self._generator = torch.Generator(device=data.device)

    def generator(self, *purpose: str | int) -> torch.Generator:
        """Return the one generator, seeded for a purpose."""
        return self._generator.manual_seed(derived_seed(self._random_state, *purpose))

    def tables(self, phase: str, first: int, count: int) -> Iterator[Tensor]:
        """Yield tables (steps, b) of ``count`` batches of a phase's passes, from step ``first`` on."""
        while count:
            in_pass = first % self.steps
            taken = min(count, self.steps - in_pass)
            order = self._data.order(self.generator("order", phase, first // self.steps))
            table = order[: self.steps * self._batch_size].view(self.steps, self._batch_size)
            yield table[in_pass : in_pass + taken]
            first, count = first + taken, count - taken
