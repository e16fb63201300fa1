"""CC's whole training as the first stage of IcicleGCN, left out where CC kept what it learned."""

from __future__ import annotations

from dataclasses import replace

from clustering.methods.cc import CC, LEARNED
from clustering.networks.multi_scale_graph import MultiScaleNetwork
from clustering.networks.views import ContrastiveNetwork
from clustering.training.data import Data
from clustering.training.kept_weights import keeping_weights, recalled_weights, taken_up
from clustering.training.phase import Phase


def learned_by_cc(cc: CC, network: MultiScaleNetwork, data: Data) -> Phase:
    """Return CC's phase on the features of a network; it is over at once where CC's weights were kept.

    Parameters
    ----------
    cc : CC
        With the settings it is to learn with.
    network : MultiScaleNetwork
        Whose features are CC's network.
    data : Data
    """
    features = network.features
    assert isinstance(features, ContrastiveNetwork)
    (learn,) = cc.phases(features, data)
    mark = cc.mark(data) if keeping_weights() else ""
    begin_learning = learn.begin
    assert begin_learning is not None

    def begin() -> None:
        begin_learning()
        if taken_up(features, LEARNED, recalled_weights(mark)):
            network.recalled.fill_(True)
            features.looks.fill_(cc.epochs)  # and the one that follows is the last

    def over() -> str:
        return "All epochs were run, on what CC had learned before." if bool(network.recalled) else ""

    return replace(learn, begin=begin, ends=over)
