"""What a projection says of itself: enough for a card, a form and the sentence beside every map."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ProjectionInfo:
    """A projection's entry in the registry.

    Parameters
    ----------
    name : str
        The key, lower case: ``"tsne"``.
    title : str
        What people call it: ``"t-SNE"``.
    paper, year, source : str, int, str
        Full title and authors, year and where to find it.
    summary : str
        One sentence: what it shows and when to choose it.
    honesty : str
        What not to read into its maps; stands beside every one of them.
    going_on : dict or None
        Constructor arguments with which it goes on from places given to `fit` when the items have moved a
        little; None when it cannot begin from given places.
    learns : bool
        Whether drawing a map trains a network, which takes many times as long as placing points.
    test_settings : dict
        Constructor arguments that make it quick enough for a contract test.
    order : int
        Position in lists.
    """

    name: str
    title: str
    paper: str
    year: int
    source: str
    summary: str
    honesty: str
    going_on: dict[str, Any] | None = None
    learns: bool = False
    test_settings: dict[str, Any] = field(default_factory=dict)
    order: int = 100
