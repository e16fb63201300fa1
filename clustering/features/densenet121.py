"""DenseNet-121 as DELIUS uses it (Castellano and Vessio 2022, arXiv 2106.06234): 1024 features a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from clustering.features.info import EncoderInfo
from clustering.features.network import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    BatchSize,
    DeviceChoice,
    FitChoice,
    Input,
    NetworkEncoder,
    PrecisionChoice,
)
from clustering.features.weights import fill, hub_file, local_file, names_file, read_state
from clustering.parameters import Meaning

if TYPE_CHECKING:
    from torch import nn


class DenseNet121(NetworkEncoder):
    """DenseNet-121 without its classifier, pooled after the last batch norm *and* ReLU, so never negative.

    The authors' Keras network pools there; a known port pools before the ReLU and gets other features.
    """

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="densenet121",
        title="DenseNet-121",
        kinds=("images",),
        dimensions=1024,
        origin="ImageNet weights of the torchvision project, from the hub id or file given as “weights”.",
        summary="The encoder of the DELIUS paper on paintings; weights come from the hub or a file.",
        order=20,
        offline=False,
        version=2,
    )

    def __init__(
        self,
        weights: Annotated[
            str, Meaning("A hub id, or the path of a weight file on this machine (.safetensors or .pth).")
        ] = "timm/densenet121.tv_in1k",
        fit: FitChoice = "squash",
        device: DeviceChoice = "auto",
        precision: PrecisionChoice = "auto",
        batch_size: BatchSize = 64,
    ) -> None:
        super().__init__(fit, device, precision, batch_size)
        self.weights = weights

    def input_sentence(self) -> str:
        """Return the sentence on pixel scaling."""
        return "224 × 224 pixels, ImageNet mean and deviation; the last feature map is averaged."

    def origin(self) -> str:
        """Return where the weights come from: the file or the hub id."""
        if names_file(self.weights):
            return f"Weights read from the local file {self.weights}."
        return f"Weights of the hub repository {self.weights}."

    def network(self) -> tuple[nn.Module, Input]:
        """Return the network and what it wants.

        Raises
        ------
        StudioError
            When the weights cannot be reached or are not DenseNet-121's.
        """
        import timm

        file = local_file(self.weights) if names_file(self.weights) else hub_file(self.weights)
        network = timm.create_model("densenet121", pretrained=False, num_classes=0)
        fill(network, read_state(file), self.info.title, file.name)
        return network, Input(224, IMAGENET_MEAN, IMAGENET_DEVIATION)
