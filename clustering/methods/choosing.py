"""Which methods to try first: three answers, and what every method says of itself, make a short ranked list.

The rules read the kinds a method takes, what its fit takes besides, whether it needs the number of groups,
and its place in the survey's taxonomy (arXiv 2206.07579). They know no method by name but k-means, the
measure of all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from clustering.kinds import ANY_FEATURES, KIND_INFO, DataKind, in_words
from clustering.methods.info import MethodInfo

Hint = Literal["links", "pairs", "labels"]
MEASURE = "kmeans"
MOST = 4  # methods of the list
FEW = 1000  # items; below, a network has little to learn from
HINTS: dict[Hint, str] = {
    "links": "links between items",
    "pairs": "pairs that belong together or apart",
    "labels": "labels",
}


@dataclass(frozen=True)
class Answers:
    """What a person says of a collection.

    Parameters
    ----------
    kind : str
        What its items are.
    n_items : int
    number_known : bool or None
        Whether the number of groups is known; None when nobody said.
    hints : set of {"links", "pairs", "labels"}
    """

    kind: DataKind
    n_items: int
    number_known: bool | None = None
    hints: frozenset[Hint] = frozenset()


@dataclass(frozen=True)
class Suggestion:
    """A method to try, why, and what speaks against it."""

    name: str
    title: str
    reasons: tuple[str, ...]
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Advice:
    """The list, what else to know, and for every other method why it is not on it."""

    suggestions: tuple[Suggestion, ...]
    notes: tuple[str, ...]
    others: Mapping[str, str]


def advice(infos: Iterable[MethodInfo], answers: Answers) -> Advice:
    """Return at most `MOST` methods, the likeliest first; k-means is always among them where it can be.

    Of methods of one sort only the first is named: those of the same representation, clustering and
    interaction, and plain ones that learn first and group afterwards.
    """
    known = list(infos)
    others: dict[str, str] = {}
    ranked: list[tuple[int, Suggestion, MethodInfo]] = []
    for info in known:
        if answers.kind not in info.kinds:
            others[info.name] = f"Takes {', '.join(map(in_words, info.kinds))}; not {in_words(answers.kind)}."
            continue
        merits, cautions = _merits(info, answers), _cautions(info, answers)
        if not merits:
            others[info.name] = (
                f"Nothing you said asks for it. It is for: {_first_sentence(info.when_to_use)}"
            )
            continue
        told = Suggestion(info.name, info.title, tuple(merits), tuple(cautions))
        ranked.append((sum(merits.values()) - sum(cautions.values()), told, info))
    ranked.sort(key=lambda entry: (-entry[0], entry[2].order))
    chosen: list[Suggestion] = []
    sorts: dict[tuple[str, ...], str] = {}
    room = MOST - any(told.name == MEASURE for _, told, _ in ranked)
    for _, told, info in ranked:
        sort = _sort(info)
        if told.name == MEASURE:
            chosen.append(told)
        elif sort in sorts:
            others[told.name] = f"Of the same sort as {sorts[sort]}, which comes first here."
        elif room == 0:
            others[told.name] = f"Comes after those: {told.reasons[0]}"
        else:
            chosen.append(told)
            sorts[sort] = told.title
            room -= 1
    notes = _notes(known, answers, {told.name for told in chosen})
    return Advice(tuple(chosen), tuple(notes), others)


def takes_links(info: MethodInfo) -> bool:
    """Return whether a method heeds links between items."""
    return "links" in info.inputs


def _groups_afterwards(info: MethodInfo) -> bool:
    return info.interaction == "multistage" and info.family == "baseline"


def _sort(info: MethodInfo) -> tuple[str, ...]:
    """Return what methods have in common of which one is enough."""
    if _groups_afterwards(info):
        return (info.family, info.interaction)
    return (info.representation, info.clustering, info.interaction)


def _merits(info: MethodInfo, answers: Answers) -> dict[str, int]:
    """Return what speaks for a method, each with its weight."""
    merits: dict[str, int] = {}
    if "pairs" in answers.hints and "pairs" in info.inputs:
        merits["It heeds pairs of items that belong together or apart."] = 10
    if takes_links(info) and ("links" in answers.hints or answers.kind == "graph"):
        merits["It heeds links between items."] = 10 if "links" in answers.hints else 3
    if answers.number_known is False and not info.needs_n_clusters:
        merits["It finds the number of groups itself."] = 12
    if answers.kind in info.first_for and not _general(info):
        merits[f"It was made for {in_words(answers.kind)}."] = 5
    elif answers.kind in info.first_for:
        merits["A first choice among the methods that learn, and the one others are measured by."] = 3
    if answers.kind == "tokens" and "contexts" in info.inputs:
        merits["It can use which words stand beside which."] = 1
    if info.name == MEASURE:
        merits["Plain k-means may do: it takes seconds, is easy to explain, and all others must beat it."] = (
            6 if answers.n_items < FEW else 2
        )
    if _groups_afterwards(info):
        merits["It learns first and groups afterwards, so nothing can run away while it groups."] = 1
    return merits


def _cautions(info: MethodInfo, answers: Answers) -> dict[str, int]:
    """Return what speaks against a method, each with its weight."""
    cautions: dict[str, int] = {}
    if info.family == "deep" and answers.n_items < FEW:
        things = KIND_INFO[answers.kind].items
        cautions[
            f"{answers.n_items:,} {things} are few for a network: see whether it beats the plain ones."
        ] = 2
    if answers.number_known is False and info.needs_n_clusters and info.name != MEASURE:
        cautions["It wants a number of groups: guess one, and try others."] = 3
    if takes_links(info) and "links" in answers.hints and answers.kind != "graph":
        cautions["Loaded as it is, the collection has no links: load it as a graph."] = 1
    if info.reconstructed:
        cautions["Parts of it are reconstructed: its paper could not be followed in full."] = 1
    if info.library:
        cautions[f"It runs {info.library}’s own code."] = 2
    return cautions


def _notes(known: list[MethodInfo], answers: Answers, chosen: set[str]) -> list[str]:
    fitting = [info for info in known if answers.kind in info.kinds]
    notes = []
    if answers.number_known is False:
        found = any(not info.needs_n_clusters for info in fitting)
        notes.append(
            f"{'Or try' if found else 'No method here finds the number of groups by itself. Try'} several "
            f"numbers{' with k-means' if MEASURE in chosen else ''}, and keep the one whose silhouette in "
            "the features is highest (Quality), or after which more groups help little (the elbow)."
        )
    if answers.n_items < FEW:
        notes.append(
            "So few items are grouped in seconds by methods that train nothing: they run beside a training, "
            "and often win."
        )
    if "labels" in answers.hints:
        notes.append(
            "None of these methods learns from labels: name their column, and Quality tells how well the "
            "groups agree with them. To sort all items by labels of some, open Explore, “Label next”."
        )
    for hint, takes in (("pairs", lambda info: "pairs" in info.inputs), ("links", takes_links)):
        if hint in answers.hints and not any(takes(info) for info in fitting):
            notes.append(f"No method here heeds {HINTS[hint]} of {in_words(answers.kind)}.")  # type: ignore[index]
    if MEASURE not in chosen:
        notes.append(f"k-means does not take {in_words(answers.kind)}.")
    return notes


def _general(info: MethodInfo) -> bool:
    return set(ANY_FEATURES) <= set(info.first_for)


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".") + "."
