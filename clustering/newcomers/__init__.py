"""Items that are not in a collection: read, judged by a fitted model, placed on its map; nothing is kept."""

from clustering.newcomers.placed import NEAREST, Placed, own_distances, place, usual
from clustering.newcomers.reading import Newcomers, read_newcomers
from clustering.newcomers.rows import MOST_AT_ONCE

__all__ = [
    "MOST_AT_ONCE",
    "NEAREST",
    "Newcomers",
    "Placed",
    "own_distances",
    "place",
    "read_newcomers",
    "usual",
]
