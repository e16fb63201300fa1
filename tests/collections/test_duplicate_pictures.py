"""Pictures that are there twice are found, however they were saved; different ones are left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from painting import painted
from PIL import Image

from clustering.collections.duplicates import NEAR, duplicates
from clustering.collections.survey import survey


def _repeats(files: list[Path], tmp_path: Path) -> list[int]:
    seen = survey(files, tmp_path / "survey")
    return duplicates(seen.digest, seen.perceptual, seen.look, seen.spread).tolist()


def test_the_same_picture_saved_differently_repeats_the_first(tmp_path: Path) -> None:
    painting = painted(0, 320, 240)
    painting.save(tmp_path / "a.png")
    painted(1, 320, 240).save(tmp_path / "b.png")
    painting.save(tmp_path / "c.jpg", quality=50)
    painting.resize((160, 120)).save(tmp_path / "d.webp", quality=60)
    (tmp_path / "e.png").write_bytes((tmp_path / "a.png").read_bytes())
    assert _repeats(sorted(tmp_path.glob("*.*")), tmp_path) == [-1, -1, 0, 0, 0]


def test_different_pictures_are_left_alone(tmp_path: Path) -> None:
    files = []
    for seed in range(60):
        files.append(tmp_path / f"{seed}.png")
        painted(seed).save(files[-1])
    assert set(_repeats(files, tmp_path)) == {-1}


def test_blank_pictures_only_count_when_their_bytes_are_equal(tmp_path: Path) -> None:
    for name, colour in (("a", "white"), ("b", "navy"), ("c", "white")):
        Image.new("RGB", (40, 40), colour).save(tmp_path / f"{name}.png")
    assert _repeats(sorted(tmp_path.glob("*.png")), tmp_path) == [-1, -1, 0]


def test_handwritten_digits_are_no_copies_of_each_other(shared_data: Path, tmp_path: Path) -> None:
    with np.load(shared_data / "mnist.npz") as mnist:
        digits = mnist["x"][:300]
    files = []
    for number, digit in enumerate(digits):
        files.append(tmp_path / f"{number:03d}.png")
        Image.fromarray(digit).save(files[-1])
    assert set(_repeats(files, tmp_path)) == {-1}


def test_repeats_agree_with_a_plain_loop_over_all_pairs() -> None:
    generator = np.random.default_rng(0)
    n = 700  # more than one block of the pair matrix
    hashes = generator.integers(0, 2**63, n, dtype=np.uint64)
    looks = generator.integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)
    for copy, original in ((300, 5), (650, 5), (699, 400), (400, 399)):
        hashes[copy] = hashes[original] ^ np.uint64(0b1010)
        looks[copy] = looks[original]
    hashes[650] = hashes[5] ^ np.uint64(0b10100)
    digest = np.array([str(i) for i in range(n)])
    found = duplicates(digest, hashes, looks, np.full(n, 50, np.float32))
    expected = np.full(n, -1)
    for later in range(n):
        for first in range(later):
            near = bin(int(hashes[first] ^ hashes[later])).count("1") <= NEAR
            if near and expected[first] < 0 and np.array_equal(looks[first], looks[later]):
                expected[later] = first
                break
    assert np.array_equal(found, expected)
    assert found[[300, 650, 400]].tolist() == [5, 5, 399]


def test_twenty_thousand_pictures_are_compared_in_seconds() -> None:
    import time

    generator = np.random.default_rng(0)
    n = 20_000
    hashes = generator.integers(0, 2**63, n, dtype=np.uint64)
    looks = np.zeros((n, 16, 16, 3), np.uint8)
    start = time.process_time()
    duplicates(np.arange(n).astype(str), hashes, looks, np.full(n, 50, np.float32))
    assert time.process_time() - start < 20


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
def test_a_copy_of_a_copy_is_a_copy_of_the_first(order: list[int]) -> None:
    digest = np.array(["a", "b", "a"])
    hashes = np.array([7, 7, 7], np.uint64)
    look = np.broadcast_to(np.asarray(painted(0, 16, 16)), (3, 16, 16, 3))
    found = duplicates(digest[order], hashes, look, np.full(3, 50, np.float32))
    assert found.tolist() == [-1, 0, 0]
