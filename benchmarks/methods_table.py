"""Run methods × seeds on one data set and print the table: agreement with reference labels, seconds, memory.

Resumable: every finished row is appended to ``--out`` and not run again. `all_methods.py` runs all methods on
all data sets.

    python benchmarks/methods_table.py --data digits --methods kmeans ae_kmeans dec --seeds 0 1 2 3 4
    python benchmarks/methods_table.py --data mnist.npz --methods dec idec --set dec.profile='"fast"'
    python benchmarks/methods_table.py --data features.npz --reference style artist
    python benchmarks/methods_table.py --data table.csv --reference class --clusters 4 --methods gceals
    python benchmarks/methods_table.py --data mnist.npz --long-tail 50 --largest 800 --methods jdrl idec
    python benchmarks/methods_table.py --data graph_acm.npz --links --clusters 3 --methods udda

What ``--data`` may be is told in `data_sets.py`, what a row holds in `method_runs.py`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from data_sets import DataSet
from method_runs import Fit, kept, run, table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="digits")
    parser.add_argument("--reference", nargs="+", default=["y"])
    parser.add_argument("--methods", nargs="+", required=True)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--clusters", type=int, default=10)
    parser.add_argument("--long-tail", type=float, default=1.0, help="largest class over smallest")
    parser.add_argument("--largest", type=int, default=1000, help="items of the largest class then")
    parser.add_argument("--links", action="store_true", help="give the data's edges to methods that take any")
    parser.add_argument("--set", nargs="*", default=[], metavar="METHOD.PARAMETER=VALUE")
    parser.add_argument("--label", default="", help="added to the method's name in the table")
    parser.add_argument("--workers", type=int, default=1, help="fits side by side")
    parser.add_argument("--out", type=Path, default=Path("methods_table.jsonl"))
    arguments = parser.parse_args()
    name = Path(arguments.data).name
    if arguments.long_tail > 1:
        name = f"{name}, long tail {arguments.long_tail:g}"
    data = DataSet(
        name,
        arguments.data,
        tuple(arguments.reference),
        arguments.clusters,
        arguments.long_tail,
        arguments.largest,
        arguments.links,
    )
    fits = [
        Fit(data, method, seed, settings(arguments, method), f"{method} {arguments.label}".strip())
        for method in arguments.methods
        for seed in arguments.seeds
    ]
    run(fits, arguments.out, workers=arguments.workers)
    print(table([row for row in kept(arguments.out) if row["data"] == name]))


def settings(arguments: argparse.Namespace, method: str) -> dict[str, Any]:
    """Return a method's settings as the command line has them."""
    chosen: dict[str, Any] = {"n_clusters": arguments.clusters}
    for assignment in arguments.set:
        target, value = assignment.split("=", 1)
        owner, parameter = target.split(".")
        if owner == method:
            chosen[parameter] = json.loads(value)
    return chosen


if __name__ == "__main__":
    main()
