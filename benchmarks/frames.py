"""How should a training be played? Frames that go on from one another beside the other ways; prints a table.

    python benchmarks/frames.py --data digits generated_gallery --pretrain 60 --cluster 20 --every 4

Trains the recipe of a shipped sample on its features (one seed) and maps kept epochs in four ways:
``goes on`` as the studio does it (backwards from the finished map, each frame begun at the one after it and
laid on the finished map), ``anew`` (a map of its own for every epoch, laid on the finished one), ``placed``
(every epoch placed as new items on the finished map), ``PCA`` (of every epoch, laid on the finished map).

``moved`` is the mean way of an item from a frame to the next in shares of the mean distance between two
items of the map (1: a place by chance), ``still`` the same between the epochs whose neighbourhoods in latent
space agree best (a quarter of them), ``to the map`` from the newest frame to the finished map; ``kept`` the
share of an item's 15 nearest neighbours in latent space that are neighbours in the frame, ``first`` and
``last`` the same of the oldest and newest frame.

``--second`` measures instead how a second map of the same items, here of the features, lies on the finished
map: as it was computed, ``turned`` onto it, and ``begun`` at its places (then turned).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clustering.jobs.shipped import MAPS, RECIPES, shipped
from clustering.methods import method
from clustering.metrics.neighbourhood import neighbour_recall, trustworthiness
from clustering.projections import projection, projections, warm
from clustering.projections.alignment import align, movement
from clustering.projections.frames import frames
from clustering.training.events import Event, Snapshot

Places = list[NDArray[np.float32]]


def trained(
    data: str, every: int, epochs: dict[str, int]
) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
    """Return the latents of the kept epochs, oldest first, and those of the finished run."""
    result = shipped(data)
    assert result is not None, f"Nothing travels for {data}."
    heard: list[NDArray[np.float32]] = []

    def listen(event: Event) -> None:
        if isinstance(event, Snapshot):
            heard.append(event.latents)

    model = method(RECIPES[data]["method"])(
        **RECIPES[data]["parameters"] | {"n_init": 1, "device": "cpu"} | epochs
    )
    model.fit(np.asarray(result.arrays["features"]), emit=listen)
    return heard[::every], model.embedding_


def ways(name: str, data: str, latents: Places, final: NDArray[np.float32]) -> list[dict[str, object]]:
    """Return one row for every way of playing the epochs on a map of that projection."""
    kind = projection(name)
    settings = MAPS[data]["parameters"] if MAPS[data]["projection"] == name else {}
    fitted = kind(**settings).fit(final)
    finished = fitted.embedding_
    pca = projection("pca")
    made: dict[str, Callable[[], Places]] = {
        "goes on": lambda: list(frames(latents, finished, final, kind, settings).positions),
        "anew": lambda: [align(kind(**settings).fit_transform(z), finished) for z in latents],
        "placed": lambda: [fitted.transform(z) for z in latents],
        "PCA": lambda: [align(pca().fit_transform(z), finished) for z in latents],
    }
    shared = [neighbour_recall(a, b) for a, b in pairwise(latents)]
    calm = np.array(shared) >= np.quantile(shared, 0.75)
    rows = []
    for way, make in made.items():
        begun = time.perf_counter()
        places = make()
        seconds = time.perf_counter() - begun
        moves = np.array([movement(a, b) for a, b in pairwise(places)])
        kept = [neighbour_recall(z, y) for z, y in zip(latents, places, strict=True)]
        rows.append(
            {
                "data": data,
                "map": kind.info.title,
                "way": way,
                "moved": moves.mean(),
                "still": moves[calm].mean(),
                "to the map": movement(places[-1], finished),
                "kept": np.mean(kept),
                "first": kept[0],
                "last": kept[-1],
                "s a frame": seconds / len(latents),
                "frames": len(latents),
            }
        )
    return rows


def second_map(name: str, data: str, final: NDArray[np.float32]) -> list[dict[str, object]]:
    """Return one row for every way of laying a map of the features on the finished map."""
    kind = projection(name)
    result = shipped(data)
    assert result is not None
    rows = np.asarray(result.arrays["features"])
    finished = kind().fit_transform(final)
    made = {
        "alone": kind().fit_transform(rows),
        "turned": kind().fit(rows).lay_on(finished).embedding_,
        "begun": kind().fit(rows, start=finished).lay_on(finished).embedding_,
    }
    return [
        {
            "data": data,
            "map": kind.info.title,
            "way": way,
            "moved": movement(places, finished),
            "trustworthiness": trustworthiness(rows, places),
            "kept": neighbour_recall(rows, places),
        }
        for way, places in made.items()
    ]


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--projections", nargs="+", default=["umap", "tsne"], choices=list(projections()))
    parser.add_argument("--every", type=int, default=2, help="of the kept epochs use every so many")
    parser.add_argument("--pretrain", type=int, help="epochs; else those of the recipe")
    parser.add_argument("--cluster", type=int, help="epochs; else those of the recipe")
    parser.add_argument("--second", action="store_true", help="a second map beside the finished one")
    chosen = parser.parse_args()
    wanted = {"pretrain_epochs": chosen.pretrain, "epochs": chosen.cluster}
    epochs = {name: count for name, count in wanted.items() if count}
    warm()
    rows = []
    for data in chosen.data:
        latents, final = trained(data, chosen.every, epochs)
        for name in chosen.projections:
            found = second_map(name, data, final) if chosen.second else ways(name, data, latents, final)
            for row in found:
                cells = (f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values())
                if not rows:
                    print(f"| {' | '.join(row)} |\n{'|---' * len(row)}|")
                print(f"| {' | '.join(cells)} |", flush=True)
                rows.append(row)


if __name__ == "__main__":
    main()
