"""Any network of the timm library that sees pictures, untrained, by its name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import torch
from torch import Generator, Tensor, nn

from clustering.errors import StudioError
from clustering.networks.resnet import PictureNetwork


class TimmTrunk(PictureNetwork):
    """Pictures (b, channels, height, width) → features (b, D), by a timm model without its classifier.

    Parameters
    ----------
    name : str
        As timm lists it, such as ``"resnet10t"``; a tag after a point only names trained weights, which are
        not loaded.
    picture : (height, width, channels)
        Networks made for one size are built for this one.
    generator : torch.Generator
        On the CPU. The weights are drawn as timm draws them, from a seed that this generator gives; the
        global random state is left as it was.

    Attributes
    ----------
    n_outputs : int
        D.

    Raises
    ------
    StudioError
        When timm knows no such model, or it cannot see pictures of this size.

    Notes
    -----
    A share that the model itself would leave out at random (dropout, dropped paths) is not: that chance would
    be the library's and not the fit's.
    """

    def __init__(self, name: str, picture: tuple[int, int, int], generator: Generator) -> None:
        super().__init__()
        import timm

        if not timm.is_model(name):
            raise StudioError(f"timm knows no model called “{name}”.", _mend(name, timm.list_models()))
        height, width, channels = picture
        made = timm.get_pretrained_cfg(name)
        sized: dict[str, Any] = (
            {"img_size": (height, width)} if made is not None and made.fixed_input_size else {}
        )
        seed = int(torch.randint(2**62, (), generator=generator))
        try:
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(seed)  # of the CPU alone: no other device draws here
                self.layers = timm.create_model(
                    name, pretrained=False, num_classes=0, in_chans=channels, **sized
                )
            _without_chance(self.layers)
            # In the order in memory that pixels of a row have.
            seen = torch.zeros(1, height, width, channels).permute(0, 3, 1, 2)
            with torch.no_grad():
                features: Tensor = self.layers.eval()(seen)
        except (AssertionError, RuntimeError, TypeError, ValueError, IndexError) as error:
            raise StudioError(
                f"The timm model “{name}” cannot see pictures of {height} × {width} with {channels} "
                f"{'channel' if channels == 1 else 'channels'} ({str(error).splitlines()[0]}).",
                "Choose larger pictures in the encoder “pixels”, or another “backbone”.",
            ) from error
        if features.ndim != 2:
            raise StudioError(
                f"The timm model “{name}” gives no row of features for a picture.",
                "Choose another “backbone”, such as resnet10t.",
            )
        self.n_outputs = features.shape[1]


def _mend(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    if not near:
        return "Choose “small”, a ResNet, or a name that timm.list_models() lists."
    return f"Did you mean {' or '.join(f'“{one}”' for one in near)}?"


def _without_chance(layers: nn.Module) -> None:
    for layer in layers.modules():
        if isinstance(layer, nn.modules.dropout._DropoutNd):
            layer.p = 0.0
        elif isinstance(getattr(layer, "drop_prob", None), float):
            setattr(layer, "drop_prob", 0.0)  # noqa: B010  # no attribute of every module
