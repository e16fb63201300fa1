"""What an encoder says of itself: enough for a card, a form and the line on where features come from."""

from __future__ import annotations

from dataclasses import dataclass

from clustering.kinds import DataKind


@dataclass(frozen=True)
class EncoderInfo:
    """An encoder's entry in the registry.

    Parameters
    ----------
    name : str
        The key, lower case: ``"densenet121"``.
    title : str
        What people call it: ``"DenseNet-121"``.
    kinds : tuple of str
        Kinds of collection it reads.
    dimensions : int or None
        Length of one feature vector; None when the data or the chosen model decides.
    origin : str
        One sentence: where the weights come from, or that there are none.
    summary : str
        One sentence: what it sees and when to choose it.
    order : int
        Position in lists.
    offline : bool
        True when it works on a machine without any network.
    version : int
        Raised when the same settings would give other numbers than before; part of the cache key.
    layout : tuple of str
        What `Encoder.layout` tells of how the numbers lie; methods that ask for it get these features.
    suits : str
        Why its features suit the methods they are chosen for, after “… suit DISC: ”; empty where a kind has
        one sort of features.
    """

    name: str
    title: str
    kinds: tuple[DataKind, ...]
    dimensions: int | None
    origin: str
    summary: str
    order: int = 100
    offline: bool = True
    version: int = 1
    layout: tuple[str, ...] = ()
    suits: str = ""
