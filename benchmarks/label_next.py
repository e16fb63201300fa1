"""What a few labels tell of all other items, when USL, USL-T or chance chose which: `label-next` measured.

    python benchmarks/label_next.py digits
    python benchmarks/label_next.py digits --set pretext=contrast --set views=digits
    python benchmarks/label_next.py artworks.npz --reference style --labels 6

Every item is given the class of the nearest item with a label; the share of right ones is printed, on the
features the choice was made on: those given, or where USL-T learns features, those it learned. Nearness is by
unit vectors. Beside it how many classes were met, and how well the groups of USL-T and of k-means on the same
features agree with the classes. Labels judge and choose nothing.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from data_sets import read
from sklearn.metrics import normalized_mutual_info_score

from clustering.cli.settings import settings
from clustering.labelling import guesses, label_next, surest_items
from clustering.methods.kmeans import KMeans
from clustering.methods.usl_t import USLT
from clustering.metrics.external import accuracy

DRAWN = 8  # choices by chance for every seed


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("source", help="digits, or a .npz with x and references")
    asked.add_argument("--reference", default="y")
    asked.add_argument("--labels", type=int, default=10)
    asked.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    asked.add_argument("--set", nargs="*", default=[], action="extend", help="settings of USL-T, name=value")
    options = asked.parse_args()
    x, references = read(options.source, [options.reference])
    kinds = np.unique(next(iter(references.values())), return_inverse=True)[1]
    chosen = settings(USLT, options.set, {"n_clusters": options.labels})
    rows = [measured(x, kinds, seed, chosen) for seed in options.seeds]
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        print(f"{name:28s} {values.mean():8.3f} ± {values.std():.3f}   {np.round(values, 3).tolist()}")


def measured(x: np.ndarray, kinds: np.ndarray, seed: int, chosen: dict) -> dict[str, float]:
    """Return the figures of one seed by name."""
    begun = time.process_time()
    model = USLT(**chosen, random_state=seed).fit(x)
    seconds = time.process_time() - begun
    features = model.embedding_ if model.learns else x
    budget = model.n_clusters
    picks = {
        "USL-T": [pick.item for pick in surest_items(model.soft_assignments_)],
        "USL": [pick.item for pick in label_next(features, budget, random_state=seed)],
    }
    plain = KMeans(budget, random_state=seed).fit(features).labels_
    drawn = [
        np.random.default_rng(DRAWN * seed + turn).choice(len(x), budget, replace=False)
        for turn in range(DRAWN)
    ]
    told = {f"right by {name}": right(features, kinds, items) for name, items in picks.items()}
    told["right by chance"] = float(np.mean([right(features, kinds, items) for items in drawn]))
    told |= {f"classes met by {name}": len(set(kinds[items])) for name, items in picks.items()}
    for name, labels in (("USL-T", model.labels_), ("k-means", plain)):
        told[f"{name} ACC"] = accuracy(kinds, labels)
        told[f"{name} NMI"] = normalized_mutual_info_score(kinds, labels)
    return told | {"CPU seconds of USL-T": seconds}


def right(features: np.ndarray, kinds: np.ndarray, items: list[int] | np.ndarray) -> float:
    """Return the share of all items whose nearest labelled item is of their class."""
    met, classes = np.unique(kinds[items], return_inverse=True)
    if len(met) == 1:
        return float((kinds == met[0]).mean())
    found = guesses(features, np.asarray(items), classes, "nearest_label").labels
    return float((met[found] == kinds).mean())


if __name__ == "__main__":
    main()
