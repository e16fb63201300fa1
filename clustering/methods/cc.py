"""CC: contrast of items and contrast of groups, both between two views, learned at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import torch
from annotated_types import Gt
from torch import Generator, Tensor

from clustering.kinds import ANY_FEATURES
from clustering.losses.contrast import group_contrast, pair_contrast
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.learning_from_views import ViewClusterer
from clustering.methods.settings import (
    BatchSize,
    Device,
    Epochs,
    HiddenDims,
    LatentDim,
    LearningRate,
    NInit,
    Precision,
    Scale,
)
from clustering.methods.viewing import BackboneChoice, Strength, Viewing, Views
from clustering.networks.views import ContrastiveNetwork
from clustering.parameters import Meaning
from clustering.training.checkpoint import fingerprint
from clustering.training.data import Data
from clustering.training.kept_weights import keeping_weights, remember_weights, weights_below
from clustering.training.phase import Phase
from clustering.training.step import Batch

COMPARED = 128  # numbers by which items are compared, as published
LEARNED = ("trunk", "last", "items", "groups")  # parts of the network, kept for a method that goes on from it
BY_THE_WAY = ("device", "n_init")  # settings that do not decide what one seed learns


class CC(ViewClusterer):
    """Contrastive Clustering (Li, Hu, Liu, Peng, Zhou, Peng 2021).

    Two views of every item of a batch are compared with all others, by their features and by the group the
    network puts them in: views of one item should be alike, and a group of one view should hold the same
    items as that group of the other view, and not those of another group.

    Parameters
    ----------
    n_clusters : int, default 10
    views : {"neighbours", "noise", "digits", "artworks", "photographs"}, default "neighbours"
        ``neighbours``: one of the ten nearest items is the second view, both with a fifth of their numbers
        left out; this is not in the paper. The last three read the features as pixels of square pictures and
        train convolutions.
    strength : float, default 1
    temperature, group_temperature : float, default .5 and 1
        τ_I and τ_C.
    backbone : {"small", "resnet18", "resnet34", "resnet50"} or a timm model's name, default "small"
        Of pictures; torchvision's, untrained, with the stem for CIFAR-10 up to 64 pixels.
    hidden_dims : (256,) by default
        Of the network for rows of numbers, each layer with batch normalisation.
    latent_dim : int, default 128
        Width of the features.
    epochs : int, default 100
    batch_size : int, optional
        256 as published.
    learning_rate : float, optional
        1e-3 with Adam, no weight decay.
    scale, device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    As published: both losses and their equal weight, the heads, the temperatures, each view's own statistics
    of the batch, no label and no early stop. Ours: small networks, whose rate is higher (3e-4 for a ResNet-34
    and 1,000 passes there), views by the kind of picture, and neighbours as views where there is no picture.

    On scikit-learn's digits (five seeds) ACC .954 ± .037 with views “digits”, .860 ± .003 with neighbours by
    their pixels, k-means .792; on 2,557 artworks style NMI .269 ± .019, k-means .243.
    """

    info = MethodInfo(
        name="cc",
        title="CC",
        paper="Contrastive Clustering. Yunfan Li, Peng Hu, Zitao Liu, Dezhong Peng, Joey Tianyi Zhou, "
        "Xi Peng",
        year=2021,
        source="AAAI 2021, arXiv:2009.09687",
        family="deep",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Learns which items are two looks at the same thing, and puts both into one group.",
        when_to_use=(
            "Collections of which you can say what does not matter: a digit stays the same slightly turned, "
            "a painting when only a part is seen. Small aligned pictures as pixels are its strength: on "
            "scikit-learn's digits its accuracy is .95 (five seeds, .89 to .99; k-means .79). "
            "On features of a trained network it takes near neighbours for two looks at the same thing, and "
            "sharpens what they already suggest."
        ),
        how_it_fails=(
            "The views decide: what they change, the network learns to ignore. A view that changes colour "
            "loses groups that differ in colour; mirrored digits are confused. With noise as the only view "
            "it stays below k-means. It wants groups of about equal size and splits large ones where they "
            "are not. Where neighbours cross from one kind into another, it joins the two. On 2,557 "
            "paintings of 32 pixels, with the views for artworks, its groups agreed less with style than "
            "k-means on the same pixels (NMI .11 and .18): give it features of a trained network there."
        ),
        formula=(
            r"\min_\theta\ \frac{1}{2n}\sum_u "
            r"-\log\frac{e^{s_{uu^+}/\tau_I}}{\sum_{v\ne u} e^{s_{uv}/\tau_I}} "
            r"+ \frac{1}{2K}\sum_j -\log\frac{e^{\cos(c_j, c_{j^+})/\tau_C}}{\sum_{l\ne j} "
            r"e^{\cos(c_j, c_l)/\tau_C}} - H(Y^a) - H(Y^b)"
        ),
        representation="contrast of views",
        clustering="contrast of columns of the soft assignments",
        interaction="simultaneous",
        test_settings={
            "n_clusters": 3,
            "hidden_dims": (16,),
            "latent_dim": 8,
            "epochs": 15,
            "learning_rate": 0.03,
            "device": "cpu",
        },
        order=202101,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        views: Views = "neighbours",
        strength: Strength = 1.0,
        temperature: Annotated[
            float,
            Gt(0),
            Meaning(
                "Of the contrast of items: smaller looks harder at the most similar ones.", advanced=True
            ),
        ] = 0.5,
        group_temperature: Annotated[
            float,
            Gt(0),
            Meaning("Of the contrast of groups: smaller keeps similar groups further apart.", advanced=True),
        ] = 1.0,
        backbone: BackboneChoice = "small",
        hidden_dims: HiddenDims = (256,),
        latent_dim: LatentDim = 128,
        epochs: Epochs = 100,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        scale: Scale = "none",
        device: Device = "auto",
        precision: Precision = "tf32",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.views = views
        self.strength = strength
        self.temperature = temperature
        self.group_temperature = group_temperature
        self.backbone = backbone
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.scale = scale
        self.device = device
        self.precision = precision
        self.n_init = n_init
        self.random_state = random_state

    def setup(self, n_features: int, generator: Generator) -> ContrastiveNetwork:
        """Return the untrained network."""
        return ContrastiveNetwork(
            n_features,
            self.pictured(n_features),
            self.hidden_dims,
            self.latent_dim,
            self.n_clusters,
            COMPARED,
            generator,
        )

    def phases(self, network: ContrastiveNetwork, data: Data) -> tuple[Phase, ...]:  # type: ignore[override]
        """Learn, and at the end keep what was learned, where weights are kept."""
        (learn,) = super().phases(network, data)
        mark = self.mark(data) if keeping_weights() else ""
        look_out = learn.watch
        assert look_out is not None

        def watch() -> tuple[str, ...]:
            if mark and int(network.looks) > self.epochs:  # the first look comes before any epoch
                remember_weights(mark, weights_below(network, LEARNED))
            return look_out()

        return (replace(learn, watch=watch),)

    def mark(self, data: Data) -> str:
        """Return a hash of all that decides what is learned."""
        decisive = {
            name: value for name, value in self.get_params(deep=False).items() if name not in BY_THE_WAY
        }
        return fingerprint(self.info.name, decisive, data.device.type, data.given)

    def agreement(self, network: ContrastiveNetwork, viewing: Viewing, batch: Batch) -> dict[str, Tensor]:
        """Return the contrast of items and that of groups."""
        first, second = (network.learn(view) for view in viewing.pair(batch, network.neighbours))
        one, other = (torch.softmax(network.logits(latents).float(), dim=1) for latents in (first, second))
        return {
            "items": pair_contrast(network.items(first), network.items(second), self.temperature),
            "groups": group_contrast(one, other, self.group_temperature),
        }
