"""The way for graphics cards, walked on the processor: many decoders, one network, the same features."""

from __future__ import annotations

import os
import pickle
import signal
from pathlib import Path

import numpy as np
import pytest
from feature_standin import Files, noise_pictures, painted
from hypothesis import given
from hypothesis import strategies as st

from clustering.errors import Stopped, StudioError
from clustering.features import lanes as lanes_module
from clustering.features.batches import FeatureFile
from clustering.features.feeder import ClosedError, Feeder
from clustering.features.lanes import Lanes
from clustering.features.network import lanes_of
from clustering.features.pictures import Square, squared
from clustering.features.runner import Input, Runner

torch = pytest.importorskip("torch")
from clustering.features.device_pictures import decoded, device_squares  # noqa: E402
from clustering.features.streamed import Stream, encode_streamed  # noqa: E402

SIDE = 16


def means(images):
    """A network of its own kind: the mean colour of each quarter."""
    return torch.nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)


class Means(torch.nn.Module):
    def forward(self, images):
        return means(images)


@pytest.fixture(scope="module")
def works(tmp_path_factory) -> Files:
    """Photographs among pictures that a graphics card does not decode."""
    folder = tmp_path_factory.mktemp("works")
    paths = []
    for index in range(40):
        kind, options = (
            ("png", {}) if index % 5 == 3 else ("jpg", {"progressive": index % 7 == 0, "quality": 88})
        )
        paths.append(folder / f"{index}.{kind}")
        painted(60 + index, 50, index).save(paths[-1], **options)
    return Files(paths)


@pytest.fixture
def processes(monkeypatch):
    monkeypatch.setattr(lanes_module, "WORTH_PROCESSES", 1)


def on_cpu(files):
    return device_squares(decoded(files, "cpu"), Square(SIDE))


def streamed(collection, folder=None, decode=None, workers=2, batch_size=6, progress=lambda *_: None):
    runner = Runner(Means(), Input(SIDE, (0.5,) * 3, (0.25,) * 3), "cpu", "auto")
    lanes = Lanes(collection, Square(SIDE), workers, collection.n_items, 2 if decode else 0)
    try:
        stream = Stream(runner, batch_size, SIDE)
        rows = FeatureFile(collection.n_items, stream.dimensions, "k", batch_size, folder)
        return np.array(encode_streamed(lanes, stream, rows, decode, progress, "testing"))
    finally:
        lanes.end()


def plainly(collection):
    runner = Runner(Means(), Input(SIDE, (0.5,) * 3, (0.25,) * 3), "cpu", "auto")
    return runner(np.stack([Square(SIDE).of(collection, index) for index in range(collection.n_items)]))


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_processes_give_what_reading_one_by_one_gives(works, processes):
    np.testing.assert_allclose(streamed(works), plainly(works), atol=1e-6)


def test_a_collection_that_cannot_be_sent_is_read_by_threads(processes):
    pictures = noise_pictures(23)
    np.testing.assert_allclose(streamed(pictures), plainly(pictures), atol=1e-6)


def test_the_devices_decoder_takes_its_share_and_the_features_stay(works, processes):
    taken: list[int] = []

    def decode(files):
        taken.append(len(files))
        return on_cpu(files)

    features = streamed(works, decode=decode)
    assert sum(taken) > 0
    np.testing.assert_allclose(features, plainly(works), atol=0.02)
    assert cosines(features, plainly(works)).min() > 0.9999


def test_a_device_that_cannot_decode_leaves_all_to_the_processors(works, processes):
    def decode(files):
        raise RuntimeError("no decoder")

    np.testing.assert_allclose(streamed(works, decode=decode), plainly(works), atol=1e-6)


def test_what_the_device_cannot_read_its_own_lanes_decode(works, processes):
    def some(files):  # a decoder for every second call only, as with damaged files
        calls.append(len(files))
        if len(calls) % 2:
            raise RuntimeError("damaged")
        return on_cpu(files)

    calls: list[int] = []
    np.testing.assert_allclose(streamed(works, decode=some), plainly(works), atol=0.02)
    assert calls


@given(length=st.integers(1, 40), done=st.sets(st.integers(0, 39)))
def test_what_is_left_of_a_run_comes_in_short_stretches_without_gaps(length, done):
    run = range(5, 5 + length)
    own = sorted(5 + place for place in done if place < length)
    parts = lanes_module._stretches(run, own)
    assert [index for part in parts for index in part] == sorted(set(run) - set(own))
    assert all(0 < len(part) <= lanes_module.RUN for part in parts)


def test_most_processes_serve_the_card_and_some_decode_themselves():
    assert lanes_of(16) == (12, 3)
    for count in range(1, 130):
        for_card, others = lanes_of(count)
        assert for_card >= 2 and others >= 1
        assert count < 4 or for_card + others == count - 1


def test_a_device_that_decodes_slowly_is_no_longer_asked(works, processes, monkeypatch):
    calls: list[int] = []

    def decode(files):
        calls.append(len(files))
        return on_cpu(files)

    many = Files(works.paths * 20)
    monkeypatch.setattr(lanes_module, "SLOWEST", 1e15)
    features = streamed(many, decode=decode)
    assert len(calls) <= 2 * (1 + lanes_module.MISSES)
    np.testing.assert_allclose(features, np.tile(plainly(works), (20, 1)), atol=0.02)


def test_processes_that_die_are_replaced_by_threads(works, processes, monkeypatch):
    made = []
    start = lanes_module.Server.__init__

    def killed_at_once(self, about):
        start(self, about)
        os.kill(self._process.pid, signal.SIGKILL)
        made.append(self)

    monkeypatch.setattr(lanes_module.Server, "__init__", killed_at_once)
    np.testing.assert_allclose(streamed(works, decode=on_cpu), plainly(works), atol=1e-6)
    assert made and not any(server.lives for server in made)


