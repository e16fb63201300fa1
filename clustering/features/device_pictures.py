"""Decode JPEG files and fit pictures into squares on a graphics card, as Pillow does on the processor."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clustering.features.pictures import Interpolation, Square

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PIXELS_AT_ONCE = 8_000_000  # resized together; each needs about 20 bytes meanwhile


class DeviceDecoder:
    """The graphics card's JPEG decoder, giving squares on the card."""

    def __init__(self, square: Square, device: torch.device) -> None:
        self._square, self._device = square, device
        self._own = threading.local()  # a stream for each thread: memory given back is used again on it

    def __call__(self, files: list[NDArray[np.uint8]]) -> Tensor:
        """Return uint8 squares (n, side, side, 3) of JPEG files, whole when this returns.

        Raises
        ------
        RuntimeError
            When a file cannot be decoded.
        """
        import torch

        if not hasattr(self._own, "stream"):
            self._own.stream = torch.cuda.Stream(self._device)
        with torch.inference_mode(), torch.cuda.stream(self._own.stream):
            squares = device_squares(decoded(files, self._device), self._square)
            # the decoder writes on a stream of its own, unaware of who reads its last pictures: be done first
            self._own.stream.synchronize()
        return squares


def decoded(files: list[NDArray[np.uint8]], device: torch.device) -> list[Tensor]:
    """Return JPEG files as uint8 tensors (3, height, width) on a device.

    Raises
    ------
    RuntimeError
        When a file cannot be decoded, or this torchvision has no decoder for the device.
    """
    import warnings

    import torch
    from torchvision import io

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return io.decode_jpeg([torch.from_numpy(file) for file in files], io.ImageReadMode.RGB, device=device)


def device_squares(pictures: list[Tensor], square: Square) -> Tensor:
    """Return pictures as squares where they are, as `pictures.squared` does on the processor.

    Levels differ by two at most; only along the rim of a crop, which Pillow blends with what lies just
    outside of it, by more.

    Parameters
    ----------
    pictures : list of uint8 tensors (3, height, width)
    square : Square

    Returns
    -------
    uint8 tensor (n, side, side, 3)
    """
    import torch

    side = square.side
    squares = torch.empty((len(pictures), side, side, 3), dtype=torch.uint8, device=pictures[0].device)
    alike: dict[torch.Size, list[int]] = {}
    for position, picture in enumerate(pictures):
        alike.setdefault(picture.shape, []).append(position)
    for shape, positions in alike.items():
        step = max(1, PIXELS_AT_ONCE // (shape[1] * shape[2]))
        for begin in range(0, len(positions), step):
            some = positions[begin : begin + step]
            stacked = torch.stack([pictures[position] for position in some]).float()
            fitted = _fitted(stacked, square).round().clamp(0, 255).to(torch.uint8)
            squares[some] = fitted.permute(0, 2, 3, 1)
    return squares


def _fitted(pictures: Tensor, square: Square) -> Tensor:
    """Fit pictures of one size, float (n, 3, height, width), into (n, 3, side, side)."""
    side = square.side
    height, width = pictures.shape[2:]
    if square.fit == "crop":
        short = min(height, width)
        top, left = (height - short) // 2, (width - short) // 2
        pictures = pictures[:, :, top : top + short, left : left + short]
    if square.fit != "letterbox":
        return _resized(pictures, side, side, square.interpolation)
    scale = side / max(width, height)
    inner_width, inner_height = max(1, round(width * scale)), max(1, round(height * scale))
    small = _resized(pictures, inner_height, inner_width, square.interpolation)
    canvas = small.mean((2, 3), keepdim=True).round().repeat(1, 1, side, side)
    top, left = (side - inner_height) // 2, (side - inner_width) // 2
    canvas[:, :, top : top + inner_height, left : left + inner_width] = small
    return canvas


def _resized(pictures: Tensor, height: int, width: int, interpolation: Interpolation) -> Tensor:
    from torch.nn.functional import interpolate

    return interpolate(pictures, (height, width), mode=interpolation, antialias=True, align_corners=False)
