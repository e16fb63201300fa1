"""What methods share that learn groups from views: the network says which group, and views must agree."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clustering.errors import StudioError
from clustering.losses.partition_confidence import partition_uncertainty
from clustering.methods.deep import DeepClusterer
from clustering.methods.viewing import Viewing, ViewKind, pictured
from clustering.networks.features import Look
from clustering.networks.views import ViewNetwork
from clustering.training.data import Data, batch_shape
from clustering.training.inference import in_parts
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.seeds import torch_generator
from clustering.training.step import Batch

LOOKED_AT = 512  # items by which the views are watched
SETTLED = 0.2  # share of the epochs after which it should no longer be confused
AGREED = 0.5  # share of views that should be in the group of their item
SURE = 0.5  # mean confidence below which groups mean little
ALIKE = 0.99  # share of the features' mean square that all items have in common
OVERLAPPING = 0.9  # cosine of two groups that hold the same items
ITEMS_A_GROUP = 10  # in a batch: with fewer its columns say little of the groups


class Seen(NamedTuple):
    """What a fixed sample of items shows.

    Parameters
    ----------
    agreed : float
        Share of views that are in the group of their item.
    sure : float
        Mean confidence.
    alike : float
        Share of the features' mean square that all items have in common.
    overlap : float
        Largest cosine of the columns of two groups.
    pair : tuple of int
        These two.
    """

    agreed: float
    sure: float
    alike: float
    overlap: float
    pair: tuple[int, int]


class ViewClusterer(DeepClusterer):
    """Base of methods whose network assigns items to groups itself and learns it from views.

    A method writes `setup`, and in `agreement` what the network loses where views of an item disagree.
    """

    views: ViewKind
    strength: float
    epochs: int
    learning_rate: float | None
    backbone: str = "small"
    outlines: bool = False
    passes = 1  # over the data in an epoch

    @abstractmethod
    def agreement(self, network: Any, viewing: Viewing, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms of the loss of a batch; their sum is minimised."""

    def begin(self, network: Any, data: Data) -> None:
        """Do what a method does before the first step: nothing, by default."""

    def rows_a_batch(self, n_items: int) -> int:  # noqa: ARG002
        """Return 256."""
        return max(4, self.batch_size or 256)  # a batch of one has no statistics

    def pictured(self, n_features: int) -> Look | None:
        """Return how a row is looked at as a picture, or None where it is a row of numbers.

        Raises
        ------
        StudioError
            When a row of numbers is to be looked at as a picture.
        """
        picture = pictured(self.views, n_features)
        if picture is not None:
            return Look(picture, self.backbone, self.outlines)
        if self.outlines or self.backbone != "small":
            what = "Outlines" if self.outlines else f"“{self.backbone}”"
            raise StudioError(
                f"{what} can be had of pictures only; with views “{self.views}” an item is a row of numbers.",
                "Choose the encoder “pixels” and views “digits”, “artworks” or “photographs”, or leave it.",
            )
        return None

    def phases(self, network: ViewNetwork, data: Data) -> tuple[Phase, ...]:
        """Learn, and look at the groups after every epoch."""
        check_enough(self.info.title, data.n_items)
        viewing = Viewing(data, self.views, self.strength)
        watch = Watch(self, network, data, viewing)

        def begin() -> None:
            network.neighbours = viewing.neighbours(self.random_state)
            self.begin(network, data)

        return (
            Phase(
                "learn",
                self.epochs,
                lambda batch: self.agreement(network, viewing, batch),
                list(network.parameters()),
                Optimiser("adam", self.learning_rate or 1e-3),
                begin=begin,
                refresh=watch.look,
                steps=self.passes * batch_shape(data.n_items, self.rows_a_batch(data.n_items))[0],
                noisy=True,
                watch=watch.warnings,
            ),
        )

    def look(self, network: ViewNetwork, data: Data) -> Refreshed:
        """Look at the whole set, and put the mean features of the groups into the network."""
        seen = super().look(network, data)
        with torch.no_grad():
            assignments = in_parts(lambda rows: self.assign(network, rows), seen.latents)
            sizes = assignments.sum(dim=0).clamp_min(1e-12)
            network.centers.copy_(assignments.T @ seen.latents / sizes[:, None])
        return replace(seen, centers=network.centers.clone())

    def assign(self, network: Any, latents: Tensor) -> Tensor:
        """Return the soft assignments (n, K): what the network says itself."""
        return torch.softmax(network.logits(latents), dim=1)

    def _found(
        self, network: Any, items: NDArray[np.float32], data: Data
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        network.forget()  # a fitted model keeps nothing of every item
        return super()._found(network, items, data)


def check_enough(title: str, n_items: int) -> None:
    """Refuse a single item.

    Raises
    ------
    StudioError
    """
    if n_items < 2:
        raise StudioError(
            f"{title} learns from batches; there is only 1 item (n_samples=1).", "Load more items."
        )


class Watch:
    """Looks at all items after every epoch, and at views of some, and says how a fit goes wrong.

    Parameters
    ----------
    method : ViewClusterer
    network : ViewNetwork
    data : Data
    viewing : Viewing
    """

    def __init__(self, method: ViewClusterer, network: ViewNetwork, data: Data, viewing: Viewing) -> None:
        self._method, self._network, self._data, self._viewing = method, network, data, viewing
        self._rows = torch.linspace(
            0, data.n_items - 1, min(LOOKED_AT, data.n_items), device=data.device
        ).long()
        self.seen: Seen | None = None

    def look(self) -> Refreshed:
        """Return what all items show, and beside it what their views do."""
        network, seen = self._network, self._method.look(self._network, self._data)
        network.looks += 1
        generator = torch_generator(self._method.random_state, "watch", device=self._data.device)
        batch = Batch(self._data.take(self._rows), self._rows, {}, generator)
        with torch.no_grad():
            latents = seen.latents[self._rows]
            own = self._method.assign(network, latents)
            others = network.encode(self._viewing.other(batch, network.neighbours))
            agreed = self._method.assign(network, others).argmax(dim=1) == own.argmax(dim=1)
            common = latents.mean(dim=0).square().sum() / latents.square().sum(dim=1).mean().clamp_min(1e-12)
            index = partition_uncertainty(own, own).fill_diagonal_(0)
            numbers = [agreed.float().mean(), own.amax(dim=1).mean(), common, index.amax(), index.argmax()]
            told = torch.stack([number.double() for number in numbers]).tolist()
        one, other = divmod(int(told[4]), self._method.n_clusters)
        agreed, sure, alike, overlap, _ = told
        self.seen = Seen(agreed, sure, alike, overlap, (one, other))
        figures = {"views in the same group": self.seen.agreed, "confidence": self.seen.sure}
        return replace(seen, figures=figures | {"largest overlap": self.seen.overlap})

    def warnings(self) -> tuple[str, ...]:
        """Return what a person should know of the views and the groups."""
        method, told = self._method, []
        k = method.n_clusters
        _, rows = batch_shape(self._data.n_items, method.rows_a_batch(self._data.n_items))
        if int(self._network.looks) == 2 and rows < ITEMS_A_GROUP * k:
            told.append(
                f"A batch holds {rows} items for {k} groups: with fewer than {ITEMS_A_GROUP} for each it "
                "says little of a group. Choose a larger “batch_size”, or fewer groups."
            )
        if self.seen is not None and int(self._network.looks) > 1 + SETTLED * method.epochs:
            told += confused(self.seen, k)
        return tuple(told)


def confused(seen: Seen, n_clusters: int) -> list[str]:
    """Return how a fit has collapsed, and the mend."""
    told: list[str] = []
    if n_clusters == 1:
        return told
    if seen.alike > ALIKE:
        told.append(
            "All items look alike to the network: it has collapsed. Choose a smaller learning rate, a "
            "smaller “strength” or another seed."
        )
    if seen.agreed < AGREED:
        told.append(
            f"Only {seen.agreed:.0%} of the views are put in the group of their item: they differ more than "
            "the network can look past. Choose a smaller “strength”, or more epochs."
        )
    if seen.sure < SURE:
        told.append(
            f"The network is sure of hardly any item (mean confidence {seen.sure:.2f}): its groups mean "
            "little. Choose more epochs, or fewer groups."
        )
    if seen.overlap > OVERLAPPING:
        one, other = sorted(seen.pair)
        told.append(
            f"Groups {one + 1} and {other + 1} share the same items: fewer groups than {n_clusters} may be "
            "enough."
        )
    return told
