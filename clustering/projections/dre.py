"""DRE: one network learns the map, then learns it again from what its own hidden layers have understood."""

from __future__ import annotations

import copy
import math
from importlib.metadata import version
from typing import Annotated, Any, ClassVar, Literal, get_args

import numpy as np
import torch
from annotated_types import Interval
from numpy.typing import NDArray

from clustering.arrays import distinct_rows
from clustering.errors import StudioError
from clustering.methods.inputs import checked_settings
from clustering.networks.convolutions import Picture
from clustering.networks.recursive import FULLY_CONNECTED, RecursiveNetwork, Trunk
from clustering.parameters import Meaning
from clustering.progress import Progress, tell
from clustering.projections.axes import Axes
from clustering.projections.base import NComponents, Projection, RandomState
from clustering.projections.dre_quality import Kept
from clustering.projections.dre_steps import Recipe, StepResult, planned
from clustering.projections.dre_training import Learner
from clustering.projections.info import ProjectionInfo
from clustering.projections.neighbor_map import FEWEST_ITEMS, Metric
from clustering.training.data import Data
from clustering.training.device import choose_device
from clustering.training.inference import weights_of, with_weights
from clustering.training.seeds import torch_generator
from clustering.training.step import Precision

TRUNKS: tuple[Trunk, ...] = get_args(Trunk)
MANY = 50_000  # items from which neighbours are found in the whole set instead of in each batch
WORTH_HOLDING_OUT = 10_000  # items from which a thousand can be spared to measure new ones
HELD_OUT = 1_000
PLACED_AT_ONCE = 1024  # rows
WORTH_THE_DEVICE = 4096  # rows; fewer are placed on the CPU


