"""The networks of HC-MGAN: the GANs at work on a split, and what every split that was made tells items by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from clustering.losses.soft_split import refined_shares, shared_out
from clustering.networks.convolutions import Picture
from clustering.networks.generators import (
    PictureEncoder,
    PictureGenerator,
    dense_encoder,
    dense_generator,
    redraw,
)

ROWS_AT_ONCE = 1024  # through the maps of a large encoder


@dataclass(frozen=True)
class Plan:
    """Sizes of one GAN.

    Parameters
    ----------
    n_features : int
    picture : (height, width, channels) or None
        How a row is read as a picture; None takes dense layers.
    widths : tuple of int
        Of the dense layers of the encoder; the first is also that of the generators.
    n_maps : int
        Maps of the first convolution.
    code_dim : int
        Numbers a generator starts from.
    """

    n_features: int
    picture: Picture | None
    widths: tuple[int, ...]
    n_maps: int
    code_dim: int

    def generator(self) -> nn.Module:
        """Return an untrained generator."""
        if self.picture is None:
            return dense_generator(self.code_dim, self.widths[0], self.n_features)
        return PictureGenerator(self.code_dim, self.picture, self.n_maps)

    def encoder(self) -> tuple[nn.Module, int]:
        """Return an untrained encoder and the width of what it gives."""
        if self.picture is None:
            return dense_encoder(self.n_features, self.widths), self.widths[-1]
        encoder = PictureEncoder(self.picture, self.n_maps)
        return encoder, encoder.n_outputs


class Classifier(nn.Module):
    """Encoder and one linear layer that says which of two made an item."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.encoder, width = plan.encoder()
        self.head = nn.Linear(width, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to logits (b, 2)."""
        logits: Tensor = self.head(self.encoder(inputs))
        return logits


class Gan(nn.Module):
    """Two generators, and a critic and a classifier that read the same features.

    The features learn from the critic alone; the classifier has its linear layer for itself.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.generators = nn.ModuleList(plan.generator() for _ in range(2))
        self.classifier = Classifier(plan)
        self.critic = nn.Linear(self.classifier.head.in_features, 1)

    def generate(self, codes: Tensor) -> Tensor:
        """Map codes (b, c) to the fakes of both generators, one after the other, (2b, d)."""
        return torch.cat([generator(codes) for generator in self.generators])

    def features(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to what critic and classifier read, (b, f)."""
        found: Tensor = self.classifier.encoder(inputs)
        return found

    def told(self, features: Tensor) -> Tensor:
        """Map features (b, f) to the classifier's logits (b, 2)."""
        logits: Tensor = self.classifier.head(features)
        return logits

    def judged(self, features: Tensor) -> Tensor:
        """Map features (b, f) to the critic's logits (b,)."""
        logits: Tensor = self.critic(features)[:, 0]
        return logits


class GeneratorTree(nn.Module):
    """A tree of splits, and the GANs that make the next.

    Leaf 0 is the whole collection. Split t divides the leaf ``parents[t]``: its left half keeps the number,
    its right half becomes leaf t + 1.

    Parameters
    ----------
    plan : Plan
    n_splits : int
        There is room for.
    n_gans : int
        Two to refine splits, one to make them, none in a fitted tree.
    generator : torch.Generator

    Attributes
    ----------
    code_dim : int
    splits : ModuleList (n_splits,)
        The classifiers of every split: that of the first GAN, or one of each half.
    parents : int64 Tensor (n_splits,)
    masses : float Tensor (n_splits, 2)
        What the halves of each split held when it was made.
    refined : bool Tensor (n_splits,)
        Whether the split was refined, so that both of its classifiers are asked.
    made : int64 Tensor ()
        How many splits there are.
    centers : Tensor (K, d)
        Means of the items, weighted by membership; of the leaves there are.
    memberships : Tensor (n, K)
        What every leaf holds of every item, while the tree grows; else empty.
    held : Tensor (n, 2)
        What the halves of the split at work held before this refinement.
    proposed : Tensor (n, 2)
        What they would hold by the classifiers as they are now.
    at_work : int64 Tensor ()
        The leaf that is being divided; -1 for none.
    closed : bool Tensor (K,)
        Leaves that are not to be divided any more.
    active, trained, accepted : bool Tensor ()
        Whether the running phase is to train, whether it has taken a step, and whether an earlier one of this
        split has, so that ``held`` may stay.
    slot, refinement, epoch, attempts : int64 Tensor ()
        Of the running phase: the number of the split in the plan, that of the refinement, epochs done, and
        how often it began anew.
    noise : Tensor ()
        ν, how strongly items are disturbed now.
    fakes : Tensor (n_splits, 2, s, d)
        What the generators of either half of a split made in the end, while the tree grows; empty before.
    like : int64 Tensor (n_splits, 2, s)
        The real items nearest to them.
    """

    parents: Tensor
    masses: Tensor
    refined: Tensor
    made: Tensor
    centers: Tensor
    memberships: Tensor
    held: Tensor
    proposed: Tensor
    at_work: Tensor
    closed: Tensor
    active: Tensor
    trained: Tensor
    accepted: Tensor
    slot: Tensor
    refinement: Tensor
    epoch: Tensor
    attempts: Tensor
    noise: Tensor
    fakes: Tensor
    like: Tensor

    def __init__(self, plan: Plan, n_splits: int, n_gans: int, generator: Generator) -> None:
        super().__init__()
        self.code_dim = plan.code_dim
        with torch.device("meta"):  # the layers' own first weights would come from the global generator
            self.gans = nn.ModuleList(Gan(plan) for _ in range(n_gans))
            self.splits = nn.ModuleList(
                nn.ModuleList(Classifier(plan) for _ in range(2)) for _ in range(n_splits)
            )
        self.to_empty(device="cpu")
        redraw(self, generator)
        numbers = ("made", "slot", "refinement", "epoch", "attempts")
        buffers = {name: torch.tensor(0) for name in numbers} | {"at_work": torch.tensor(-1)}
        buffers |= {name: torch.tensor(False) for name in ("active", "trained", "accepted")}
        buffers |= {name: torch.zeros(0, 2) for name in ("memberships", "held", "proposed")}
        buffers |= {
            "parents": torch.zeros(n_splits, dtype=torch.int64),
            "masses": torch.zeros(n_splits, 2),
            "refined": torch.zeros(n_splits, dtype=torch.bool),
            "closed": torch.zeros(n_splits + 1, dtype=torch.bool),
            "centers": torch.zeros(1, plan.n_features),
            "noise": torch.tensor(0.0),
        }
        if n_gans:
            buffers |= {"fakes": torch.zeros(0, 2, 0, 0), "like": torch.zeros(0, 2, 0, dtype=torch.int64)}
        for name, tensor in buffers.items():
            self.register_buffer(name, tensor)

    def encode(self, inputs: Tensor) -> Tensor:
        """Return rows (b, d) as they are: groups are regions of the features themselves."""
        return inputs

    def classifiers(self, split: int) -> list[Classifier]:
        """Return the two classifiers of a split."""
        both = self.splits[split]
        assert isinstance(both, nn.ModuleList)
        return [one for one in both if isinstance(one, Classifier)]

    def at_it(self) -> list[Gan]:
        """Return the GANs of the running phase: one splits a branch, two refine its halves."""
        gans = [gan for gan in self.gans if isinstance(gan, Gan)]
        return gans[: 2 if bool(self.refinement) else 1]

    def proposal(self, inputs: Tensor) -> Tensor:
        """Return how the GANs at work would share items (b, d) out between the halves, (b, 2)."""
        classifiers = [gan.classifier for gan in self.at_it()]
        return shares(inputs, classifiers, bool(self.refinement))

    def walk(self, inputs: Tensor, n_splits: int) -> Tensor:
        """Walk items (b, d) down the first splits; return what each leaf holds of them, (b, n_splits + 1)."""
        leaves = [torch.ones_like(inputs[:, 0])]
        parents, refined = self.parents.tolist(), self.refined.tolist()
        for split in range(n_splits):
            leaf = parents[split]
            halves = shared_out(leaves[leaf], shares(inputs, self.classifiers(split), refined[split]))
            leaves[leaf] = halves[:, 0]
            leaves.append(halves[:, 1])
        return torch.stack(leaves, dim=1)


def shares(inputs: Tensor, classifiers: Sequence[Classifier], refined: bool) -> Tensor:
    """Return what the halves of a split hold of items (b, d) in their branch, (b, 2).

    By the first classifier, of the GAN that made the split; or by both, those of the two halves.
    """
    first = classifiers[0](inputs).softmax(dim=1)
    return refined_shares(first, classifiers[1](inputs).softmax(dim=1)) if refined else first
