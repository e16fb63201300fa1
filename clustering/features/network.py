"""What all pretrained picture encoders share: squares in, one pooled vector a picture out, batch by batch."""

from __future__ import annotations

import importlib.util
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable, Encoder
from clustering.features.batches import FeatureFile, digest, encode_in_batches
from clustering.features.pictures import FIT_SENTENCES, Fit, Interpolation, read_picture, squared
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell

if TYPE_CHECKING:
    from torch import nn

    from clustering.training.device import DeviceName

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)

FitChoice = Annotated[
    Fit,
    Meaning("How a picture becomes a square: squashed (DELIUS's way), cut to the middle, or with bars."),
]
DeviceChoice = Annotated[
    Literal["auto", "cpu", "cuda", "mps"],
    Meaning("Where the network runs; “auto” takes a graphics card when there is one.", advanced=True),
]
PrecisionChoice = Annotated[
    Literal["float32", "bfloat16"],
    Meaning("bfloat16 is faster on graphics cards and changes features in the third digit.", advanced=True),
]
BatchSize = Annotated[
    int, Interval(ge=1, le=1024), Meaning("Pictures at a time; fewer need less memory.", advanced=True)
]


@dataclass(frozen=True)
class Input:
    """What a network wants to be shown."""

    side: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    interpolation: Interpolation = "bilinear"


class NetworkEncoder(Encoder):
    """Base of encoders that run a pretrained network in inference mode."""

    fit: FitChoice
    device: DeviceChoice
    precision: PrecisionChoice
    batch_size: BatchSize

    @abstractmethod
    def network(self) -> tuple[nn.Module, Input]:
        """Return the network with its weights, mapping (b, 3, side, side) to (b, d), and what it wants."""

    @abstractmethod
    def input_sentence(self) -> str:
        """Return the sentence on how pixel values are scaled."""

    def describe(self) -> str:
        """Return how pictures are prepared."""
        return f"Pictures are {FIT_SENTENCES[self.fit]}; {self.input_sentence()}"

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return the pooled features of every picture, float32 (n, d); see `Encoder.encode`."""
        import torch

        self._check(collection)
        doing = f"Features with {self.info.title}"
        tell(progress, 0, collection.n_items, doing)
        # a network draws initial weights, soon replaced by the file's, from the global generator: put it back
        with torch.random.fork_rng(devices=[]):
            network, wanted = self.network()
        runner = Runner(network, wanted, self.device, self.precision)
        self.device_used, self.device_reason = runner.device_used, runner.device_reason
        dimensions = runner(np.zeros((1, wanted.side, wanted.side, 3), dtype=np.uint8)).shape[1]
        key = digest({"collection": collection.content_hash, **self.fingerprint()})
        rows = FeatureFile(collection.n_items, dimensions, key, self.batch_size, checkpoint)

        def read(index: int) -> NDArray[np.uint8]:
            return squared(read_picture(collection, index), wanted.side, self.fit, wanted.interpolation)

        return encode_in_batches(read, runner, rows, self.batch_size, progress, doing)


class Runner:
    """A network on its device, taking uint8 squares (b, side, side, 3) and giving float32 rows (b, d)."""

    def __init__(self, network: nn.Module, wanted: Input, device: DeviceName, precision: str) -> None:
        import torch

        from clustering.training.device import choose_device

        chosen = choose_device(device)
        self._device, self.device_reason = chosen.device, chosen.reason
        self._half = precision == "bfloat16" and self._device.type == "cuda"
        self.device_used = self._device.type + (" in bfloat16" if self._half else "")
        self._network = network.eval().to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        shape = (1, 3, 1, 1)
        self._mean = torch.tensor(wanted.mean, device=self._device).view(shape) * 255
        self._deviation = torch.tensor(wanted.deviation, device=self._device).view(shape) * 255

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the features of one batch."""
        import torch

        with torch.inference_mode(), torch.autocast(self._device.type, torch.bfloat16, enabled=self._half):
            # a (b, h, w, 3) array seen as (b, 3, h, w) already lies in memory the channels-last way
            images = torch.from_numpy(np.ascontiguousarray(pixels)).to(self._device).permute(0, 3, 1, 2)
            features = self._network((images.float() - self._mean) / self._deviation)
            rows = features.float().cpu().numpy()
        if not np.isfinite(rows).all():
            raise StudioError(
                "The network answered with values that are not finite numbers.",
                "The weights are probably damaged; choose another weight file or encoder.",
            )
        return np.asarray(rows, dtype=np.float32)


def require_package(module: str, what: str) -> None:
    """Say in a sentence that a package is missing.

    Raises
    ------
    StudioError
        When ``module`` cannot be found.
    """
    if importlib.util.find_spec(module) is None:
        raise StudioError(
            f"{what} needs the package “{module}”, which is not installed.",
            "Install the studio again with all its dependencies, or choose another encoder.",
        )
