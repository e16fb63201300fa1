"""Measure feature extraction from picture files beside the encoder's bare forward rate, in one run.

python benchmarks/encode_images.py --pictures 60000 --batch 64 256

*Bare* is the network alone on tensors that are on the device already, same batch and precision, plain or
recorded as a CUDA graph, whichever is faster. *Ours* is from JPEG files to rows in a checkpoint folder: the
rate between the first and the last batch, with the seconds before the first beside it. Pictures are painted
(soft colours, strokes, grain: about 130 KB at 800 × 600) or those of ``--folder``, repeated until there are
enough.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from clustering.collections.collection import Collection, write_collection
from clustering.features import encoder as encoder_named
from clustering.features import network as network_module
from clustering.features.feeder import Feeder
from clustering.features.lanes import Lanes, processors
from clustering.features.network import NetworkEncoder, lanes_of
from clustering.features.pictures import Square
from clustering.features.runner import Runner
from clustering.features.streamed import Stream

SECONDS = 2.0  # of forward passes, after as many batches to warm up as matter
ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


def paint(folder: Path, number: int, width: int, height: int) -> None:
    """Write JPEG pictures with soft colours, strokes and grain, each another."""

    def one(index: int) -> None:
        generator = np.random.default_rng(index)
        layers = generator.normal(-32, 6, (height, width, 3)).astype(np.float32)
        for cells, strength in (((12, 16), 1.0), ((height // 5, width // 5), 0.25)):
            noise = Image.fromarray(generator.integers(0, 256, (*cells, 3), dtype=np.uint8))
            layers += strength * np.asarray(
                noise.resize((width, height), Image.Resampling.BICUBIC), np.float32
            )
        picture = Image.fromarray(layers.clip(0, 255).astype(np.uint8))
        picture.save(folder / f"{index:05d}.jpg", quality=85)

    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(processors()) as pool:
        list(pool.map(one, range(number)))


def collection_of(originals: Path, number: int, folder: Path) -> Collection:
    """Return a collection of ``number`` items over the files in ``originals``, repeated."""
    files = sorted(path for path in originals.rglob("*") if path.suffix.lower() in ENDINGS)
    paths = [str(files[index % len(files)].relative_to(originals)) for index in range(number)]
    write_collection(
        folder,
        name=f"{number:,} pictures",
        kind="images",
        source=str(originals),
        created=datetime.now(UTC).isoformat(),
        content_hash="benchmark",
        items=pd.DataFrame({"id": [str(index) for index in range(number)], "path": paths, "aspect": 1.0}),
        label_columns=(),
        findings=(),
        request={},
        originals_root=str(originals.resolve()),
    )
    return Collection.open(folder)


def made(name: str, folder: Path, **settings: object) -> NetworkEncoder:
    """Return an encoder; DenseNet-121 gets random weights, whose values do not matter for the time."""
    if name == "densenet121":
        settings["weights"] = str(folder / "densenet121.safetensors")
        if not Path(str(settings["weights"])).exists():
            import timm
            from safetensors.torch import save_file

            torch.manual_seed(0)
            save_file(timm.create_model(name, pretrained=False).state_dict(), str(settings["weights"]))
    return encoder_named(name)(**settings)


def rate_of(step: object, batch: int, device: torch.device) -> float:
    """Return pictures a second of a function that computes one batch."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(5 if device.type == "cuda" else 1):
        step()  # type: ignore[operator]
    wait()
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < SECONDS:
        for _ in range(20 if device.type == "cuda" else 1):
            step()  # type: ignore[operator]
            done += batch
        wait()
    return done / (time.perf_counter() - begun)


def bare_rates(encoder: NetworkEncoder, batch: int) -> tuple[float, float]:
    """Return the network's own pictures a second: called plainly on ready images, and recorded."""
    network, wanted = encoder.network()
    runner = Runner(network, wanted, encoder.device, encoder.precision)
    shape = (batch, 3, wanted.side, wanted.side)
    images = torch.randn(shape, device=runner.device).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        plain = rate_of(lambda: runner.network_rows(images), batch, runner.device)
        if runner.device.type != "cuda":
            return plain, 0.0
        recorded = rate_of(Stream(runner, batch, wanted.side).compute, batch, runner.device)
    return plain, recorded


