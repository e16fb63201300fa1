"""What a method says of itself: enough for a card, a form, a table row and the survey's taxonomy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from clustering.kinds import DataKind

Family = Literal["baseline", "deep"]
Interaction = Literal["none", "multistage", "iterative", "generative", "simultaneous"]
Input = Literal["contexts", "labels", "links", "pairs"]
Offer = Literal["picks", "splits", "tree"]


@dataclass(frozen=True)
class MethodInfo:
    """A method's entry in the registry.

    Parameters
    ----------
    name : str
        The key, lower case: ``"dec"``.
    title : str
        What people call it: ``"DEC"``.
    paper, year, source : str, int, str
        Full title and authors, year and where to find it (arXiv id, DOI or conference).
    family : {"baseline", "deep"}
        Baselines are shown beside every deep run.
    kinds : tuple of str
        Kinds of collection it takes once features exist.
    first_for : tuple of str
        Kinds of collection for which it is among the few a person meets first.
    needs_n_clusters : bool
        False when it finds the number of groups itself.
    summary, when_to_use, how_it_fails : str
        One sentence; then what a curator should know before choosing it.
    formula : str
        The heart of it in LaTeX.
    representation, clustering, interaction : str
        Its place in the survey's taxonomy (arXiv 2206.07579).
    test_settings : dict
        Constructor arguments that make it quick enough for a contract test.
    reconstructed : str
        Empty, or what of it is ours because the paper could not be read in full.
    order : int
        Position in lists: baselines first, then by year.
    library : str
        Empty, or the library whose code it runs.
    inputs : tuple of {"contexts", "labels", "links", "pairs"}
        What its fit takes besides the features; a job hands over what there is (`clustering.jobs.given`).
        ``contexts``: ``edges`` that say which words stand near which, of words in sentences.
        ``labels``: ``y``, the groups of some items as a person named them; the fit cannot do without, so the
        method is found by name and is not on the list of those that find groups by themselves.
        ``links``: ``edges`` between the items, of a graph.
        ``pairs``: ``must_link`` and ``cannot_link``, the pairs of items that people made.
    offers : tuple of {"picks", "splits", "tree"}
        What its runs have beyond groups. ``picks``: of every group the item worth a label. ``splits``: a
        branch of its tree can be learned anew (``split_again``). ``tree``: a history of merges.
    layout : tuple of str
        Parameters that say how the numbers of an item lie, such as its channels. A job takes them from the
        encoder of the features (`Encoder.layout`).
    layout_needed : bool
        Whether features that say nothing of that are refused.
    """

    name: str
    title: str
    paper: str
    year: int
    source: str
    family: Family
    kinds: tuple[DataKind, ...]
    needs_n_clusters: bool
    summary: str
    when_to_use: str
    how_it_fails: str
    formula: str
    representation: str
    clustering: str
    interaction: Interaction
    test_settings: dict[str, Any] = field(default_factory=dict)
    first_for: tuple[DataKind, ...] = ()
    reconstructed: str = ""
    order: int = 100
    library: str = ""
    layout: tuple[str, ...] = ()
    layout_needed: bool = True
    inputs: tuple[Input, ...] = ()
    offers: tuple[Offer, ...] = ()
