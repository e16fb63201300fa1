"""Raw pixels as features: honest for small, aligned pictures such as digits, too literal for paintings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.features.base import Encodable, EncodeNew, Encoder
from clustering.features.batches import FeatureFile, encode_in_batches
from clustering.features.info import EncoderInfo
from clustering.features.pictures import FIT_SENTENCES, Fit, read_picture, squared
from clustering.parameters import Meaning
from clustering.progress import Progress, silent

if TYPE_CHECKING:
    from PIL import Image

AS_THEY_ARE = 64  # longest side in pixels that pictures may have to be taken without resizing
FALLBACK_SIDE = 16
BATCH = 256


class Pixels(Encoder):
    """Pixel values between 0 and 1, row by row."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="pixels",
        title="Raw pixels",
        kinds=("images",),
        dimensions=None,
        origin="No weights: the features are the pixel values themselves.",
        summary="For small aligned pictures such as digits; for paintings choose a trained network.",
        order=40,
    )

    def __init__(
        self,
        size: Annotated[
            Annotated[int, Interval(ge=2, le=128)] | None,
            Meaning("Side in pixels; empty keeps small pictures of one size as they are, others become 16."),
        ] = None,
        colour: Annotated[
            Literal["grey", "colour"],
            Meaning("Grey keeps light and dark only; colour has three values a pixel."),
        ] = "grey",
        fit: Annotated[
            Fit, Meaning("How a picture becomes a square when it is resized.", advanced=True)
        ] = "squash",
    ) -> None:
        self.size = size
        self.colour = colour
        self.fit = fit
        self._met = ""
        self._sides: tuple[int, int] | None = None  # width and height, once pictures were encoded

    def describe(self) -> str:
        """Return how pictures become numbers."""
        what = "grey values" if self.colour == "grey" else "red, green and blue values"
        if self.size is None:
            size = "taken as they are when all are small and of one size, else squared to 16 × 16 pixels"
        else:
            size = f"{FIT_SENTENCES[self.fit]} of {self.size} × {self.size} pixels"
        return f"Pictures are {size}; the features are their {what} between 0 and 1.{self._met}"

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return the pixel values of every picture, float32 (n, d); see `Encoder.encode`."""
        self._check(collection)
        own = self._own_size(collection) if self.size is None else None
        side = self.size or FALLBACK_SIDE
        self._sides = width, height = own or (side, side)
        self._met = f" Here they are {width} × {height} pixels."
        channels = 1 if self.colour == "grey" else 3
        key = self.key(collection)
        rows = FeatureFile(collection.n_items, width * height * channels, key, BATCH, checkpoint)

        def read(index: int) -> NDArray[np.uint8]:
            return self._pixels(read_picture(collection, index), (width, height), resize=own is None)

        return encode_in_batches(read, _shares, rows, BATCH, progress, "Features from raw pixels")

    def layout(self, collection: Encodable) -> dict[str, Any]:
        """Return height, width and channels of the picture that a row is."""
        side = self.size or FALLBACK_SIDE
        sides = self._sides or (None if self.size else self._own_size(collection)) or (side, side)
        return {"view_shapes": (sides[1], sides[0], 1 if self.colour == "grey" else 3)}

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:
        """Return a function that brings new pictures to the collection's size; see `Encoder.prepared`."""
        self._check(collection)
        channels = 1 if self.colour == "grey" else 3
        side = self.size or FALLBACK_SIDE
        own = read_picture(collection, 0).size
        # the length of the features tells whether pictures kept their own size, without reading every one
        kept = self.size is None and max(own) <= AS_THEY_ARE and own[0] * own[1] * channels == dimensions
        shape = own if kept else (side, side)
        self._check_width(collection, dimensions, shape[0] * shape[1] * channels)

        def encode_new(newcomers: Encodable) -> NDArray[np.float32]:
            self._check(newcomers)
            pictures = (read_picture(newcomers, index) for index in range(newcomers.n_items))
            return _shares(
                np.stack([self._pixels(one, shape, not (kept and one.size == own)) for one in pictures])
            )

        return encode_new

    def _pixels(self, picture: Image.Image, shape: tuple[int, int], resize: bool) -> NDArray[np.uint8]:
        """Return the pixels of a picture of a size, uint8 (height, width[, 3])."""
        if not resize:
            pixels = np.asarray(picture)
        elif shape[0] == shape[1]:
            pixels = squared(picture, shape[0], self.fit)
        else:
            pixels = np.asarray(picture.resize(shape))
        return pixels if self.colour == "colour" else _grey(pixels)

    def _own_size(self, collection: Encodable) -> tuple[int, int] | None:
        """Return the size all pictures share, when it is small; else None."""
        first = read_picture(collection, 0).size
        if max(first) > AS_THEY_ARE:
            return None
        same = all(read_picture(collection, index).size == first for index in range(1, collection.n_items))
        return first if same else None


def _shares(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
    return batch.reshape(len(batch), -1).astype(np.float32) / np.float32(255)


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).convert("L"))