@pytest.mark.parametrize("separate", [True, False])
def test_a_broken_picture_ends_the_work_with_its_sentence_and_the_batches_before_it_stay(
    works, tmp_path, monkeypatch, separate
):
    monkeypatch.setattr(lanes_module, "WORTH_PROCESSES", 1 if separate else 1000)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(works.paths[20].read_bytes()[:900])
    collection = Files([*works.paths[:20], broken, *works.paths[21:]])
    with pytest.raises(StudioError, match="Picture 20 of “Files” can no longer be read"):
        streamed(collection, tmp_path / "c", decode=on_cpu)
    assert FeatureFile(40, 12, "k", 6, tmp_path / "c").done == 18
    resumed = streamed(works, tmp_path / "c")
    np.testing.assert_allclose(resumed, plainly(works), atol=0.02)


def test_stopped_work_goes_on_where_it_was_cut(works, tmp_path):
    with pytest.raises(Stopped):
        streamed(works, tmp_path / "c", progress=lambda done, total, doing: done >= 12)
    done = FeatureFile(40, 12, "k", 6, tmp_path / "c").done
    assert 12 <= done < 40
    seen: list[int] = []
    features = streamed(works, tmp_path / "c", progress=lambda done, total, doing: seen.append(done))
    assert seen[0] == done and seen[-1] == 40
    np.testing.assert_allclose(features, plainly(works), atol=1e-6)


def test_no_more_pictures_wait_than_there_is_memory_for():
    feeder = Feeder(0, 100, [np.zeros((10, 2, 2, 3), np.uint8) for _ in range(3)])
    runs = [feeder.take(10) for _ in range(3)]
    assert [run[0] for run in runs] == [0, 10, 20]
    assert feeder._next == 30 and 3 not in feeder._batches
    for run in runs:
        feeder.filled(run)
    feeder.batch(0)
    feeder.release(0)
    assert feeder.take(64) == range(30, 40)


def test_what_one_decoder_gives_back_another_takes_in_runs():
    feeder = Feeder(5, 45, [np.zeros((10, 2, 2, 3), np.uint8) for _ in range(4)])
    assert feeder.take(64, anything=False) == range(5, 15)
    feeder.give_back([6, 7, 9, 14])
    assert feeder.take(64, anything=False) == range(15, 25)
    assert [feeder.take(8) for _ in range(3)] == [range(6, 8), range(9, 10), range(14, 15)]
    feeder.close()
    with pytest.raises(ClosedError):
        feeder.take(8)


@pytest.mark.parametrize("fit", ["squash", "crop", "letterbox"])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(80, 60), (60, 90), (64, 64), (120, 50)])
def test_squares_made_on_the_device_are_pillows(fit, interpolation, size):
    picture = painted(*size)
    square = Square(24, fit, interpolation)
    tensor = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)
    got = device_squares([tensor, tensor.flip(2), tensor[:, :40]], square).numpy()
    off = np.abs(got[0].astype(int) - squared(picture, 24, fit, interpolation))
    assert off[2:-2, 2:-2].max() <= 2
    # Pillow's rim of a crop is blended with what lies just outside, ours is not
    assert off.max() <= 2 or (fit == "crop" and off.mean() < 1)
    assert got.shape == (3, 24, 24, 3)


def test_a_large_photograph_decoded_at_a_part_of_its_size_has_the_same_features(tmp_path):
    from clustering.features.efficientnet_lite0 import EfficientNetLite0

    paths = []
    for index, size in enumerate([(1000, 900), (1900, 1850)]):
        paths.append(tmp_path / f"{index}.jpg")
        painted(*size, index).save(paths[-1], quality=85)
    features = EfficientNetLite0(device="cpu", batch_size=2).encode(Files(paths))
    network, wanted = EfficientNetLite0().network()
    whole = np.stack([squared(Files(paths).picture(index), 224) for index in range(2)])
    assert cosines(features, Runner(network, wanted, "cpu", "auto")(whole)).min() > 0.999


def test_originals_are_read_not_thumbnails(tmp_path):
    from clustering.collections import load
    from clustering.features import encode

    folder = tmp_path / "art"
    folder.mkdir()
    for index in range(3):
        painted(700, 500, index).save(folder / f"{index}.png")
    collection = load(folder, tmp_path / "collection")
    sent = pickle.loads(pickle.dumps(collection))  # as to a decoding process
    assert sent.original(1) == collection.original(1) == folder / "1.png"
    features = encode(collection, "pixels", size=100, colour="colour")
    fine = squared(painted(700, 500, 1), 100).astype(np.float32).ravel() / 255
    np.testing.assert_allclose(features[1], fine, atol=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_a_graphics_card_gives_the_processors_features(tmp_path: Path, precision):
    from clustering.features.efficientnet_lite0 import EfficientNetLite0

    paths = []
    for index in range(64):
        paths.append(tmp_path / f"{index}.jpg")
        painted(500 + 5 * index, 480, index).save(paths[-1], quality=85, progressive=index % 9 == 0)
    collection = Files(paths * 10)
    encoder = EfficientNetLite0(device="cuda", precision=precision, batch_size=96)
    features = encoder.encode(collection)
    wanted = EfficientNetLite0(device="cpu").encode(Files(paths))
    assert cosines(features, np.tile(wanted, (10, 1))).min() > (0.999 if precision == "float32" else 0.998)
    assert "bfloat16" in encoder.device_used or precision == "float32"