def decoding_rate(
    collection: Collection, square: Square, workers: int, device_lanes: int
) -> tuple[float, float]:
    """Return pictures a second that are decoded with nobody computing on them, and the card's share."""
    from clustering.features.device_pictures import DeviceDecoder

    slots = [np.empty((64, square.side, square.side, 3), dtype=np.uint8) for _ in range(16)]
    lanes = Lanes(collection, square, workers, collection.n_items, device_lanes)
    feeder = Feeder(0, collection.n_items, slots)
    try:
        lanes.start(feeder, DeviceDecoder(square, torch.device("cuda")) if device_lanes else None)
        begun = 0.0
        skipped = min(32, len(feeder) // 2)  # while processes start
        for number in range(len(feeder)):
            feeder.batch(number)
            feeder.release(number)
            if number == skipped:
                begun = time.perf_counter()
        rate = (len(feeder) - 1 - skipped) * 64 / (time.perf_counter() - begun)
        return rate, lanes.on_device / collection.n_items
    finally:
        lanes.end()


def card_decoder(collection: Collection) -> str:
    """Return how fast torchvision's JPEG decoder runs on the card, or why it does not."""
    from clustering.features.device_pictures import decoded

    files = [np.fromfile(collection.original(index), dtype=np.uint8) for index in range(64)]
    try:
        decoded(files, torch.device("cuda"))
        torch.cuda.synchronize()
        begun = time.perf_counter()
        for _ in range(10):
            decoded(files, torch.device("cuda"))
        torch.cuda.synchronize()
    except Exception as error:
        return f"not used ({type(error).__name__}: {str(error).splitlines()[0][:200]})"
    return f"{640 / (time.perf_counter() - begun):,.0f} img/s"


def extraction(encoder: NetworkEncoder, collection: Collection, folder: Path) -> tuple[float, float, float]:
    """Return pictures a second between first and last batch, seconds before the first, and over all."""
    heard: list[tuple[float, int]] = []
    begun = time.perf_counter()
    encoder.encode(
        collection,
        progress=lambda done, _total, _doing: heard.append((time.perf_counter(), done)),
        checkpoint=folder,
    )
    seconds = time.perf_counter() - begun
    (first, ready), (last, done) = next(entry for entry in heard if entry[1]), heard[-1]
    return (done - ready) / max(last - first, 1e-9), first - begun, done / seconds


def agreement(name: str, collection: Collection, folder: Path, **settings: object) -> float:
    """Return the least cosine of a picture's features here and on the processor in float32."""

    def rows(**others: object) -> np.ndarray:
        return np.asarray(made(name, folder, **{**settings, **others}).encode(collection))

    here, there = rows(), rows(device="cpu", precision="float32")
    lengths = np.linalg.norm(here, axis=1) * np.linalg.norm(there, axis=1)
    return float(((here * there).sum(axis=1) / lengths).min())


def memory() -> tuple[float, float]:
    """Return the largest resident sets so far, in MB: of this process, and of the largest decoding one."""
    unit = 1 if sys.platform == "darwin" else 1024
    usages = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own, child = (usage * unit / 1e6 for usage in usages)
    return own, child


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--encoder", nargs="+", default=["efficientnet-lite0"])
    asked.add_argument("--pictures", type=int, default=60_000)
    asked.add_argument("--distinct", type=int, default=400, help="painted pictures, repeated")
    asked.add_argument("--size", default="800x600")
    asked.add_argument("--folder", type=Path, default=None, help="pictures to use instead of painted ones")
    asked.add_argument("--batch", type=int, nargs="+", default=[256])
    asked.add_argument("--device", default="auto")
    asked.add_argument("--precision", default="auto")
    asked.add_argument(
        "--spare", type=float, nargs="+", default=[2.0], help="see clustering.features.pictures"
    )
    asked.add_argument("--decoders", choices=["both", "processors"], nargs="+", default=["both"])
    asked.add_argument("--stages", action="store_true", help="also measure decoding alone")
    asked.add_argument(
        "--agree", type=int, default=0, help="pictures to compare with the processor's features"
    )
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        originals = options.folder or folder / "painted"
        if options.folder is None:
            paint(originals, options.distinct, *map(int, options.size.split("x")))
        collection = collection_of(originals, options.pictures, folder / "collection")
        kilobytes = np.mean([collection.original(index).stat().st_size for index in range(100)]) / 1000
        cuda = torch.cuda.is_available() and options.device != "cpu"
        where = torch.cuda.get_device_name() if cuda else "CPU"
        print(
            f"{options.pictures:,} files, {kilobytes:.0f} KB each, {collection.picture(0).size}; {where}, "
            f"{processors()} processors, torch {torch.__version__}, {torch.get_num_threads()} threads",
            flush=True,
        )
        for_card, others = lanes_of(processors())
        if cuda:
            print(f"the card's own decoder: {card_decoder(collection)}", flush=True)
        if options.stages:
            few = collection_of(originals, min(options.pictures, 20_000), folder / "few")
            for spare in options.spare:
                most = max(1, processors() - 1)
                for workers, cards in [(most, 0), *([(1, for_card), (others, for_card)] if cuda else [])]:
                    rate, share = decoding_rate(few, Square(224, spare=spare), workers, cards)
                    how = f"{workers} processes, {cards} card lanes, spare {spare}"
                    print(f"decoding alone, {how}: {rate:,.0f} img/s, {share:.0%} by the card", flush=True)
        print(
            "| encoder | device | batch | decoders | spare | bare img/s (plain, recorded) | ours img/s "
            "| ratio | start s | over all img/s | GPU MB | host MB + largest decoder |\n" + "|---" * 12 + "|"
        )
        for encoder in options.encoder:
            for batch in options.batch:
                settings = {"device": options.device, "precision": options.precision, "batch_size": batch}
                bare = bare_rates(made(encoder, folder, **settings), batch)
                for spare in options.spare:
                    for decoders in options.decoders:
                        split = (for_card, others) if decoders == "both" else (0, for_card + others)
                        network_module.lanes_of = lambda _, split=split: split
                        network_module.Square = partial(Square, spare=spare)  # type: ignore[misc,assignment]
                        if cuda:
                            torch.cuda.empty_cache()
                            torch.cuda.reset_peak_memory_stats()
                        run = made(encoder, folder, **settings)
                        with tempfile.TemporaryDirectory(dir=folder) as checkpoint:
                            ours, start, over_all = extraction(run, collection, Path(checkpoint))
                        card = torch.cuda.max_memory_allocated() / 1e6 if cuda else 0
                        own, child = memory()
                        print(
                            f"| {encoder} | {run.device_used} | {batch} | {decoders} | {spare} "
                            f"| {bare[0]:,.0f}, {bare[1]:,.0f} | {ours:,.0f} | {ours / max(bare):.2f} "
                            f"| {start:.1f} | {over_all:,.0f} | {card:,.0f} | {own:,.0f} + {child:,.0f} |",
                            flush=True,
                        )
            if options.agree:
                some = collection_of(originals, max(options.agree, 1), folder / "some")
                least = agreement(encoder, some, folder, **settings)
                print(f"least cosine with the processor's features, {options.agree} pictures: {least:.5f}")


if __name__ == "__main__":
    main()