class DRE(Projection):
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
    precision : {"float32", "bfloat16"}
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
        "items more by what the network made of them than by their features: compare the steps. In large "
        "sets neighbours are those within a batch, which blurs fine structure.",
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
        trunk: Annotated[
            Trunk | None,
            Meaning(
                "The network: “fc” reads any features, “fc-light” is quick without a graphics processor, "
                "“conv” kinds read pixels; empty chooses by the processor."
            ),
        ] = None,
        recursion: Annotated[
            bool,
            Meaning("Learn again from each of three hidden layers; off spends the same time on the input."),
        ] = True,
        stage2: Annotated[
            Literal["kl", "ce", "none"],
            Meaning("The last step: “kl” as released, “ce” UMAP's own loss, or none."),
        ] = "kl",
        perplexity: Annotated[
            float,
            Interval(ge=2, le=500),
            Meaning("About how many neighbours each item listens to: few show detail, many the broad shape."),
        ] = 30.0,
        n_neighbors: Annotated[
            int,
            Interval(ge=2, le=200),
            Meaning("Neighbours each item tries to keep in the last step.", advanced=True),
        ] = 15,
        min_dist: Annotated[
            float,
            Interval(ge=0.0, le=1.0),
            Meaning("How close items may lie after the last step.", advanced=True),
        ] = 0.001,
        affinity: Annotated[
            Literal["auto", "batch", "global"],
            Meaning(
                "Where neighbours are looked for: in each batch, as published, or in the whole set.",
                advanced=True,
            ),
        ] = "auto",
        metric: Metric = "euclidean",
        select: Annotated[
            Literal["best", "last"],
            Meaning("Keep the step that keeps neighbours best, or the last one as published.", advanced=True),
        ] = "best",
        held_out: Annotated[
            Annotated[int, Interval(ge=0, le=100_000)] | None,
            Meaning("Items set aside to see how well new ones are placed; empty chooses.", advanced=True),
        ] = None,
        input_epochs: Annotated[
            int, Interval(ge=1, le=10_000), Meaning("Rounds of learning from the input.", advanced=True)
        ] = 100,
        recursion_epochs: Annotated[
            int,
            Interval(ge=1, le=10_000),
            Meaning("Rounds of learning from each hidden layer.", advanced=True),
        ] = 50,
        stage2_epochs: Annotated[
            int, Interval(ge=1, le=10_000), Meaning("Rounds of the last step.", advanced=True)
        ] = 100,
        batch_size: Annotated[
            Annotated[int, Interval(ge=10, le=20_000)] | None,
            Meaning(
                "Items compared with one another at a time; empty chooses by their number.", advanced=True
            ),
        ] = None,
        redraw_every: Annotated[
            int,
            Interval(ge=1, le=10_000),
            Meaning("Rounds after which the batches are drawn anew.", advanced=True),
        ] = 1,
        learning_rate: Annotated[
            float,
            Interval(gt=0, le=1),
            Meaning("How far each step of learning goes; a tenth of it in the last step.", advanced=True),
        ] = 1e-3,
        picture: Annotated[
            tuple[int, ...] | None,
            Meaning("Height, width and channels of the pixels; empty means square pictures.", advanced=True),
        ] = None,
        device: Annotated[
            Literal["auto", "cpu", "cuda"], Meaning("Where it runs; auto takes the fastest.", advanced=True)
        ] = "auto",
        precision: Annotated[
            Precision, Meaning("Accuracy of the network's numbers while it learns.", advanced=True)
        ] = "float32",
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
        self._few: Axes | None = None
        different = items[first]
        if len(first) < FEWEST_ITEMS:
            return self._map_of_few(items, len(first), settings)
        self._mean, self._scale = _standard(_scaled(different, settings["metric"]))
        return self._learned(different, settings, progress)[twin_of]

    def _map_of_few(
        self, items: NDArray[np.float32], n_different: int, settings: dict[str, Any]
    ) -> NDArray[np.float32]:
        self._few = Axes.fitted(items, settings["n_components"], settings["random_state"])
        self.engine_ = f"scikit-learn {version('scikit-learn')} on CPU (PCA in place of {self.info.title})"
        self.notes_ += (
            f"{self.info.title} needs at least {FEWEST_ITEMS} different items and found {n_different}; "
            "the map was made by PCA.",
        )
        return self._few(items)

    def _learned(
        self, different: NDArray[np.float32], settings: dict[str, Any], progress: Progress
    ) -> NDArray[np.float32]:
        device = _device(settings["device"])
        self._trunk: Trunk = settings["trunk"] or ("fc-light" if device.type == "cpu" else "fc")
        network = self._network_for(different.shape[1], settings).to(device)
        steps = planned(settings)
        recipe = self._recipe(len(different), settings)
        data = Data(self._prepared(different, settings["metric"]), device)
        learner = Learner(network, data, self._count_held_out(len(different), settings), recipe, progress)
        best, weights = -math.inf, weights_of(network)
        for number, step in enumerate(steps, 1):
            result = learner.learn(step, number, len(steps))
            self.steps_ += (result,)
            if settings["select"] == "last" or result.score > best:
                best, weights, self.kept_step_ = result.score, weights_of(network), step.name
            tell(progress, 1, 1, f"step {number} of {len(steps)} done: {_told(result)}")
        self.history_ = learner.history
        self._network = with_weights(network.cpu(), weights).eval()
        self._name_engine(device, recipe)
        self._note_step(settings)
        return self._computed(different, settings["metric"], device, progress)

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
        picture = _picture(n_features, settings["picture"]) if conv else None
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
                f"Of {len(self.steps_)} steps, the map learned from {kept.title} was kept: {_told(kept)}.",
            )

    def _prepared(self, items: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
        """Return items as the network reads them: centred, one scale for all columns."""
        scaled = _scaled(items, metric)
        return ((scaled.astype(np.float64) - self._mean) / self._scale).astype(np.float32)

    def _place(self, items: NDArray[np.float32], progress: Progress) -> NDArray[np.floating[Any]]:
        if self._few is not None:
            return self._few(items)
        settings = checked_settings(self)
        small = len(items) < WORTH_THE_DEVICE
        device = torch.device("cpu") if small else _device(settings["device"])
        return self._computed(items, settings["metric"], device, progress)

    def _computed(
        self, items: NDArray[np.float32], metric: Metric, device: torch.device, progress: Progress
    ) -> NDArray[np.float32]:
        """Return the places of items by a forward pass in float64, rounded once."""
        network = copy.deepcopy(self._network).double().to(device)
        places = np.empty((len(items), network.last.out_features), dtype=np.float32)
        doing = "placing items on the map"
        for start in range(0, len(items), PLACED_AT_ONCE):
            tell(progress, start, len(items), doing)
            part = slice(start, start + PLACED_AT_ONCE)
            rows = torch.from_numpy(self._prepared(items[part], metric)).to(device).double()
            with torch.no_grad():
                places[part] = network(rows).float().cpu().numpy()
        tell(progress, len(items), len(items), doing)
        return places

    def _arrays(self) -> dict[str, NDArray[Any]]:
        if self._few is not None:
            return dict(self._few.arrays("few"))
        return {
            **{f"network.{name}": weights for name, weights in weights_of(self._network).items()},
            "mean": self._mean,
            "scale": np.array([self._scale]),
            "trunk": np.array([TRUNKS.index(self._trunk)]),
            "kept_step": np.array([result.name == self.kept_step_ for result in self.steps_]),
            "steps": np.array([_as_row(result) for result in self.steps_]),
        }

    def _restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        self.picture = None if self.picture is None else tuple(self.picture)  # JSON made a list of it
        self.steps_, self.kept_step_, self.history_ = (), "", []
        self._few = Axes.restored(arrays, "few") if "few_mean" in arrays else None
        if self._few is not None:
            return
        settings = checked_settings(self)
        self._mean, self._scale = arrays["mean"], float(arrays["scale"][0])
        self._trunk = TRUNKS[int(arrays["trunk"][0])]
        weights = {
            name.removeprefix("network."): array
            for name, array in arrays.items()
            if name.startswith("network.")
        }
        self._network = with_weights(self._network_for(self.n_features_in_, settings), weights).eval()
        steps = planned(settings)
        self.steps_ = tuple(_from_row(step, row) for step, row in zip(steps, arrays["steps"], strict=True))
        self.kept_step_ = steps[int(arrays["kept_step"].argmax())].name


def _device(name: Literal["auto", "cpu", "cuda"]) -> torch.device:
    found = choose_device(name).device
    return torch.device("cpu") if found.type == "mps" else found  # no float64 there


def _scaled(items: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    if metric == "euclidean":
        return items
    lengths = np.sqrt(np.einsum("nd,nd->n", items, items, dtype=np.float64))
    return (items / np.where(lengths > 0, lengths, 1.0)[:, None]).astype(np.float32)


def _standard(items: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    """Return the mean of every column and the root of the mean variance."""
    mean = items.mean(axis=0, dtype=np.float64)
    scale = math.sqrt(items.var(axis=0, dtype=np.float64).mean())
    return mean, scale or 1.0


def _picture(n_features: int, given: tuple[int, ...] | None) -> Picture:
    if given is not None:
        if len(given) in (2, 3) and min(given) >= 1 and math.prod(given) == n_features:
            height, width, channels = (*given, 1)[:3]
            return height, width, channels
        raise StudioError(
            f"“picture” is {given}, but the items have {n_features} numbers each.",
            "Give height, width and, for colour, 3; multiplied they must make as many numbers.",
        )
    for channels in (1, 3):
        side = math.isqrt(n_features // channels)
        if side * side * channels == n_features:
            return side, side, channels
    raise StudioError(
        f"A “conv” trunk reads pictures, but {n_features} numbers an item are no square picture.",
        "Choose the trunk “fc”, give “picture” (height, width, channels), or use raw pixels as features.",
    )


def _told(result: StepResult) -> str:
    known = result.known
    words = f"trustworthiness {known.trustworthiness:.3f}, continuity {known.continuity:.3f}"
    if result.new is not None:
        words += f" (new items {result.new.trustworthiness:.3f}, {result.new.continuity:.3f})"
    return words


def _as_row(result: StepResult) -> list[float]:
    new = result.new or Kept(*[math.nan] * 4)
    return [result.epochs, result.loss, *result.known, *new]


def _from_row(step: Any, row: NDArray[np.float64]) -> StepResult:
    epochs, loss, *kept = row.tolist()
    new = None if math.isnan(kept[4]) else Kept(*kept[4:])
    return StepResult(step.name, step.title, int(epochs), loss, Kept(*kept[:4]), new)
