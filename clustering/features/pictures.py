"""From a picture of any shape to the square of numbers a network takes, following DELIUS where it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable

if TYPE_CHECKING:
    from PIL import Image

Fit = Literal["squash", "crop", "letterbox"]
Interpolation = Literal["bilinear", "bicubic"]

FIT_SENTENCES: dict[Fit, str] = {
    "squash": "resized to a square without keeping their proportions",
    "crop": "resized until the short side fits, then cut to the square in the middle",
    "letterbox": "resized until the long side fits, with even bars of the average colour at the sides",
}

SPARE = 2.0  # a JPEG may be decoded at half, a quarter or an eighth while it stays this much larger


@dataclass(frozen=True)
class Square:
    """The square a network wants to see, and how a picture becomes one.

    Parameters
    ----------
    side : int
        In pixels.
    fit : {"squash", "crop", "letterbox"}
    interpolation : {"bilinear", "bicubic"}
    spare : float
        A large JPEG is decoded at a half, a quarter or an eighth of its size as long as it stays ``spare``
        times larger than the square. At 2 it halves the work, and features keep a cosine above .999 to those
        of the fully decoded picture.
    """

    side: int
    fit: Fit = "squash"
    interpolation: Interpolation = "bilinear"
    spare: float = SPARE

    def of(self, collection: Encodable, index: int) -> NDArray[np.uint8]:
        """Return one picture of a collection as a square, uint8 (side, side, 3)."""
        picture = read_picture(collection, index, round(self.spare * self.side))
        return squared(picture, self.side, self.fit, self.interpolation)


def squared(
    picture: Image.Image, side: int, fit: Fit = "squash", interpolation: Interpolation = "bilinear"
) -> NDArray[np.uint8]:
    """Return the picture as a square.

    ``squash`` is DELIUS's way (plain bilinear resize, aspect ratio not kept). One thing is ours: shrinking
    averages over all source pixels where the paper's code skips some, which turns fine hatching into noise.

    Parameters
    ----------
    picture : PIL image, RGB
    side : int
        In pixels.
    fit : {"squash", "crop", "letterbox"}
    interpolation : {"bilinear", "bicubic"}

    Returns
    -------
    uint8 array (side, side, 3)
    """
    from PIL import Image

    filter_ = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}[interpolation]
    width, height = picture.size
    if fit == "squash":
        return np.asarray(picture.resize((side, side), filter_))
    if fit == "crop":
        short = min(width, height)
        left, top = (width - short) / 2, (height - short) / 2
        box = (left, top, left + short, top + short)
        return np.asarray(picture.resize((side, side), filter_, box=box))
    scale = side / max(width, height)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = picture.resize(inner, filter_)
    ground = tuple(int(value) for value in np.asarray(small).reshape(-1, 3).mean(axis=0).round())
    canvas = Image.new("RGB", (side, side), ground)
    canvas.paste(small, ((side - inner[0]) // 2, (side - inner[1]) // 2))
    return np.asarray(canvas)


def normalised(
    pixels: NDArray[np.uint8], mean: tuple[float, ...], deviation: tuple[float, ...]
) -> NDArray[np.float64]:
    """Return ``(pixels / 255 − mean) / deviation`` for each channel (DELIUS, and Keras in its "torch" mode).

    Parameters
    ----------
    pixels : uint8 array (..., 3)
    mean, deviation : three floats
        Of pixel values between 0 and 1.
    """
    return (np.asarray(pixels, dtype=np.float64) / 255.0 - np.asarray(mean)) / np.asarray(deviation)


def read_picture(collection: Encodable, index: int, least: int | None = None) -> Image.Image:
    """Return one picture of a collection, from its original file.

    Parameters
    ----------
    collection : Collection
    index : int
    least : int, optional
        In pixels: a large JPEG may come smaller, with both sides at least this long.

    Raises
    ------
    StudioError
        When the file is gone or can no longer be decoded.
    """
    try:
        small = _decoded_small(collection, index, least) if least else None
        return collection.picture(index) if small is None else small
    except StudioError:
        raise
    except (OSError, ValueError) as error:
        raise StudioError(
            f"Picture {index} of “{collection.name}” can no longer be read ({error}).",
            "Bring the file back, or load the collection again without it.",
        ) from error


def _decoded_small(collection: Encodable, index: int, least: int) -> Image.Image | None:
    """Return a large, plain JPEG decoded at a part of its size; None for what the collection must read."""
    from PIL import Image

    original = getattr(collection, "original", None)
    if original is None:
        return None
    try:
        with Image.open(original(index), formats=("JPEG",)) as picture:
            if (
                min(picture.size) < 2 * least
                or picture.mode != "RGB"
                or picture.getexif().get(0x0112, 1) != 1
            ):
                return None
            picture.draft("RGB", (least, least))
            picture.load()
            return picture
    except StudioError:
        raise
    except Exception:  # broken, huge or no JPEG: the collection's own reader says what it is
        return None
