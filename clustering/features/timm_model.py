"""Any picture network of the timm library, by name, hub id or local weight file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from clustering.errors import StudioError
from clustering.features.info import EncoderInfo
from clustering.features.network import (
    BatchSize,
    DeviceChoice,
    FitChoice,
    Input,
    NetworkEncoder,
    PrecisionChoice,
)
from clustering.features.weights import fill, hub_file, hub_json, local_file, read_state
from clustering.parameters import Meaning

if TYPE_CHECKING:
    from torch import nn


class TimmModel(NetworkEncoder):
    """A timm network without its classifier; input size, scaling and dimension are the model's own."""

    info: ClassVar[EncoderInfo] = EncoderInfo(
        name="timm",
        title="A timm model",
        kinds=("images",),
        dimensions=None,
        origin="Weights of the model named under “model”, from the hub or the file named under “weights”.",
        summary="Any of a thousand published networks, such as DINOv2, CLIP or ResNet-50.",
        order=30,
        offline=False,
        version=2,
    )

    def __init__(
        self,
        model: Annotated[
            str,
            Meaning(
                "A timm model name (resnet50.a1_in1k) or a hub id (timm/vit_small_patch14_dinov2.lvd142m)."
            ),
        ] = "resnet50.a1_in1k",
        weights: Annotated[
            str, Meaning("Path of a weight file on this machine; empty takes the hub's.")
        ] = "",
        fit: FitChoice = "squash",
        device: DeviceChoice = "auto",
        precision: PrecisionChoice = "auto",
        batch_size: BatchSize = 64,
    ) -> None:
        super().__init__(fit, device, precision, batch_size)
        self.model = model
        self.weights = weights

    def input_sentence(self) -> str:
        """Return the sentence on pixel scaling."""
        return f"size and scaling as {self.model} was trained with."

    def origin(self) -> str:
        """Return where the weights come from: the file or the hub id."""
        if self.weights:
            return f"{self.model} with weights read from the local file {self.weights}."
        return f"{self.model} with the hub's weights."

    def network(self) -> tuple[nn.Module, Input]:
        """Return the network and what it wants.

        Raises
        ------
        StudioError
            When the model is unknown or its weights cannot be reached or do not fit.
        """
        import timm
        from timm.data import resolve_data_config

        architecture, repository, own_settings = self._source()
        file = local_file(self.weights) if self.weights else hub_file(repository)
        try:
            network = timm.create_model(
                architecture, pretrained=False, num_classes=0, pretrained_cfg_overlay=own_settings or None
            )
        except (RuntimeError, ValueError, TypeError) as error:
            raise StudioError(
                f"timm cannot build the model “{self.model}” ({str(error).splitlines()[0]}).",
                "Choose a name that timm.list_models() lists.",
            ) from error
        fill(network, _converted(network, read_state(file)), self.model, file.name)
        settings = resolve_data_config(pretrained_cfg=network.pretrained_cfg)
        wanted = Input(
            int(settings["input_size"][-1]),
            tuple(settings["mean"]),
            tuple(settings["std"]),
            "bilinear" if settings["interpolation"] == "bilinear" else "bicubic",
        )
        return network, wanted

    def _source(self) -> tuple[str, str, dict[str, Any]]:
        """Return timm's architecture name, the hub repository, and the settings that repository states."""
        import timm

        if "/" not in self.model:
            if not timm.is_model(self.model):
                raise StudioError(
                    f"timm knows no model called “{self.model}”.",
                    "Choose a name that timm.list_models() lists.",
                )
            settings = timm.get_pretrained_cfg(self.model)
            repository = settings.hf_hub_id if settings is not None else ""
            if not repository and not self.weights:
                raise StudioError(
                    f"timm offers no published weights for “{self.model}”.",
                    "Give a weight file under “weights”, or choose another model.",
                )
            return self.model, str(repository), {}
        architecture = self.model.removeprefix("timm/")
        if self.model.startswith("timm/") and timm.is_model(architecture):
            return architecture, self.model, {}
        stated = hub_json(self.model, "config.json")
        if "architecture" not in stated:
            raise StudioError(
                f"The hub repository “{self.model}” does not say which timm architecture it is.",
                "Choose a repository made for timm.",
            )
        return str(stated["architecture"]), self.model, dict(stated.get("pretrained_cfg", {}))


def _converted(network: nn.Module, state: dict[str, Any]) -> dict[str, Any]:
    """Apply timm's own renaming for weight files written by a model's original authors, where it has one."""
    import importlib

    module = importlib.import_module(type(network).__module__)
    rename = getattr(module, "checkpoint_filter_fn", None)
    if rename is None or set(network.state_dict()) <= set(state):
        return state
    return dict(rename(state, network))
