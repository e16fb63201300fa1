"""What pairs of items made by hand cost among the codes of several views."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from annotated_types import Interval
from torch import Generator, Tensor

from clustering.losses.pairwise_constraints import balanced_hinge, pair_log_likelihood, signed_distances
from clustering.methods.view_codes import log_assignments, squared_distances
from clustering.parameters import Meaning
from clustering.training.data import Data

PAIRS_A_STEP = 128  # of each kind; all, where there are no more
PairLossName = Literal["hinge", "sdec", "logprob"]

PairLoss = Annotated[
    PairLossName,
    Meaning(
        "How pairs pull: distances up to a margin, both kinds of pair alike (“hinge”); plain distances, "
        "without end for pairs kept apart (“sdec”); or by the chance that both fall into one group.",
        advanced=True,
    ),
]
PairWeight = Annotated[
    float,
    Interval(ge=0, le=1000),
    Meaning("Weight of the pairs you made by hand; 0 leaves them out."),
]


def pair_cost(network: Any, data: Data, loss: PairLossName, generator: Generator) -> Tensor:
    """Return what some pairs of each kind cost, a scalar; drawn anew every step where there are many."""
    sides = [_drawn(pairs, generator).T.flatten() for pairs in (data.together, data.apart)]
    latents = network.encode(data.take(torch.cat(sides))).float()
    together, apart = (part.chunk(2) for part in latents.split([len(rows) for rows in sides]))
    if loss == "logprob":
        near, far = (log_assignments(network, network.split(torch.cat(s))) for s in (together, apart))
        return pair_log_likelihood(near, far)
    close, distant = (squared_distances(network, *pairs) for pairs in (together, apart))
    if loss == "hinge":
        return balanced_hinge(close, distant, network.margin)
    close = close * (len(data.together) / max(1, len(close)))  # for all pairs, from those drawn
    distant = distant * (len(data.apart) / max(1, len(distant)))
    return signed_distances(close, distant) / data.n_items


def _drawn(pairs: Tensor, generator: Generator) -> Tensor:
    if len(pairs) <= PAIRS_A_STEP:
        return pairs
    return pairs[torch.randint(len(pairs), (PAIRS_A_STEP,), generator=generator, device=pairs.device)]
