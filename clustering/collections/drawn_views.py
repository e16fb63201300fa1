"""Draw the view of an item that is a picture in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SMALL = 128  # pixels, longer side of a thumbnail
LACKS = 228  # grey of an item that lacks the view


def drawn_view(row: NDArray[Any], about: Mapping[str, Any], size: int | None = None) -> Image.Image:
    """Return the picture in an item's views (d,), RGB, large values dark as ink.

    Parameters
    ----------
    row : array (d,)
        All views of the item side by side.
    about : mapping
        ``picture``: where in the row it starts, its shape, and between which values it is drawn.
    size : int, optional
        Longer side in pixels; 512 by default.
    """
    told = about["picture"]
    height, width = told["shape"]
    pixels = np.asarray(row[told["start"] : told["start"] + height * width], np.float64)
    low, high = told["range"]
    shares = ((pixels - low) / ((high - low) or 1)).clip(0, 1)
    grey = np.where(np.isnan(shares), LACKS, 255 * (1 - np.nan_to_num(shares))).round().astype(np.uint8)
    scale = (size or 512) / max(height, width)
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = Image.fromarray(grey.reshape(height, width)).resize(shape, Image.Resampling.NEAREST)
    return small.convert("RGB")
