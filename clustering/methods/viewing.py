"""Shows a network other looks at the items of a batch, as a person chose them."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from annotated_types import Interval
from torch import Tensor

from clustering.errors import StudioError
from clustering.neighbors import nearest_neighbors
from clustering.networks.convolutions import Picture
from clustering.networks.features import BACKBONES
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.step import Batch
from clustering.views.features import LightNoise
from clustering.views.neighbours import N_NEIGHBOURS, NeighbourViews
from clustering.views.noisy import NoisyViews
from clustering.views.pictures import PictureViews
from clustering.views.pixels import picture_shape
from clustering.views.recipes import LIGHT, RECIPES
from clustering.views.strong import StrongViews

ViewKind = Literal["neighbours", "noise", "digits", "artworks", "photographs"]
OF_ROWS = ("neighbours", "noise")  # kinds that any row of numbers has
SAMPLE = 8192  # items by which spreads and ranges are known

Views = Annotated[
    ViewKind,
    Meaning(
        "What counts as another look at the same item. For features: a near neighbour (“neighbours”), or "
        "“noise”, which teaches little. For pixels of square pictures: moved and slanted (“digits”), "
        "cropped and mirrored in their own colours (“artworks”), or in another light too (“photographs”)."
    ),
]
Strength = Annotated[
    float,
    Interval(ge=0, le=2),
    Meaning(
        "How much another look differs: 1 is usual, 0 not at all; too much, and kinds are confused.",
        slider=True,
    ),
]

BackboneChoice = Annotated[
    str,
    Meaning(
        "The network that sees pictures: a “small” one, made for a processor, one as published, which takes "
        "a graphics processor, or the name of any that timm lists, such as resnet10t; it begins untrained.",
        advanced=True,
        suggestions=BACKBONES,
    ),
]


class Viewing:
    """Makes the views of a batch.

    Parameters
    ----------
    data : Data
    kind : {"neighbours", "noise", "digits", "artworks", "photographs"}
    strength : float

    Raises
    ------
    StudioError
        When the items cannot be seen that way.
    """

    def __init__(self, data: Data, kind: ViewKind, strength: float) -> None:
        self._data, self._kind, self._strength = data, kind, strength
        sample = data.take(
            torch.linspace(0, data.n_items - 1, min(SAMPLE, data.n_items), device=data.device).long()
        )
        self._made: NoisyViews | PictureViews
        self._strong: NoisyViews | StrongViews
        self._light: LightNoise | PictureViews
        if kind in OF_ROWS:
            spread = sample.std(dim=0, unbiased=False)
            self._made = self._strong = NoisyViews(spread, min(0.9, 0.2 * strength), 0.1 * strength)
            self._light = LightNoise(spread, 0.02 * strength)
        else:
            shape = picture_shape(data.n_features)
            assert shape is not None  # `pictured` has said otherwise
            recipe = RECIPES[kind].scaled(strength)  # type: ignore[index]
            black, white = float(sample.amin()), float(sample.amax())
            self._made = PictureViews(shape, recipe, black, white)
            light = LIGHT[kind].scaled(strength)  # type: ignore[index]
            self._light = PictureViews(shape, light, black, white)
            self._strong = StrongViews(shape, kind, min(1.0, strength), black, white)  # type: ignore[arg-type]

    def neighbours(self, random_state: int) -> Tensor:
        """Return the rows that may stand for each item, int64 (n, k) on the device; none unless asked for.

        Raises
        ------
        StudioError
            When the features are too large to be looked up one by one.
        """
        data = self._data
        if self._kind != "neighbours" or round(N_NEIGHBOURS * self._strength) == 0:
            return torch.zeros(0, 0, dtype=torch.int64, device=data.device)
        if not data.resident:
            raise StudioError(
                "Neighbours as views need all features in the memory of the device, and these do not fit.",
                "Choose features with fewer dimensions, or views “noise”.",
            )
        k = min(round(N_NEIGHBOURS * self._strength), data.n_items - 1)
        found = nearest_neighbors(data.features.cpu().numpy(), k, random_state=random_state)
        return torch.from_numpy(found.indices).long().to(data.device)

    def other(self, batch: Batch, neighbours: Tensor, times: int = 1) -> Tensor:
        """Return another look at every item, (times · b, d): the whole batch, and again."""
        return self._made(self._others(batch, neighbours, times), batch.generator)

    def alone(self, batch: Batch) -> Tensor:
        """Return another look at every item (b, d), made of nothing but the item itself."""
        return self._made(batch.features, batch.generator)

    def pair(self, batch: Batch, neighbours: Tensor) -> tuple[Tensor, Tensor]:
        """Return two looks at every item, (b, d) each: of the item itself, and another."""
        both = torch.cat([batch.features, self._others(batch, neighbours)])
        first, second = self._made(both, batch.generator).chunk(2)  # made at once: half as many launches
        return first, second

    def _others(self, batch: Batch, neighbours: Tensor, times: int = 1) -> Tensor:
        """Return what another look at every item is made of: the item, or a neighbour."""
        if not len(neighbours):
            return batch.features.repeat(times, 1)
        return self._data.take(NeighbourViews(neighbours)(batch.rows.repeat(times), batch.generator))

    def light(self, batch: Batch) -> Tensor:
        """Return a look at every item (b, d) that hardly differs from it."""
        return self._light(batch.features, batch.generator)

    def strong(self, batch: Batch) -> Tensor:
        """Return a look at every item (b, d) that differs much: operations drawn at random, or noise."""
        return self._strong(batch.features, batch.generator)


def pictured(kind: ViewKind, n_features: int) -> Picture | None:
    """Return how a row is read as a picture, or None where it is a row of numbers.

    Raises
    ------
    StudioError
        When views of pictures are wanted of what is no square picture.
    """
    if kind in OF_ROWS:
        return None
    shape = picture_shape(n_features)
    if shape is None:
        raise StudioError(
            f"Views of {kind} move and crop square pictures; {n_features} features are no pixels of one.",
            "Choose the encoder “pixels”, or views “neighbours”.",
        )
    return shape.height, shape.width, shape.channels
