"""Notice that steps are too large, and go back to the first weights, or to the last good ones."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from clustering.training.data import Data
from clustering.training.step import Batch, Loss

MOST_RESTARTS = 15
MOST_QUARTERS = 4  # of the rate because of an upheaval: 1/256 of it
QUARTER = 0.25
SAMPLE = 64  # rows that show whether a network still tells items apart
HARDLY = 0.1  # of how far apart the untrained network answered: one that learns tells items apart by more
TOO_LARGE = "The first steps were too large for these features"


class Guard:
    """Watches the first phase of a fit, where a published learning rate meets data of any size.

    Parameters
    ----------
    network : Module
        With its first weights, which are remembered.
    data : Data
    rows : int64 Tensor
        Items of which the first 64 serve as a sample.
    """

    def __init__(self, network: nn.Module, data: Data, rows: Tensor) -> None:
        self._network, self._rows = network, rows[:SAMPLE].to(data.device)
        self._features = data.take(self._rows)
        self._fresh = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    def first_loss(self, loss: Loss) -> float:
        """Return the total loss of the sample before any step."""
        with torch.inference_mode():
            batch = Batch(self._features, self._rows, {}, Generator(device=self._features.device))
            return float(torch.stack(list(loss(batch).values())).sum())

    def spread(self, respond: Callable[[Tensor], Tensor]) -> float:
        """Return how far apart the network answers the items of the sample: the largest difference."""
        with torch.inference_mode():
            responses = respond(self._features)
            return float((responses - responses[0]).abs().amax())

    def ran_away(
        self, total: float, lowest: float, respond: Callable[[Tensor], Tensor], untrained: float
    ) -> bool:
        """Say whether the loss exploded, or the network answers all items alike and gets worse.

        All units may have died, or so nearly that only the mean item is rebuilt: large steps on pixels with a
        mean far from zero do that to SGD after dozens of good epochs.

        Parameters
        ----------
        total, lowest : float
            Loss of this epoch, and the lowest before.
        respond : callable
        untrained : float
            `spread` before any step; 0 where nobody knows.
        """
        if not math.isfinite(total) or total > 3 * lowest:
            return True
        apart = self.spread(respond)
        if apart == 0:
            return bool((self._features != self._features[0]).any())
        return total > lowest and apart < HARDLY * untrained

    def restore(self) -> None:
        """Put the first weights back."""
        self._network.load_state_dict(self._fresh)


class Lifeline:
    """Holds the last good state of a network and its optimiser in the memory they live in.

    Parameters
    ----------
    network : Module
    optimiser : torch.optim.Optimizer
    """

    def __init__(self, network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        self._optimiser = optimiser
        self._weights = [tensor.detach() for tensor in network.state_dict().values()]
        self._good_weights = [tensor.clone() for tensor in self._weights]
        self._good_state = [tensor.clone() for tensor in self._state()]  # none yet, or from a checkpoint

    def hold(self) -> None:
        """Remember the state as it is now."""
        _copy(self._weights, self._good_weights)
        if self._good_state:
            _copy(self._state(), self._good_state)
        else:
            self._good_state = [tensor.clone() for tensor in self._state()]

    def pull(self) -> None:
        """Return to the state last held: in place, for a captured step reads this very memory."""
        _copy(self._good_weights, self._weights)
        if self._good_state:
            _copy(self._good_state, self._state())
        else:  # in the first epoch momenta and moments begin at zero
            for tensor in self._state():
                tensor.zero_()

    def _state(self) -> list[Tensor]:
        return [
            value
            for state in self._optimiser.state.values()
            for value in state.values()
            if isinstance(value, Tensor)
        ]


def _copy(source: list[Tensor], target: list[Tensor]) -> None:
    if source:
        torch._foreach_copy_(target, source)
