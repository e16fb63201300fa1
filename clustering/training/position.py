"""Where a fit stands, so that it can go on from there."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Position:
    """Where in a fit the loop stands; with the network and the optimiser this is all a resumed fit needs.

    Parameters
    ----------
    phase, epoch : int
    calm : int
        Refreshes in a row that changed fewer labels than the tolerance.
    restarts : int
        How often the phase began again, or went back, with a quarter of the learning rate.
    lowest_loss : float
        Lowest total loss of the phase so far, where the phase may start again.
    untrained : float
        How far apart the untrained network answers items, likewise (`Guard.spread`).
    elapsed : float
        Seconds since the start of the fit.
    """

    phase: int = 0
    epoch: int = 0
    calm: int = 0
    restarts: int = 0
    lowest_loss: float = math.inf
    untrained: float = 0.0
    elapsed: float = 0.0
