"""ClustPy's clusterers among ours, where it is installed: its code and defaults, our contract around them."""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field, make_dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClusterMixin

from clustering.arrays import distinct_rows
from clustering.errors import StudioError
from clustering.kinds import ANY_FEATURES
from clustering.methods import library_version
from clustering.methods.constructors import Argument, arguments_of
from clustering.methods.info import Interaction, MethodInfo
from clustering.methods.inputs import check_different
from clustering.methods.listening import Bars
from clustering.methods.nearest import Found, NearestItemClusterer
from clustering.methods.plain import Phases, Telling, squared_distances, student_t
from clustering.training.device import Device, choose_device
from clustering.training.seeds import derived_seed

LIBRARY = "clustpy"
DEEP = "deep"  # the subpackage of those that train a network
FEWEST = 5  # different items
ONLY_LEARN_FIRST = ("DDC", "N2D", "DEN")
GENERATIVE = ("VaDE",)

log = logging.getLogger(__name__)


class ClustpyClusterer(NearestItemClusterer):
    """Base of ClustPy's clusterers as ours: they are found and made by `found_in`, none is written by hand.

    ClustPy fits the different items; twins share one place. Where it labels the items several times over,
    the first labelling counts. The soft assignments are Student-t in the distance to the group means, with
    the group that ClustPy gave the item made the largest. A new item takes the place of the nearest fitted
    one.
    """

    theirs: ClassVar[type]
    arguments: ClassVar[tuple[Argument, ...]]

    def _check(self, items: NDArray[np.float32], settings: dict[str, Any]) -> None:
        super()._check(items, settings)
        check_different(self.info.title, FEWEST, len(items), len(distinct_rows(items)[0]))

    def _where(self, items: NDArray[np.float32], settings: dict[str, Any]) -> Device:
        if "device" in settings:
            return choose_device(settings["device"])
        return super()._where(items, settings)

    def _phases(self, settings: dict[str, Any]) -> Phases:
        stages = (("pretrain", "pretrain_epochs"), ("cluster", "clustering_epochs"))
        trained = tuple((name, settings[epochs]) for name, epochs in stages if settings.get(epochs))
        return trained or (("cluster", 1),)

    def _find_among(
        self,
        distinct: NDArray[np.float32],
        counts: NDArray[np.intp],
        settings: dict[str, Any],
        telling: Telling,
        alarms: tuple[str, ...],
    ) -> Found:
        phases = self._phases(settings)
        hearing = _Hearing(phases, telling)
        bars = Bars(hearing)
        model = self.theirs(**self._given(settings, telling.where, len(distinct)))
        with (
            _global_chance(settings["random_state"]),
            bars.instead_of_tqdm(self.theirs.__module__.split(".")[0]),
        ):
            try:
                model.fit(distinct)
            except StudioError:
                raise
            except Exception as error:  # whatever another library raises is told, not shown as a traceback
                raise StudioError(*self._told(error)) from error
            latents = _latents(model, distinct)
        labels = np.asarray(model.labels_)
        labels = (labels[:, 0] if labels.ndim > 1 else labels).astype(np.int64)
        labels = np.unique(labels, return_inverse=True)[1] - int((labels < 0).any())  # no gaps, noise is −1
        name, total = phases[-1]
        telling.epoch(name, total, total, hearing.losses, np.repeat(labels, counts), alarms)
        return _found(latents, labels, counts)

    def _given(self, settings: dict[str, Any], where: Device, n_items: int) -> dict[str, Any]:
        """Return the settings as ClustPy wants them."""
        given = {argument.theirs: settings[argument.name] for argument in self.arguments if argument.theirs}
        if "device" in given:
            given["device"] = where.device
        if "batch_size" in given:  # a loader would leave a batch out that cannot be filled
            given["batch_size"] = min(given["batch_size"], n_items)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}

    def _told(self, error: Exception) -> tuple[str, str]:
        words = str(error).strip().partition("\n")[0].rstrip(".:")
        said = f"ClustPy says: {words}" if words else f"ClustPy does not say why ({type(error).__name__})"
        return (
            f"{self.info.title} could not group these items; {said}.",
            "Change its settings as it says, scale the features, or choose another method.",
        )


