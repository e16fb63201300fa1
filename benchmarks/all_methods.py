"""Every method on every data set it takes, five seeds: the plan of `make bench-methods`.

    python benchmarks/all_methods.py --list
    python benchmarks/all_methods.py --out methods.jsonl
    python benchmarks/all_methods.py --only digits artworks --methods dec idec --workers 4

Resumable: a fit that has its row in ``--out`` is not run again, so a new method costs only its own fits. A
data set that is not there is skipped; ``--data-dir`` says where they lie. Fits run in processes of their own,
on a graphics processor if there is one. Labels judge and choose nothing.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from data_sets import DataSet, encoded_artworks
from method_runs import SCORES, Fit, kept, run, same_fit, table

FASHION = Path("/usr/share/datasets/fashion-mnist")  # where Debian's package puts it
# The published lengths take hours there: methods that can run “fast” do.
LARGE = ("mnist", "fashion_mnist", "words")

# Pixels of which a method that learns from views is also given the views made for them.
PICTURED = {
    "digits": "digits",
    "mnist": "digits",
    "cifar": "photographs",
    "artwork_pixels": "artworks",
    "fashion_mnist": "digits",
}

# What was published, as the method's paper or its authors' code has it; no figure is known for the rest.
PUBLISHED: dict[str, dict[str, str]] = {
    "mnist": {
        "kmeans": "ACC .535",
        "sec": "ACC .804",
        "ldmgi": "ACC .841",
        "ae_kmeans": "ACC .818",
        "dec": "ACC .843",
        "idec": "ACC .881, NMI .867",
    },
    "acm": {
        "sdcn": "ACC .905, NMI .683, ARI .739",
        "dagc": "ACC .914, NMI .714, ARI .764 (largest of 200 steps, chosen with the labels)",
    },
    "citeseer": {
        "sdcn": "ACC .660, NMI .387, ARI .402",
        "dagc": "ACC .718, NMI .449, ARI .478 (largest of 200 steps, chosen with the labels)",
    },
    "fashion_mnist": {"dec": "ACC .618, NMI .651 (DEC-keras)"},
    # On all 60,000 pictures, of which the set here has 3,000, and with ResNets.
    "cifar": {
        "kmeans": "ACC .229, NMI .087",
        "cc (views: photographs)": "ACC .790, NMI .705",
        "pica (views: photographs)": "ACC .645, NMI .561 (mean)",
        "scan (views: photographs)": "ACC .883, NMI .797",
        "spice_self (views: photographs)": "ACC .838, NMI .734",
        "spice (views: photographs)": "ACC .926, NMI .865",
    },
}


def data_sets(folder: Path, beside: Path) -> list[DataSet]:
    """Return the data sets, small ones first; features that took long to make lie in ``beside``."""
    mnist = str(folder / "mnist.npz")
    fashion = folder / "fashion-mnist"
    return [
        DataSet("digits", "digits"),
        DataSet("vehicle", str(folder / "table_vehicle.csv"), ("class",), 4),
        DataSet("segment", str(folder / "table_segment.csv"), ("class",), 7),
        DataSet("artworks", str(_artworks(folder, beside)), ("style", "artist"), 6),
        DataSet(
            "artwork_pixels",
            str(folder / "artworks"),
            ("style", "artist"),
            6,
            kind="images",
            kept=beside,
            pixels=32,
        ),
        DataSet("acm", str(folder / "graph_acm.npz"), n_clusters=3, links=True),
        DataSet("citeseer", str(folder / "graph_citeseer.npz"), n_clusters=6, links=True),
        DataSet("mfeat", str(folder / "views_mfeat.npz"), ("label",), kind="views", kept=beside),
        DataSet(
            "motions", str(folder / "series_basicmotions.npz"), ("label",), 4, kind="series", kept=beside
        ),
        DataSet(
            "watch", str(folder / "series_watch.npz"), ("label", "subject"), 7, kind="series", kept=beside
        ),
        DataSet("words", str(folder / "tokens_ewt_dev.conllu.gz"), ("tag",), 17, kind="tokens", kept=beside),
        DataSet("cifar", str(folder / "cifar10_3k.npz")),
        DataSet("mnist_long_tail", mnist, long_tail=50, largest=800),
        DataSet("mnist", mnist),
        DataSet("fashion_mnist", str(fashion if fashion.exists() else FASHION)),
    ]


def plan(sets: list[DataSet], names: list[str] | None, seeds: list[int]) -> list[Fit]:
    """Return the fits of all methods, or of those named, on the data sets they take.

    Every data set begins with the first seed of all: what is stopped midway has something of everything.
    """
    from clustering.methods import methods

    chosen = {
        name: kind for name, kind in methods().items() if (name in names if names else not kind.info.library)
    }
    return [
        fit
        for data in sets
        for seed in seeds
        for name, kind in chosen.items()
        if data.kind in kind.info.kinds and "labels" not in kind.info.inputs
        for fit in (planned(data, name, kind, seed), *seen_as_pictures(data, name, kind, seed))
    ]


def planned(data: DataSet, name: str, kind: type[Any], seed: int) -> Fit:
    """Return a fit with the method's defaults, but on a large set with its fast profile if it has one."""
    settings: dict[str, Any] = {"n_clusters": data.n_clusters} if kind.info.needs_n_clusters else {}
    if data.name in LARGE and "profile" in kind().get_params():
        return Fit(data, name, seed, settings | {"profile": "fast"}, f"{name} (fast)")
    if data.kind == "views" and "hidden_dims" in kind().get_params() and "profile" in kind().get_params():
        small = {"profile": "fast", "hidden_dims": [128, 128]}  # DMSC's widths, and minutes on a processor
        return Fit(data, name, seed, settings | small, f"{name} (128–128, fast)")
    return Fit(data, name, seed, settings)


