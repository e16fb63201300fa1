"""Nearest neighbours, searched once: exact on a graphics processor or the CPU, NN-descent where that is long.

Maps, quality measures, methods and the neighbours of one item all ask here. Inside `kept_in` a result is
written to a folder by the content of its rows, and asked for again it is read.
"""

from clustering.neighbors.found import Neighbors
from clustering.neighbors.kept import kept_in
from clustering.neighbors.one import nearest_to
from clustering.neighbors.search import nearest_neighbors, neighbors_in

__all__ = ["Neighbors", "kept_in", "nearest_neighbors", "nearest_to", "neighbors_in"]