class _Hearing:
    """Turns steps of ClustPy's bars into epochs of our phases; the last is left to whoever has labels."""

    def __init__(self, phases: Phases, telling: Telling) -> None:
        self._phases, self._telling, self._told = phases, telling, (0, 0)
        self.losses: dict[str, float] = {}

    def __call__(self, bar: int, step: int, steps: int, losses: dict[str, float]) -> bool:
        self.losses = losses
        if bar >= len(self._phases) or not steps:
            return self._telling.stopped
        name, total = self._phases[bar]
        epoch = step * total // steps  # some bars count more finely than epochs
        last = bar == len(self._phases) - 1 and epoch >= total
        if epoch >= 1 and not last and (bar, epoch) > self._told:  # a bar may begin again
            self._told = (bar, epoch)
            return self._telling.epoch(name, epoch, total, self.losses)
        return self._telling.stopped


def found_in(library: str) -> dict[str, type[ClustpyClusterer]]:
    """Return a class of ours for every clusterer of an installed library, by class name.

    Parameters
    ----------
    library : str
        Name of a package laid out as ClustPy is: subpackages that export clusterers with annotated
        constructors and numpydoc texts.
    """
    found = {}
    for part, theirs in _clusterers(library):
        made = _adapted(library, part, theirs)
        found[made.__name__] = made
    return found


def _clusterers(library: str) -> Iterator[tuple[str, type]]:
    package = importlib.import_module(library)
    for entry in pkgutil.iter_modules(package.__path__):
        if entry.ispkg and entry.name not in ("data", "metrics", "utils"):
            module = importlib.import_module(f"{library}.{entry.name}")
            for name, value in sorted(vars(module).items()):
                if (
                    inspect.isclass(value)
                    and issubclass(value, ClusterMixin)
                    and value.__module__.startswith(f"{module.__name__}.")
                    and not name.startswith("_")
                    and hasattr(value, "fit")
                ):
                    yield entry.name, value


def _adapted(library: str, part: str, theirs: type) -> type[ClustpyClusterer]:
    arguments = arguments_of(theirs)
    made = make_dataclass(
        f"Clustpy{theirs.__name__.replace('_', '')}",
        [(a.name, a.annotation, field(default=a.default)) for a in arguments],
        bases=(ClustpyClusterer,),
        namespace={"theirs": theirs, "arguments": arguments, "info": _info(library, part, theirs, arguments)},
        eq=False,
        repr=False,
    )
    made.__module__ = __name__
    made.__doc__ = f"{theirs.__name__} as ClustPy has it: see its own documentation.\n"
    return made


def _info(library: str, part: str, theirs: type, arguments: tuple[Argument, ...]) -> MethodInfo:
    name, text = theirs.__name__, inspect.getdoc(theirs) or theirs.__name__
    deep = part == DEEP
    names = {argument.name for argument in arguments}
    summary, paper, year = _summary(text), *_reference(text, name)
    return MethodInfo(
        name=f"clustpy_{name.lower()}",
        title=f"{name} (ClustPy)",
        paper=paper,
        year=year,
        source=f"ClustPy {library_version(library) or ''}".strip() + f", {library}.{part}",
        family="deep" if deep else "baseline",
        kinds=ANY_FEATURES,
        needs_n_clusters="n_clusters" in names,
        summary=summary,
        when_to_use="When you know this method from the literature or from ClustPy and want it beside the "
        "others: on the same features, with the same figures and maps. It runs as ClustPy has it.",
        how_it_fails="As its paper tells. Here besides: it cannot be taken up again after an interruption, "
        "no map moves while it learns, a new item simply joins the fitted item nearest to it, and settings "
        "that are no numbers or words keep ClustPy's defaults.",
        formula=r"\text{as in its paper}",
        representation="autoencoder" if deep else "none",
        clustering="as in its paper" if deep else "classical",
        interaction=_interaction(name, deep),
        test_settings=_quick(names),
        order=900_000 + (0 if deep else 1),
        library="ClustPy",
    )


