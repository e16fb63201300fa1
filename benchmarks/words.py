"""Parts of speech found without labels: SyntDEC beside k-means and autoencoder + k-means on the same vectors.

    python benchmarks/words.py tokens.conllu.gz                       # words and their neighbours, no weights
    python benchmarks/words.py tokens.conllu.gz --model FOLDER --layer 4

Prints many-to-one accuracy, accuracy after matching and V-measure against the tags, with and without
punctuation, mean and deviation over the seeds. Labels only judge.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from clustering.collections import load
from clustering.collections.tokens import neighbouring_words
from clustering.features import encode
from clustering.methods import method
from clustering.metrics.external import accuracy_of, purity_of, v_measure_of
from clustering.metrics.matching import contingency


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("treebank")
    parser.add_argument("--model", default="")
    parser.add_argument("--layer", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--hidden", type=int, nargs="*", default=[128])
    parser.add_argument("--latent", type=int, default=32)
    parser.add_argument("--pretrain", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--only", nargs="*", default=["kmeans", "ae_kmeans", "itself", "context"])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        words = load(asked.treebank, Path(folder) / "words", label_column="tag")
        chosen = (
            {"encoder": "hidden-states", "model": asked.model, "layer": asked.layer} if asked.model else {}
        )
        features = encode(words, **chosen).values
        if asked.model:  # a few dimensions are huge; every method gets the same vectors
            features = ((features - features.mean(axis=0)) / features.std(axis=0).clip(1e-6)).astype(
                np.float32
            )
        tags = words.items["tag"].to_numpy().astype(str)
        edges = neighbouring_words(words.data())
    k = len(np.unique(tags))
    print(
        f"{features.shape[0]:,} words × {features.shape[1]}, {k} tags, the commonest "
        f"{np.bincount(np.unique(tags, return_inverse=True)[1]).max() / len(tags):.3f}"
    )
    net = {"hidden_dims": tuple(asked.hidden), "latent_dim": asked.latent, "device": "cpu"}
    train = net | {"pretrain_epochs": asked.pretrain, "epochs": asked.epochs}
    entries = {
        "kmeans": ("kmeans", {}, {}),
        "ae_kmeans": (
            "syntdec",
            train | {"epochs": 1, "clustering_weight": 0.0, "cluster_learning_rate": 1e-12},
            {},
        ),
        "itself": ("syntdec", train, {}),
        "context": ("syntdec", train | {"objective": "context"}, {"edges": edges}),
    }
    spoken = tags != "PUNCT"
    for name in asked.only:
        key, settings, given = entries[name]
        rows, seconds = [], []
        for seed in range(asked.seeds):
            begun = time.process_time()
            model = method(key)(k, random_state=seed, **settings).fit(features, **given)
            seconds.append(time.process_time() - begun)
            whole = contingency(tags, model.labels_)
            bare = contingency(tags[spoken], model.labels_[spoken])
            told = [
                purity_of(whole),
                accuracy_of(whole),
                v_measure_of(whole),
                purity_of(bare),
                v_measure_of(bare),
            ]
            rows.append([*told, len(np.unique(model.labels_))])
        mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0)
        told = "  ".join(
            f"{title} {m:.3f} ± {s:.3f}"
            for title, m, s in zip(
                ("M-1", "1-1", "V", "M-1 without punctuation", "V without"), mean, spread, strict=False
            )
        )
        print(f"{name:10s} {told}  groups {mean[5]:.1f}  {np.mean(seconds):.1f} CPU s", flush=True)


if __name__ == "__main__":
    main()
