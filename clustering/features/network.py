"""What all pretrained picture encoders share: squares in, one pooled vector a picture out, batch by batch."""

from __future__ import annotations

import importlib.util
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.errors import StudioError
from clustering.features.base import Encodable, EncodeNew, Encoder
from clustering.features.batches import FeatureFile, encode_in_batches, file_digest
from clustering.features.device_pictures import DeviceDecoder
from clustering.features.lanes import Lanes, processors
from clustering.features.pictures import FIT_SENTENCES, Fit, Square
from clustering.features.runner import Input, Runner
from clustering.features.streamed import Stream, encode_streamed
from clustering.features.weights import local_file, names_file
from clustering.parameters import Meaning
from clustering.progress import Progress, silent, tell

if TYPE_CHECKING:
    from torch import nn

# Of five processes so many fetch files for the graphics card's decoder: it reads ten times what all
# processors read, if only enough of them bring it files (measured on 16 of them).
LANES_OF_FIVE = 4
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
    Literal["auto", "float32", "bfloat16"],
    Meaning(
        "bfloat16, which “auto” takes on graphics cards, is twice as fast there and changes features in the "
        "third digit; elsewhere all is float32.",
        advanced=True,
    ),
]
BatchSize = Annotated[
    int, Interval(ge=1, le=1024), Meaning("Pictures at a time; fewer need less memory.", advanced=True)
]


class NetworkEncoder(Encoder):
    """Base of encoders that run a pretrained network in inference mode."""

    def __init__(
        self,
        fit: FitChoice = "squash",
        device: DeviceChoice = "auto",
        precision: PrecisionChoice = "auto",
        batch_size: BatchSize = 64,
    ) -> None:
        self.fit = fit
        self.device = device
        self.precision = precision
        self.batch_size = batch_size

    @abstractmethod
    def network(self) -> tuple[nn.Module, Input]:
        """Return the network with its weights, mapping (b, 3, side, side) to (b, d), and what it wants."""

    @abstractmethod
    def input_sentence(self) -> str:
        """Return the sentence on how pixel values are scaled."""

    def describe(self) -> str:
        """Return how pictures are prepared."""
        return f"Pictures are {FIT_SENTENCES[self.fit]}; {self.input_sentence()}"

    def fingerprint(self) -> dict[str, Any]:
        """Return what decides the numbers; a local weight file counts by its content, not its name.

        Raises
        ------
        StudioError
            When the weight file is not there.
        """
        decides = super().fingerprint()
        weights = decides["parameters"].get("weights", "")
        if weights and names_file(weights):
            decides["parameters"]["weights"] = file_digest(local_file(weights))
        return decides

    def encode(
        self, collection: Encodable, *, progress: Progress = silent, checkpoint: Path | None = None
    ) -> NDArray[np.float32]:
        """Return the pooled features of every picture, float32 (n, d); see `Encoder.encode`."""
        import torch

        self._check(collection)
        doing = f"Features with {self.info.title}"
        tell(progress, 0, collection.n_items, doing)
        runner, square = self._runner()
        key = self.key(collection)

        def rows(dimensions: int) -> FeatureFile:
            return FeatureFile(collection.n_items, dimensions, key, self.batch_size, checkpoint)

        if runner.device.type != "cuda":
            blank = np.zeros((1, square.side, square.side, 3), dtype=np.uint8)
            return encode_in_batches(
                lambda index: square.of(collection, index),
                runner,
                rows(runner(blank).shape[1]),
                self.batch_size,
                progress,
                doing,
            )
        for_card, others = lanes_of(processors())
        lanes = Lanes(collection, square, others, collection.n_items, for_card)
        try:
            stream = Stream(runner, self.batch_size, square.side)
            decoder = DeviceDecoder(square, runner.device)
            return encode_streamed(lanes, stream, rows(stream.dimensions), decoder, progress, doing)
        except torch.OutOfMemoryError as error:
            raise StudioError(
                f"The graphics card has too little free memory for {self.batch_size} pictures at a time.",
                f"Choose a batch size of {max(1, self.batch_size // 4)}, or the processor (cpu) as device.",
            ) from error
        finally:
            lanes.end()

    def prepared(self, collection: Encodable, dimensions: int) -> EncodeNew:
        """Return a function that shows new pictures to the network, kept loaded; see `Encoder.prepared`."""
        self._check(collection)
        runner, square = self._runner()
        blank = np.zeros((1, square.side, square.side, 3), dtype=np.uint8)
        self._check_width(collection, dimensions, runner(blank).shape[1])

        def encode_new(newcomers: Encodable) -> NDArray[np.float32]:
            self._check(newcomers)
            squares = (np.array([square.of(newcomers, at)]) for at in range(newcomers.n_items))
            return np.concatenate([runner(one) for one in squares])  # one by one: a batch rounds otherwise

        return encode_new

    def _runner(self) -> tuple[Runner, Square]:
        """Return the network on its device, and the square it wants to see."""
        import torch

        # a network draws initial weights, soon replaced by the file's, from the global generator: put it back
        with torch.random.fork_rng(devices=[]):
            network, wanted = self.network()
        runner = Runner(network, wanted, self.device, self.precision)
        self.device_used, self.device_reason = runner.device_used, runner.device_reason
        return runner, Square(wanted.side, self.fit, wanted.interpolation)


def lanes_of(processors: int) -> tuple[int, int]:
    """Return how many processes fetch files for the graphics card's decoder, and how many decode."""
    for_card = max(2, (processors - 1) * LANES_OF_FIVE // 5)
    return for_card, max(1, processors - 1 - for_card)


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