def _interaction(name: str, deep: bool) -> Interaction:
    if not deep:
        return "none"
    if name in ONLY_LEARN_FIRST:
        return "multistage"
    return "generative" if name in GENERATIVE else "simultaneous"


def _quick(names: set[str]) -> dict[str, Any]:
    usual = {
        "n_clusters": 3,
        "pretrain_epochs": 5,
        "clustering_epochs": 3,
        "embedding_size": 4,
        "n_boots": 50,
        "device": "cpu",
    }
    return {name: value for name, value in usual.items() if name in names}


def _summary(text: str) -> str:
    """Return the first two sentences before the parameters."""
    words = " ".join(text.partition("\nParameters\n")[0].split()).rstrip(".")
    sentences = re.split(r"(?<=[\w)][\w)][\w)]\.) (?=[A-Z])", words)  # “e.g.” ends none
    return " ".join(sentences[:2]).rstrip(".") + "."


def _reference(text: str, name: str) -> tuple[str, int]:
    """Return the paper a docstring names, or the class itself, and its year."""
    section = re.search(r"^References\n-+\n(.*?)(?=^\w[^\n]*\n-{3,}|\Z)", text, re.M | re.S)
    lines = section[1].strip().split("\n\n")[0] if section else ""
    paper = re.sub(r"\s*(?:or|and)$", "", " ".join(lines.replace('"', "").split())) or f"{name} in ClustPy"
    years = [int(year) for year in re.findall(r"\b((?:19|20)\d\d)\b", paper)]
    return paper, years[-1] if years else 2023


def _latents(model: Any, items: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return where a fitted model sees the items: in its latent space, where it has one."""
    if hasattr(model, "neural_network_trained_"):
        latents = np.asarray(model.transform(items), dtype=np.float32)
        if latents.ndim == 2 and np.isfinite(latents).all():
            return latents
    return np.array(items)


def _found(latents: NDArray[np.float32], labels: NDArray[np.int64], counts: NDArray[np.intp]) -> Found:
    n_clusters = max(int(labels.max()) + 1, 1)
    groups = [labels == j for j in range(n_clusters)] if labels.max() >= 0 else [np.full(len(labels), True)]
    centers = np.stack([np.average(latents[group], axis=0, weights=counts[group]) for group in groups])
    spread = float(squared_distances(latents, centers).min(axis=1).mean())
    soft = student_t(latents, centers.astype(np.float32), spread).astype(np.float64)
    members = np.flatnonzero(labels >= 0)
    # The group it was given counts at least as much as the nearest one.
    soft[members, labels[members]] = soft[members].max(axis=1) * (1 + 1e-3)
    soft[labels < 0] = 1.0
    soft /= soft.sum(axis=1, keepdims=True)
    reason = f"ClustPy found {n_clusters if len(members) else 0} groups"
    return Found(labels, soft.astype(np.float32), latents, centers.astype(np.float32), reason)


@contextmanager
def _global_chance(random_state: int) -> Iterator[None]:
    """Seed the global chance another library draws from, and put it back as it was afterwards."""
    seed = derived_seed(random_state, LIBRARY)
    before = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])


trouble = ""  # why an installed ClustPy cannot be used
if library_version(LIBRARY) is not None:
    try:
        globals().update(found_in(LIBRARY))
    except Exception as error:  # another library must not take ours down with it
        trouble = f"ClustPy is installed, but cannot be used: {error}."
        log.warning("%s", trouble)
