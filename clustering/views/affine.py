"""Pictures turned, scaled and moved a little, a whole batch at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from clustering.views.pixels import PictureShape, as_pictures, as_rows, looked_at


@dataclass(frozen=True)
class AffineViews:
    """Random turns, zooms and shifts, drawn anew for every picture.

    Parameters
    ----------
    shape : PictureShape
    degrees : float
        Turned by at most so much to either side.
    zoom : float
        Scaled by at most this share up or down.
    shift : float
        Moved by at most this share of the width and height: three pixels of 28 on MNIST, less than one of 8
        on the digits, where three would push them out of the picture.

    Notes
    -----
    The strength of DEC-DA (Guo, Zhu, Liu, Yin 2018, "Deep Embedded Clustering with Data Augmentation").
    """

    shape: PictureShape
    degrees: float = 10.0
    zoom: float = 0.1
    shift: float = 3 / 28

    def __call__(self, rows: Tensor, generator: Generator) -> Tensor:
        """Return a view of each picture, (b, h·w·c) like the rows given; what comes in from outside is 0."""
        drawn = torch.rand(4, len(rows), generator=generator, device=rows.device, dtype=rows.dtype) * 2 - 1
        angle, scale = drawn[0] * math.radians(self.degrees), 1 + drawn[1] * self.zoom
        aspect = self.shape.height / self.shape.width
        cosine, sine = angle.cos() * scale, angle.sin() * scale
        # counted in half widths and half heights
        across = torch.stack([cosine, -sine * aspect, 2 * self.shift * drawn[2]], dim=1)
        down = torch.stack([sine / aspect, cosine, 2 * self.shift * drawn[3]], dim=1)
        return as_rows(looked_at(as_pictures(rows, self.shape), across, down))
