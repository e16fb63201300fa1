"""What a sample says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SampleInfo:
    """A sample collection that needs no network.

    Parameters
    ----------
    name : str
        The key: ``"generated_gallery"``.
    title : str
        What people call it.
    summary : str
        One sentence for its card.
    origin : str
        One sentence: where the items come from, under which licence.
    kind : str
        Kind of collection.
    n_items : int
    label_column : str
        The column to judge clusterings against.
    encoder : str
        The encoder that suits it.
    seconds : int
        About how long making it takes on one core.
    order : int
    """

    name: str
    title: str
    summary: str
    origin: str
    kind: str
    n_items: int
    label_column: str
    encoder: str
    seconds: int
    order: int
