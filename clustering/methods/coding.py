"""IcicleGCN's first stage: the code of the autoencoder gets its first groups, from views or from k-means."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from clustering.losses.contrast import group_contrast, pair_contrast
from clustering.losses.soft_assignment import squared_distances
from clustering.methods.learning_from_views import Watch
from clustering.methods.two_graphs import squared_error
from clustering.methods.viewing import Viewing
from clustering.networks.multi_scale_graph import MultiScaleNetwork
from clustering.networks.views import ContrastiveNetwork, PretextNetwork
from clustering.training.data import Data
from clustering.training.inference import encode_all, in_parts
from clustering.training.kmeans import kmeans
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase
from clustering.training.seeds import derived_seed
from clustering.training.step import Batch

ITEM_TEMPERATURE, GROUP_TEMPERATURE = 0.5, 1.0  # as in CC
TAUGHT = 0.9  # share of the items that the code should put where it was taught to


class Coding:
    """Gives the code its first groups: with the features and from views, or on features that stand still.

    Parameters
    ----------
    network : MultiScaleNetwork
    data : Data
    viewing : Viewing
    published : bool
        As in the paper rather than the authors' repository.
    random_state : int
    """

    def __init__(
        self, network: MultiScaleNetwork, data: Data, viewing: Viewing, published: bool, random_state: int
    ) -> None:
        self._network, self._data, self._viewing = network, data, viewing
        self._published, self._random_state = published, random_state
        self._joint = isinstance(network.features, ContrastiveNetwork)

    def phase(self, passes: int, learning_rate: float, watch: Watch) -> Phase:
        """Return the phase that learns the code, looked at by ``watch``."""

        def look_out() -> tuple[str, ...]:
            over = int(self._network.looks) > passes  # the first look is before any
            return watch.warnings() + (self.doubts() if over else ())

        return Phase(
            "code",
            passes,
            self.loss,
            self.parameters(),
            Optimiser("adam", learning_rate),
            begin=self.begin,
            refresh=watch.look,
            noisy=self._joint,
            watch=look_out,
        )

    def parameters(self) -> list[nn.Parameter]:
        """Return what is moved: the autoencoder, and where features are learned with it these too."""
        parts: list[nn.Module] = [self._network.encoder, self._network.decoder]
        features = self._network.features
        if isinstance(features, ContrastiveNetwork):
            parts += [features.trunk, features.last, features.items]
        return [weight for part in parts for weight in part.parameters()]

    def begin(self) -> None:
        """Find the neighbours that views need; or freeze the features, and find their groups by k-means."""
        network, features = self._network, self._network.features
        if not isinstance(features, PretextNetwork):
            features.neighbours = self._viewing.neighbours(self._random_state)
            return
        items = encode_all(features, self._data)
        centred = items - items.mean(dim=0)
        length = centred.square().sum(dim=1).mean().sqrt()
        features.shift.copy_(items.mean(dim=0))
        features.factor.fill_(1 / length if length > 0 else 1)  # one for all: distances keep their order
        features.neighbours = features.neighbours[:0, :0]
        network.known_features = items = encode_all(network, self._data)
        centers, _ = kmeans(items, len(network.centers), derived_seed(self._random_state, "first groups"))
        network.taught = in_parts(lambda rows: squared_distances(rows, centers), items).argmin(dim=1)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return L₁: contrast of items and of groups and the reconstruction; or what the code is taught."""
        return self._of_views(batch) if self._joint else self._of_groups(batch)

    def _of_views(self, batch: Batch) -> dict[str, Tensor]:
        network, features = self._network, self._network.features
        assert isinstance(features, ContrastiveNetwork)
        first, second = (network.learn(view) for view in self._viewing.pair(batch, network.neighbours))
        # The authors' code takes both codes, and what is rebuilt, from the first view.
        coded = [first, second] if self._published else [first]
        codes = [network.logits(items).softmax(dim=1) for items in coded]
        rebuilt = [
            squared_error(items.to(code.dtype), network.rebuild(code), not self._published)
            for items, code in zip(coded, codes, strict=True)
        ]
        return {
            "items": pair_contrast(features.items(first), features.items(second), ITEM_TEMPERATURE),
            "groups": group_contrast(codes[0], codes[-1], GROUP_TEMPERATURE),
            "reconstruction": torch.stack(rebuilt).mean(),
        }

    def _of_groups(self, batch: Batch) -> dict[str, Tensor]:
        network = self._network
        items = network.known_features.index_select(0, batch.rows)
        logits = network.logits(items)
        rebuilt = network.rebuild(logits.softmax(dim=1))
        return {
            "first groups": cross_entropy(logits, network.taught.index_select(0, batch.rows)),
            "reconstruction": squared_error(items, rebuilt, not self._published),
        }

    def doubts(self) -> tuple[str, ...]:
        """Say that the code has not learned the groups it was taught."""
        network = self._network
        if self._joint:
            return ()
        with torch.no_grad():
            codes = in_parts(network.logits, network.known_features).argmax(dim=1)
            right = float((codes == network.taught).float().mean())
        if right >= TAUGHT:
            return ()
        return (
            f"The code puts only {right:.0%} of the items into the groups of k-means it was taught, and the "
            "graphs cannot mend that. Choose more “code_epochs”, or another “learning_rate”.",
        )
