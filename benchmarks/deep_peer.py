"""Our DEC and IDEC beside ClustPy's, alternating: the same data, network, epochs, batch and device.

    pip install clustpy
    python benchmarks/deep_peer.py --data mnist.npz --batches 256 1024
    python benchmarks/deep_peer.py --data digits --device cpu --threads 1 --batches 256

Both get the network d–500–500–2000–10, so many passes of pretraining and of clustering, and k-means with 20
restarts between; learning rates are each library's own. Labels only judge. Seconds are wall time of the whole
fit with k-means and all, CPU seconds those of the process; a first short fit of each is not counted. The pace
is what an epoch takes without the fixed costs: the difference to a fit of one and one epoch, by the epochs
between. GiB is the most memory that was allocated on the device, or resident on the host.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
import torch
from data_sets import read

from clustering.methods import method
from clustering.metrics.external import accuracy, nmi


def ours(
    name: str, x: np.ndarray, batch: int, pretrain: int, cluster: int, seed: int, device: str
) -> np.ndarray:
    settings = {"profile": "fast", "tolerance": 0.0, "batch_size": batch, "device": device}
    model = method(name)(10, **settings, pretrain_epochs=pretrain, epochs=cluster, random_state=seed)
    return model.fit(x).labels_


def theirs(
    name: str, x: np.ndarray, batch: int, pretrain: int, cluster: int, seed: int, device: str
) -> np.ndarray:
    from clustpy import deep

    model = getattr(deep, name.upper())(
        10,
        batch_size=batch,
        pretrain_epochs=pretrain,
        clustering_epochs=cluster,
        initial_clustering_params={"n_init": 20},
        device=torch.device(device),
        random_state=seed,
    )
    return model.fit(x).labels_


def measured(fit: Callable[..., np.ndarray], truth: np.ndarray, cuda: bool, *asked) -> dict[str, float]:
    """Fit once and return seconds, memory and agreement."""
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    begun, cpu_begun = time.perf_counter(), time.process_time()
    labels = fit(*asked)
    if cuda:
        torch.cuda.synchronize()
    memory = torch.cuda.max_memory_allocated() / 2**30 if cuda else 0.0
    return {
        "seconds": time.perf_counter() - begun,
        "CPU seconds": time.process_time() - cpu_begun,
        "GiB": memory or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "ACC": accuracy(truth, labels),
        "NMI": nmi(truth, labels),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="digits")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=0, help="of the processor; 0: as many as torch takes")
    parser.add_argument("--methods", nargs="+", default=["dec", "idec"])
    parser.add_argument("--batches", nargs="+", type=int, default=[256, 1024])
    parser.add_argument("--pretrain", type=int, default=20)
    parser.add_argument("--cluster", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    cuda = asked.device.startswith("cuda")
    x, references = read(asked.data, ["y"])
    truth = next(iter(references.values()))
    epochs = asked.pretrain + asked.cluster
    peers = {"ours": ours, "ClustPy": theirs}
    print(
        f"{asked.data} {x.shape[0]:,} × {x.shape[1]}, {asked.pretrain} + {asked.cluster} epochs, "
        f"{torch.cuda.get_device_name() if cuda else f'CPU, {torch.get_num_threads()} threads'}, "
        f"torch {torch.__version__}"
    )
    for fit in peers.values():  # libraries are loaded and kernels chosen before the clock runs
        fit("dec", x[:2048], 256, 1, 1, 0, asked.device)
    print(
        "| method | batch | who | seconds | seconds an epoch | times as fast | pace | times as fast "
        "| CPU seconds | GiB | ACC | NMI |\n" + "|---" * 12 + "|"
    )
    for name in asked.methods:
        for batch in asked.batches:
            rows: dict[str, list[dict[str, float]]] = {who: [] for who in peers}
            for number in range(asked.rounds):
                order = list(peers) if number % 2 == 0 else list(peers)[::-1]
                for who in order:

                    def fit(pretrain: int, cluster: int, who=who, seed=number) -> dict[str, float]:
                        settings = (name, x, batch, pretrain, cluster, seed, asked.device)  # noqa: B023
                        return measured(peers[who], truth, cuda, *settings)

                    short, row = fit(1, 1), fit(asked.pretrain, asked.cluster)
                    row["pace"] = (row["seconds"] - short["seconds"]) / (epochs - 2)
                    rows[who].append(row)
            mean = {
                who: {key: float(np.mean([row[key] for row in found])) for key in found[0]}
                for who, found in rows.items()
            }
            for who, row in mean.items():
                ratio, at_pace = (mean["ClustPy"][key] / row[key] for key in ("seconds", "pace"))
                print(
                    f"| {name} | {batch} | {who} | {row['seconds']:.2f} | {row['seconds'] / epochs:.3f} "
                    f"| {ratio:.1f} | {row['pace']:.4f} | {at_pace:.1f} "
                    f"| {row['CPU seconds']:.1f} | {row['GiB']:.2f} "
                    f"| {row['ACC']:.3f} | {row['NMI']:.3f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
