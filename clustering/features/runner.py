"""A pretrained network on its device: uint8 squares in, float32 rows out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.pictures import Interpolation

if TYPE_CHECKING:
    from torch import Tensor, nn

    from clustering.training.device import DeviceName


@dataclass(frozen=True)
class Input:
    """What a network wants to be shown."""

    side: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    interpolation: Interpolation = "bilinear"


class Runner:
    """A network on its device, taking uint8 squares (b, side, side, 3) and giving float32 rows (b, d).

    The network lies in memory the channels-last way. In bfloat16 its convolutions and matrix products are
    stored so once for all; autocast would convert their weights again for every batch.
    """

    def __init__(self, network: nn.Module, wanted: Input, device: DeviceName, precision: str) -> None:
        import torch

        from clustering.training.device import choose_device

        chosen = choose_device(device)
        self.device, self.device_reason = chosen.device, chosen.reason
        self._half = precision != "float32" and self.device.type == "cuda"
        self.device_used = self.device.type + (" in bfloat16" if self._half else "")
        self._network = network.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self._half:
            for module in self._network.modules():
                if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
                    module.to(torch.bfloat16)
        shape = (1, 3, 1, 1)
        self._mean = torch.tensor(wanted.mean, device=self.device).view(shape) * 255
        self._deviation = torch.tensor(wanted.deviation, device=self.device).view(shape) * 255

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the features of one batch."""
        import torch

        with torch.inference_mode():
            rows = self.forward(torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device))
            return finite(rows.cpu().numpy())

    def forward(self, pixels: Tensor) -> Tensor:
        """Return float32 features (b, d) of uint8 squares (b, side, side, 3), both on the device."""
        # a (b, h, w, 3) array seen as (b, 3, h, w) already lies in memory the channels-last way
        return self.network_rows((pixels.permute(0, 3, 1, 2).float() - self._mean) / self._deviation)

    def network_rows(self, images: Tensor) -> Tensor:
        """Return float32 features (b, d) of images as the network wants them, float32 (b, 3, side, side)."""
        import torch

        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half, cache_enabled=False):
            return self._network(images).float()


def finite(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``rows``.

    Raises
    ------
    StudioError
        When some are no finite numbers.
    """
    if not np.isfinite(rows).all():
        raise StudioError(
            "The network answered with values that are not finite numbers.",
            "The weights are probably damaged; choose another weight file or encoder.",
        )
    return np.asarray(rows, dtype=np.float32)
