"""DRE: one network learns the map, then learns it again from what its own hidden layers have understood."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from clustering.arrays import distinct_rows
from clustering.methods.inputs import checked_settings
from clustering.networks.recursive import FULLY_CONNECTED, RecursiveNetwork, Trunk
from clustering.progress import Progress, tell
from clustering.projections import dre_parameters as chosen
from clustering.projections.axes import Axes
from clustering.projections.base import NComponents, RandomState
from clustering.projections.dre_input import Standard, picture_of
from clustering.projections.dre_rows import Rows
from clustering.projections.dre_steps import Recipe, StepResult, planned
from clustering.projections.dre_training import Learner
from clustering.projections.few_items import FEWEST_ITEMS, MapsFew
from clustering.projections.info import ProjectionInfo
from clustering.projections.neighbor_map import Metric, Perplexity, Where
from clustering.training.device import choose_device
from clustering.training.inference import threads, weights_of, with_weights
from clustering.training.seeds import derived_seed, torch_generator

TRUNKS: tuple[Trunk, ...] = get_args(Trunk)
MANY = 50_000  # items from which neighbours are found in the whole set instead of in each batch
WORTH_HOLDING_OUT = 10_000  # items from which a thousand can be spared to measure new ones
HELD_OUT = 1_000
PLACED_AT_ONCE = 1024  # rows
WORTH_THREADS = 2e8  # multiplications a pass; below, waiting costs threads more than they save
WORTH_THE_DEVICE = 1024  # rows; fewer are placed on the CPU: .025 s there on 16 cores, .015 s on the device


class DRE(MapsFew):
    """Deep recursive embedding (Zhou, Zu, Wang, Lelieveldt, Tao 2022).

    Parameters
    ----------
    n_components : int, default 2
    trunk : str or None
        ``fc``, ``fc-full``, ``conv-small``, ``conv-medium``, ``conv-large`` are the authors'; ``fc-light``
        is a small network of ours. None: ``fc`` on a graphics processor, ``fc-light`` without one.
    recursion : bool, default True
        False: all epochs of stage 1 learn from the input.
    stage2 : {"kl", "ce", "none"}
        ``kl``: as released; ``ce``: UMAP's cross-entropy.
    perplexity : float, default 30
        Lowered to a third of the batch where it is larger.
    n_neighbors : int, default 15
    min_dist : float, default 0.001
    affinity : {"auto", "batch", "global"}
        Where neighbours are looked for; ``auto``: in the batch, as published, up to 50,000 items.
    metric : {"euclidean", "cosine"}
    select : {"best", "last"}
        ``last``: as published. ``best``: the step that keeps neighbours best, without labels.
    held_out : int or None
        Items set aside to measure how new ones are placed; None: 1,000 from 10,000 items on, else none.
    input_epochs, recursion_epochs, stage2_epochs : int, default 100, 50, 100
    batch_size : int or None
        None: 2500, as published; a quarter of the items, but not below 500, in smaller sets.
    redraw_every : int, default 1
        Epochs between two draws of the batches; the authors' never change.
    learning_rate : float, default 1e-3
        A tenth of it in stage 2.
    picture : tuple of int or None
        Height, width and, if not 1, channels of the rows, for ``conv`` trunks; None: square, grey or colour.
    device : {"auto", "cpu", "cuda"}
    precision : {"float32", "tf32", "bfloat16"}, default "tf32"
    random_state : int, default 0

    Attributes
    ----------
    steps_ : tuple of StepResult
        What every step left behind, measured on the same items.
    kept_step_ : str
        Name of the step whose map this is; empty when PCA took its place.
    history_ : list of dict
        ``step, epoch, loss, seconds`` of every epoch; empty after loading.

    Notes
    -----
    Items are centred and divided by one number, so that distances keep their proportions. Equal rows are
    learned from once. Perplexities, affinities and training run on the device. Places are computed in
    float64 from the float32 weights and rounded once, so that a row's place does not depend on its company.
    """

    info: ClassVar[ProjectionInfo] = ProjectionInfo(
        name="dre",
        title="DRE",
        paper="Z. Zhou, X. Zu, Y. Wang, B. Lelieveldt, Q. Tao: Deep recursive embedding for high-dimensional "
        "data",
        year=2022,
        source="IEEE TVCG 28(2), 1237–1248; arXiv:2111.00622",
        summary="A network learns the map and then learns it again from its own hidden layers; it places new "
        "items at once, and gathers groups more tightly than t-SNE.",
        honesty="The size of a group and the gaps between groups mean little, and every recursion gathers "
        "items more by what the network made of them than by their features: compare the steps. Up to "
        "50,000 items neighbours are looked for within batches, which blurs fine structure.",
        learns=True,
        test_settings={
            "trunk": "fc-light",
            "perplexity": 10.0,
            "n_neighbors": 10,
            "input_epochs": 25,
            "recursion_epochs": 4,
            "stage2_epochs": 4,
            "learning_rate": 3e-3,
        },
        order=40,
    )

    def __init__(
        self,
        n_components: NComponents = 2,
        trunk: chosen.Network = None,
        recursion: chosen.Recursion = True,
        stage2: chosen.Stage2 = "kl",
        perplexity: Perplexity = 30.0,
        n_neighbors: chosen.NNeighbors = 15,
        min_dist: chosen.MinDist = 0.001,
        affinity: chosen.Affinity = "auto",
        metric: Metric = "euclidean",
        select: chosen.Select = "best",
        held_out: chosen.HeldOut = None,
        input_epochs: chosen.InputEpochs = 100,
        recursion_epochs: chosen.RecursionEpochs = 50,
        stage2_epochs: chosen.Stage2Epochs = 100,
        batch_size: chosen.BatchSize = None,
        redraw_every: chosen.RedrawEvery = 1,
        learning_rate: chosen.LearningRate = 1e-3,
        picture: chosen.PictureShape = None,
        device: Where = "auto",
        precision: chosen.Numbers = "tf32",
        random_state: RandomState = 0,
    ) -> None:
        self.n_components = n_components
        self.trunk = trunk
        self.recursion = recursion
        self.stage2 = stage2
        self.perplexity = perplexity
        self.n_neighbors = n_neighbors
        self.min_dist = min_dist
        self.affinity = affinity
        self.metric = metric
        self.select = select
        self.held_out = held_out
        self.input_epochs = input_epochs
        self.recursion_epochs = recursion_epochs
        self.stage2_epochs = stage2_epochs
        self.batch_size = batch_size
        self.redraw_every = redraw_every
        self.learning_rate = learning_rate
        self.picture = picture
        self.device = device
        self.precision = precision
        self.random_state = random_state

    def _map(
        self, items: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.floating[Any]]:
        first, twin_of = distinct_rows(items)
        self.steps_: tuple[StepResult, ...] = ()
        self.kept_step_ = ""
        self.history_: list[dict[str, Any]] = []
        self._few = None
        different = items[first]
        if len(first) < FEWEST_ITEMS:
            return self._map_of_few(items, len(first), settings)
        self._standard = Standard.of(different, settings["metric"])
        return self._learned(different, settings, progress)[twin_of]

    def _learned(
        self, different: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.float32]:
        device = _device(settings["device"])
        self._trunk: Trunk = settings["trunk"] or ("fc-light" if device.type == "cpu" else "fc")
        network = self._network_for(different.shape[1], settings).to(device)
        steps = planned(settings)
        recipe = self._recipe(len(different), settings)
        data = Rows(self._standard(different), device)
        learner = Learner(network, data, self._count_held_out(len(different), settings), recipe, progress)
        best, weights = -math.inf, weights_of(network)
        with threads(_worth(network, learner.shape[1])), _own_dropout(device, settings["random_state"]):
            for number, step in enumerate(steps, 1):
                result = learner.learn(step, number, len(steps))
                self.steps_ += (result,)
                if settings["select"] == "last" or result.score > best:
                    best, weights, self.kept_step_ = result.score, weights_of(network), step.name
                tell(progress, 1, 1, f"step {number} of {len(steps)} done: {result.told()}")
        self.history_ = learner.history
        self._network = with_weights(network.cpu(), weights).eval()
        self._name_engine(device, recipe)
        self._note_step(settings)
        return self._computed(different, device, progress)

    def _recipe(self, n_items: int, settings: dict[str, Any]) -> Recipe:
        overall = settings["affinity"] == "global" or (settings["affinity"] == "auto" and n_items > MANY)
        batch_size = settings["batch_size"] or min(2500, max(500, n_items // 4))
        among = n_items if overall else min(n_items, batch_size)
        highest = (among - 1) / 3
        if settings["perplexity"] > highest:
            self.notes_ += (
                f"“perplexity” was lowered from {settings['perplexity']:g} to {highest:.3g}, because only "
                f"{among} items are compared with one another.",
            )
        return Recipe(
            perplexity=min(settings["perplexity"], highest),
            n_neighbors=min(settings["n_neighbors"], among),
            min_dist=settings["min_dist"],
            batch_size=batch_size,
            redraw_every=settings["redraw_every"],
            overall=overall,
            precision=settings["precision"],
            random_state=settings["random_state"],
        )

    @staticmethod
    def _count_held_out(n_items: int, settings: dict[str, Any]) -> int:
        if settings["held_out"] is None:
            return HELD_OUT if n_items >= WORTH_HOLDING_OUT else 0
        return int(min(settings["held_out"], n_items // 2))

    def _network_for(self, n_features: int, settings: dict[str, Any]) -> RecursiveNetwork:
        conv = self._trunk not in FULLY_CONNECTED
        picture = picture_of(n_features, settings["picture"]) if conv else None
        generator = torch_generator(settings["random_state"], "dre", "weights")
        return RecursiveNetwork(self._trunk, n_features, settings["n_components"], generator, picture)

    def _name_engine(self, device: torch.device, recipe: Recipe) -> None:
        where = "CPU" if device.type == "cpu" else torch.cuda.get_device_name(device)
        among = "the whole set" if recipe.overall else "each batch"
        self.engine_ = f"PyTorch {torch.__version__} on {where} ({self._trunk}, neighbours in {among})"

    def _note_step(self, settings: dict[str, Any]) -> None:
        kept = next(result for result in self.steps_ if result.name == self.kept_step_)
        if settings["select"] == "best" and len(self.steps_) > 1:
            self.notes_ += (
                f"Of {len(self.steps_)} steps, the map learned from {kept.title} was kept: {kept.told()}.",
            )

    def _place(self, items: NDArray[np.float32], progress: Progress) -> NDArray[np.floating[Any]]:
        if self._few is not None:
            return self._few(items)
        small = len(items) < WORTH_THE_DEVICE
        device = torch.device("cpu") if small else _device(self.device)
        return self._computed(items, device, progress)

    def _computed(
        self, items: NDArray[np.float32], device: torch.device, progress: Progress
    ) -> NDArray[np.float32]:
        """Return the places of items by a forward pass in float64, rounded once."""
        network = copy.deepcopy(self._network).double().to(device)
        places = np.empty((len(items), network.last.out_features), dtype=np.float32)
        doing = "placing items on the map"
        for start in range(0, len(items), PLACED_AT_ONCE):
            tell(progress, start, len(items), doing)
            part = slice(start, start + PLACED_AT_ONCE)
            rows = torch.from_numpy(self._standard(items[part])).to(device).double()
            with torch.no_grad():
                places[part] = network(rows).float().cpu().numpy()
        tell(progress, len(items), len(items), doing)
        return places

    def _arrays(self) -> dict[str, NDArray[Any]]:
        if self._few is not None:
            return dict(self._few.arrays("few"))
        return {
            **{f"network.{name}": weights for name, weights in weights_of(self._network).items()},
            **self._standard.arrays(),
            "trunk": np.array([TRUNKS.index(self._trunk)]),
            "kept_step": np.array([result.name == self.kept_step_ for result in self.steps_]),
            "steps": np.array([result.row() for result in self.steps_]),
        }

    def _restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        self.picture = None if self.picture is None else tuple(self.picture)  # JSON made a list of it
        self.steps_, self.kept_step_, self.history_ = (), "", []
        self._few = Axes.restored(arrays, "few") if "few_mean" in arrays else None
        if self._few is not None:
            return
        settings = checked_settings(self)
        self._standard = Standard(settings["metric"], arrays["mean"], float(arrays["scale"][0]))
        self._trunk = TRUNKS[int(arrays["trunk"][0])]
        weights = {
            name.removeprefix("network."): array
            for name, array in arrays.items()
            if name.startswith("network.")
        }
        self._network = with_weights(self._network_for(self.n_features_in_, settings), weights).eval()
        steps = planned(settings)
        self.steps_ = tuple(
            StepResult.from_row(step, row.tolist()) for step, row in zip(steps, arrays["steps"], strict=True)
        )
        self.kept_step_ = steps[int(arrays["kept_step"].argmax())].name


def _worth(network: RecursiveNetwork, batch_size: int) -> int | None:
    """Return how many CPU threads to learn with; None leaves their number as it is."""
    work = batch_size * sum(weights.numel() for weights in network.parameters())
    return None if work >= WORTH_THREADS else 1


@contextmanager
def _own_dropout(device: torch.device, random_state: int) -> Iterator[None]:
    """Seed the generators that dropout draws from, and leave them as they were."""
    cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if cuda else []):
        seed = derived_seed(random_state, "dre", "dropout")
        (torch.cuda.manual_seed if cuda else torch.default_generator.manual_seed)(seed)
        yield


def _device(name: Literal["auto", "cpu", "cuda"]) -> torch.device:
    found = choose_device(name).device
    return torch.device("cpu") if found.type == "mps" else found  # no float64 there
