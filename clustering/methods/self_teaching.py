"""The last stage of SCAN: what the network is sure of teaches it to say the same of other views."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor

from clustering.losses.neighbour_agreement import self_label_loss
from clustering.methods.learning_from_views import Watch
from clustering.methods.pretext import PretextClusterer
from clustering.methods.viewing import Viewing
from clustering.networks.views import NeighbourNetwork
from clustering.training.data import Data
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.step import Batch

WHOLE_RATE = 1e-4  # of the whole network, as published
FEW_TEACHERS = 0.01  # share of sure items in a batch below which the last stage teaches nothing
LEFT_OUT = (
    "All epochs were run; the last stage was left out, as some group has no item the network is sure of."
)
UNDONE = (
    "Teaching itself left some group without an item the network is sure of. It was undone: the groups are "
    "those of before."
)


class SelfTeaching(PretextClusterer):
    """Base of a method whose network learns at last from its own surest labels.

    A method puts `self_labelling` last among its phases.
    """

    self_label_epochs: int
    threshold: float

    def self_labelling(
        self, network: NeighbourNetwork, data: Data, viewing: Viewing, watch: Watch
    ) -> tuple[Phase, ...]:
        """Return the last stage, if it is wanted.

        It is over before it began where a group has no item that teaches, and undone where it leaves a group
        without one: what it learns from its own labels may turn them over.
        """
        if not self.self_label_epochs:
            return ()
        before = network.before = deepcopy(network.parts()).requires_grad_(False)

        def begin() -> None:
            before.load_state_dict(network.parts().state_dict())
            network.taught.copy_(self.all_taught(network, network.codes))

        def look() -> Refreshed:
            self.encode_again(network, data)
            if not bool(network.taught) or self.all_taught(network, network.codes):
                return self.judged(network, watch.look())
            network.taught.fill_(False)
            network.parts().load_state_dict(before.state_dict())
            self.encode_again(network, data)
            return self.judged(network, replace(watch.look(), told=(UNDONE,)))

        def untaught() -> str:
            return "" if bool(network.taught) else LEFT_OUT

        return (
            Phase(
                "self-label",
                self.self_label_epochs,
                lambda batch: self.taught(network, viewing, batch),
                list(network.parts().parameters()),
                Optimiser("adam", WHOLE_RATE),
                begin=begin,
                refresh=look,
                noisy=True,
                watch=lambda: watch.warnings() + self.teachers_left(network),
                ends=untaught,
            ),
        )

    def all_taught(self, network: NeighbourNetwork, codes: Tensor) -> Tensor:
        """Return whether the network is sure of an item in every group, by the features (n, D) of all."""
        with torch.no_grad():
            odds, labels = torch.softmax(network.logits(codes), dim=1).max(dim=1)
            held = torch.bincount(labels[odds > self.threshold], minlength=self.n_clusters)
            return (held > 0).all()

    def taught(self, network: NeighbourNetwork, viewing: Viewing, batch: Batch) -> dict[str, Tensor]:
        """Return how badly other views of what is sure are put into its group."""
        with torch.no_grad():  # by the statistics of this batch, as the views are seen
            own = network.logits(network.learn(batch.features)).float()
            sure = (torch.softmax(own, dim=1).amax(dim=1) > self.threshold).float().mean()
            network.sure.lerp_(sure, 0.1)
        seen = network.logits(network.learn(viewing.strong(batch))).float()
        return {"self-labels": self_label_loss(own, seen, self.threshold)}

    def teachers_left(self, network: NeighbourNetwork) -> tuple[str, ...]:
        """Say when hardly an item is sure enough to teach."""
        if float(network.sure) >= FEW_TEACHERS:
            return ()
        return (
            f"Only {float(network.sure):.1%} of the items are sure enough to teach the others. Choose a "
            "smaller “threshold”, or leave the last stage out (“self_label_epochs” 0).",
        )