def seen_as_pictures(data: DataSet, name: str, kind: type[Any], seed: int) -> tuple[Fit, ...]:
    """Return a fit with the views made for the pictures of a data set, where both have some."""
    from clustering.parameters import parameters_of

    views = PICTURED.get(data.name)
    choices = {one.name: one.choices for one in parameters_of(kind)}
    if views not in choices.get("views", ()):
        return ()
    learned = [name for name in ("joint", "contrast") if name in choices.get("pretext", ())][:1]
    seen = {"views": views, **({"pretext": learned[0]} if learned else {})}
    fit = planned(data, name, kind, seed)
    return (Fit(data, name, seed, fit.settings | seen, f"{name} (views: {views})"),)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("DATA_DIR", "../shared/data")
    asked.add_argument("--data-dir", type=Path, default=default, help="or DATA_DIR; default: %(default)s")
    asked.add_argument("--only", nargs="+", metavar="DATA", help="these data sets only")
    asked.add_argument("--methods", nargs="+", help="these methods only")
    asked.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    asked.add_argument("--workers", type=int, default=1, help="fits side by side")
    asked.add_argument("--limit-seconds", type=float, default=3600, help="of one fit")
    asked.add_argument("--retry", action="store_true", help="run again what failed")
    asked.add_argument("--list", action="store_true", help="say what there is and what is done, run nothing")
    asked.add_argument(
        "--learned", type=Path, metavar="DIR", help="fits of a seed share what they learn first through it"
    )
    asked.add_argument("--out", type=Path, default=Path("methods.jsonl"))
    options = asked.parse_args()
    sets = [data for data in found(options) if not options.only or data.name in options.only]
    fits = plan(sets, options.methods, options.seeds)
    if not options.list:
        run(
            fits,
            options.out,
            workers=options.workers,
            limit_seconds=options.limit_seconds,
            retry=options.retry,
            learned=options.learned,
        )
    rows = {same_fit(row): row for row in kept(options.out)}
    for data in sets:
        wanted = [same_fit(fit.row()) for fit in fits if fit.data == data]
        done = [rows[fit] for fit in wanted if fit in rows]
        print(f"\n**{data.name}**: {len(done)} of {len(wanted)} fits\n")
        if done:
            print(table(done, published(data.name), SCORES if data.long_tail > 1 else SCORES[:3]))


def published(data: str) -> dict[str, str]:
    """Return the published figures by label: a method's profiles share one."""
    figures = PUBLISHED.get(data, {})
    return figures | {f"{name} (fast)": figure for name, figure in figures.items()}


def found(options: argparse.Namespace) -> list[DataSet]:
    """Return the data sets that are there; a line says which are not and where they would be."""
    beside = options.out.parent
    artworks, pictures = _artworks(options.data_dir, beside), options.data_dir / "artworks"
    wanted = not options.list and (not options.only or "artworks" in options.only)
    if wanted and not artworks.exists() and pictures.is_dir():
        print("The artworks are encoded once; this takes some minutes without a graphics processor.")
        encoded_artworks(pictures, artworks)
    sets = data_sets(options.data_dir, beside)
    for data in sets:
        if not data.there():
            print(f"{data.name} is skipped: {data.source} is not there. Another folder: --data-dir.")
    return [data for data in sets if data.there()]


def _artworks(folder: Path, beside: Path) -> Path:
    """Return where the features of the artworks lie, or would."""
    given = folder / "artworks.npz"
    return given if given.exists() else beside / "artworks.npz"


if __name__ == "__main__":
    main()
