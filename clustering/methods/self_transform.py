"""SSL by self-transformation: a network makes its own views and its own balanced labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from annotated_types import Gt, Interval
from torch import Generator, Tensor

from clustering.errors import StudioError
from clustering.kinds import ANY_FEATURES
from clustering.methods.info import MethodInfo
from clustering.methods.inputs import NClusters, RandomState
from clustering.methods.pseudo_labelling import PseudoLabelClusterer
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
from clustering.methods.transforming import Transforming
from clustering.networks.convolutions import Picture
from clustering.networks.self_transform import SelfTransformNetwork
from clustering.parameters import Meaning
from clustering.training.data import Data
from clustering.training.lloyd import Relabelled
from clustering.training.optimisers import Optimiser, Schedule, constant
from clustering.training.phase import Phase, Refreshed
from clustering.views.pixels import picture_shape

MOST_PROTOTYPES = 1000
FIRST = "first steps"  # the epoch in which prototypes stand still
WARM_UP = 5  # epochs after it, before the network's own directions mean anything
WEIGHT_DECAY = 1e-5


class SelfTransform(PseudoLabelClusterer):
    """Self-supervised learning by self-transformation (Ntelemis, Jin, Thomas 2022).

    Views of an item are not designed by hand: each is the item moved a little, the way that changes most what
    the network says of it. A batch labels itself with prototypes, all of which must get the same share, and
    the network learns to foretell from one view the label of another.

    Parameters
    ----------
    n_clusters : int, default 10
        Groups at the end: k-means (20 restarts) on the features. The prototypes are more.
    strength : float, default .4
        α: a view lies at most α times the distance of the tenth neighbour from its item, so that one number
        fits pictures, spectra and tables. Up to .5 the item always stays among the ten nearest to its view.
    directions : {"adversarial", "random"}, default "adversarial"
    n_prototypes : int, optional
        As many as a batch has items by default, 1,000 at most.
    trunk : {"dense", "convolution"}, default "dense"
        ``convolution`` needs the pixels of square pictures.
    temperature : float, default .1
        τ of the odds p = softmax(s / τ).
    epsilon, sinkhorn_rounds : float, int, default .05 and 3
        ε and the rounds of the balanced labels.
    hidden_dims : 512–512 by default
        Of the dense layers before the projection, each with batch normalisation.
    latent_dim : int, default 128
        Width of the features z, which have length 1.
    epochs : int, default 100
        Passes with the network's own views, after 6 with random ones.
    batch_size : int, optional
        256, fewer on small sets.
    learning_rate : float, optional
        5e-4 with Adam, weight decay 1e-5; it rises in the first 6 passes.
    scale : {"none", "unit", "standardize"}, default "unit"
        Take "standardize" for columns that are not alike in scale; spectra as log(1 + x) over their sum.
    device, precision, n_init, random_state
        As in `DEC`.

    Notes
    -----
    A reconstruction, see ``info.reconstructed``. The prototypes are kept at length 1, and still in the first
    pass. The directions of both views are found at once, by the statistics of that batch, which are not
    gathered. Labels come from the item and one view; gradients flow through the odds of all three.

    On scikit-learn's digits (five seeds, network 128–128, 64 features, 100 prototypes, batches of 256, rate
    1e-3) it reaches NMI .841 ± .021 after 40 passes and .858 ± .016 after 80; with random directions of the
    same length .610 ± .019, k-means on the pixels .742, autoencoder + k-means .768 ± .022. Random ones twice
    as long do better than short ones, .75 to .77, still .05 to .1 below.

    Three rounds even out the labels of an untrained network to a few percent a prototype. Of a trained one,
    sure of its prototypes, a tenth of the labels lies where equal shares would not have them, and single
    prototypes get up to twice their share; 30 rounds settle them and did not help on the digits.
    """

    info = MethodInfo(
        name="self_transform",
        title="SSL by self-transformation",
        paper="A Generic Self-Supervised Framework of Learning Invariant Discriminative Features. Foivos "
        "Ntelemis, Yaochu Jin, Spencer A. Thomas",
        year=2022,
        source="IEEE TNNLS 2023, arXiv:2202.06914",
        family="deep",
        kinds=ANY_FEATURES,
        needs_n_clusters=True,
        summary="Moves every item the way that confuses the network most, and learns not to be confused.",
        when_to_use=(
            "Anything that is a row of numbers and for which nobody knows a harmless change: spectra, sensor "
            "windows, tables, texts, features of pictures. It needs no recipe for turning or cropping, only "
            "that an item moved a little is still the same item. On scikit-learn's digits it agrees better "
            "with the truth (NMI .85, five seeds) than k-means (.74) and an autoencoder with k-means (.77), "
            "less well than UMAP + GMM (.91)."
        ),
        how_it_fails=(
            "“A little” is measured by the distance to the neighbours: where groups touch, a moved item may "
            "belong to another, and the network learns to confuse the two. Too weak a move teaches nothing, "
            "too strong a one wipes out what an item is; it warns of both. Equal shares of the fine groups "
            "suit a collection with rare kinds badly, unless there are many more prototypes than groups. On "
            "pixels, turning and moving the pictures (DeepCluster with “affine”) teaches more."
        ),
        formula=(
            r"\min_\theta \sum_{i \ne j} \mathrm{CE}\bigl(Q(x_i),\, p(x_j)\bigr), \quad "
            r"\tilde x = x + u\,\rho\,\frac{g}{\lVert g \rVert}, \quad "
            r"g = \nabla_r \mathrm{KL}\bigl(p(x) \,\Vert\, p(x + r)\bigr), \quad "
            r"Q = \arg\max_{Q \in \mathcal{U}} \mathrm{tr}(Q^\top S) + \varepsilon H(Q)"
        ),
        representation="network trained on balanced self-labels",
        clustering="k-means",
        interaction="iterative",
        reconstructed=(
            "Only the paper's abstract could be read, and there is no code of it. From it: views by "
            "adversarial perturbations, labels by regularised optimal transport, no augmentations. From the "
            "code of the authors' IMC-SwAV: temperature, ε, three rounds, 128 features, step size, weight "
            "decay. Ours: the length of a move (IMSAT's rule of neighbours), probing at that very length, "
            "layers of 512, as many prototypes as a batch has items, the schedule, k-means for the groups."
        ),
        test_settings={
            "n_clusters": 3,
            "n_prototypes": 12,
            "hidden_dims": (16,),
            "latent_dim": 8,
            "epochs": 2,
            "device": "cpu",
        },
        order=202203,
    )

    def __init__(
        self,
        n_clusters: NClusters = 10,
        *,
        strength: Annotated[
            float,
            Interval(gt=0, le=10),
            Meaning(
                "How far a transformed item may move, in distances to its tenth neighbour. Up to .5 the "
                "original always stays among its ten nearest."
            ),
        ] = 0.4,
        directions: Annotated[
            Literal["adversarial", "random"],
            Meaning(
                "Where an item is moved: the way that changes most what the network says of it, or anywhere, "
                "to see what that is worth.",
                advanced=True,
            ),
        ] = "adversarial",
        n_prototypes: Annotated[
            int | None,
            Interval(ge=2, le=100_000),
            Meaning("Fine groups the network labels items with; empty: as many as a batch has items."),
        ] = None,
        trunk: Annotated[
            Literal["dense", "convolution"],
            Meaning("Convolutions, for the pixels of square pictures, or dense layers, for everything else."),
        ] = "dense",
        temperature: Annotated[
            float,
            Gt(0),
            Meaning("Smaller makes the network surer of the prototype it chooses.", advanced=True),
        ] = 0.1,
        epsilon: Annotated[
            float,
            Interval(ge=0.001, le=10),
            Meaning("Larger spreads the label of an item over more prototypes.", advanced=True),
        ] = 0.05,
        sinkhorn_rounds: Annotated[
            int,
            Interval(ge=1, le=1000),
            Meaning("Rounds that give every prototype its equal share of the labels.", advanced=True),
        ] = 3,
        hidden_dims: HiddenDims = (512, 512),
        latent_dim: LatentDim = 128,
        epochs: Epochs = 100,
        batch_size: BatchSize = None,
        learning_rate: LearningRate = None,
        scale: Scale = "unit",
        device: Device = "auto",
        precision: Precision = "tf32",
        n_init: NInit = 1,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.strength = strength
        self.directions = directions
        self.n_prototypes = n_prototypes
        self.trunk = trunk
        self.temperature = temperature
        self.epsilon = epsilon
        self.sinkhorn_rounds = sinkhorn_rounds
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

    def setup(self, n_features: int, generator: Generator) -> SelfTransformNetwork:
        """Return the untrained network, with as many prototypes as there can be."""
        return SelfTransformNetwork(
            n_features,
            self.pictured(n_features),
            self.hidden_dims,
            self.latent_dim,
            self.n_clusters,
            self.n_prototypes or MOST_PROTOTYPES,
            generator,
        )

    def pictured(self, n_features: int) -> Picture | None:
        """Return how a row is read as a picture, or None where it is a row of numbers.

        Raises
        ------
        StudioError
            When convolutions are wanted for what is no square picture.
        """
        if self.trunk == "dense":
            return None
        shape = picture_shape(n_features)
        if shape is None:
            raise StudioError(
                f"Convolutions need square pictures; {n_features} features are no pixels of one.",
                "Choose the encoder “pixels”, or the trunk “dense”.",
            )
        return shape.height, shape.width, shape.channels

    def labels_for(self, n_items: int) -> int:
        """Return the number of prototypes: as asked, or one for every item of a batch, 1,000 at most.

        With more than the batch has items some could not be anybody's first choice (SwAV's authors).
        """
        return self.n_prototypes or min(MOST_PROTOTYPES, self.rows_a_batch(n_items))

    def learning(self, network: SelfTransformNetwork, data: Data) -> tuple[Phase, ...]:
        """Learn from random directions while the network knows nothing, then from its own."""
        network.keep_prototypes(self.labels_for(data.n_items))
        transforming = Transforming(
            network,
            data,
            self.strength,
            self.temperature,
            self.epsilon,
            self.sinkhorn_rounds,
            self.random_state,
        )
        everything = list(network.parameters())
        still = [parameter for parameter in everything if parameter is not network.prototypes]

        def phase(name: str, epochs: int, schedule: Schedule, adversarial: bool = False) -> Phase:
            first = name == FIRST
            return Phase(
                name,
                epochs,
                lambda batch: transforming.loss(batch, adversarial),
                still
                if first
                else everything,  # to what means nothing yet, prototypes should not move (SwAV)
                replace(self.optimiser(network), schedule=schedule),
                begin=transforming.find_room if first else None,
                refresh=lambda: self.look_at(network, data, transforming),
                noisy=True,
                watch=lambda: self.warnings(network) + transforming.warnings(),
            )

        return (
            phase(FIRST, 1, lambda share: 1 / (1 + WARM_UP)),  # noqa: ARG005
            phase("random views", WARM_UP, rising),
            phase("own views", self.epochs, constant, adversarial=self.directions == "adversarial"),
        )

    def optimiser(self, network: SelfTransformNetwork) -> Optimiser:  # noqa: ARG002
        """Return Adam."""
        return Optimiser("adam", self.learning_rate or 5e-4, weight_decay=WEIGHT_DECAY)

    def look_at(self, network: SelfTransformNetwork, data: Data, transforming: Transforming) -> Refreshed:
        """Look at the groups, and at views and labels of a sample."""
        seen = self.cluster(network, data)
        return replace(seen, figures={**seen.figures, **transforming.look()})

    def relabel(
        self,
        network: SelfTransformNetwork,
        latents: Tensor,
        generator: Generator,  # noqa: ARG002
    ) -> list[Relabelled]:
        """Give every item the prototype it is nearest to."""
        return [Relabelled(network.prototypes, network.scores(latents).argmax(dim=1), 0)]


def rising(share: float) -> float:
    """Let the learning rate go on growing from its value in the first epoch, by as much each time."""
    return (2 + WARM_UP * share) / (1 + WARM_UP)
