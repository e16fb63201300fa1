"""Views on a graphics processor: none waits for it, so a step with views in it can be recorded."""

from __future__ import annotations

import pytest
import torch

from clustering.views.neighbours import NeighbourViews
from clustering.views.noisy import NoisyViews
from clustering.views.pictures import PictureViews
from clustering.views.pixels import PictureShape
from clustering.views.recipes import RECIPES
from clustering.views.strong import StrongViews

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
SHAPE = PictureShape(3, 16, 16)
ROWS, NUMBERS = 40, torch.arange(40)
ALL = {
    **{kind: PictureViews(SHAPE, recipe) for kind, recipe in RECIPES.items()},
    **{f"strong {kind}": StrongViews(SHAPE, kind) for kind in RECIPES},
}


@pytest.mark.parametrize("name", [*ALL, "noise", "neighbours"])
def test_a_recorded_view_is_drawn_anew_in_every_replay(name):
    rows = torch.rand(ROWS, 768, device="cuda")
    if name == "noise":
        views = NoisyViews(torch.ones(768, device="cuda"))
    elif name == "neighbours":
        views, rows = NeighbourViews(torch.randint(40, (40, 10), device="cuda")), NUMBERS.cuda()
    else:
        views = ALL[name]
    generator = torch.Generator(device="cuda").manual_seed(0)
    views(rows, generator)  # libraries allocate in the first use
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        seen = views(rows, generator)
    torch.cuda.synchronize()  # a recording writes the generator's seed on a stream of its own
    found = []
    for seed in (1, 1, 2):
        generator.manual_seed(seed)
        graph.replay()
        found.append(seen.clone())
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
