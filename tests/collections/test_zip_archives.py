"""A zip that a stranger made is unpacked into its folder, whole, or refused in a sentence."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from painting import everything_in, gallery

from clustering.collections import archives, load
from clustering.errors import Stopped, StudioError


def _zip(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as opened:
        for name, content in entries.items():
            opened.writestr(zipfile.ZipInfo(name), content, compression)
    return path


def test_a_zip_of_a_folder_becomes_a_collection(tmp_path: Path) -> None:
    gallery(tmp_path / "g")
    packed = {f"paintings/{name}": content for name, content in everything_in(tmp_path / "g").items()}
    packed["paintings/metadata.csv"] = b"file,title\npicture-1.png,<script>alert(1)</script>\n"
    packed["__MACOSX/paintings/._picture-1.png"] = b"junk"
    collection = load(_zip(tmp_path / "p.zip", packed), tmp_path / "c")
    assert collection.n_items == 5
    assert collection.items["title"].iloc[1] == "<script>alert(1)</script>"  # text, as it was
    assert collection.original(0).is_relative_to(tmp_path / "c")
    assert collection.picture(0).size == (60, 40)


@pytest.mark.parametrize(
    "name",
    ["../evil.png", "a/../../evil.png", "/etc/evil.png", "C:\\evil.png", "C:evil.png", "..\\evil.png",
     "\\\\host\\share\\evil.png", "a/..", ".", "/"],
)  # fmt: skip
def test_an_entry_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = _zip(tmp_path / "p.zip", {"good.png": b"1", name: b"evil"})
    before = everything_in(tmp_path)
    with pytest.raises(StudioError, match=r"leads out of its own folder.*Pack the folder again"):
        load(archive, tmp_path / "place" / "c")
    assert everything_in(tmp_path) == before


NAME_PIECES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
TRICKS = st.sampled_from(["..", ".", "a", "", "b.png", "\\..", "..\\", " ..", "C:"])


@given(
    pieces=st.one_of(st.lists(NAME_PIECES, min_size=1, max_size=5), st.lists(TRICKS, min_size=1, max_size=6))
)
@settings(max_examples=250, deadline=None)
def test_no_name_ever_writes_outside_the_folder(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    root = tmp_path_factory.mktemp("zip")
    archive = _zip(root / "p.zip", {"/".join(pieces): b"content"})
    target = root / "inside" / "deep"
    try:
        archives.extract(archive, target)
    except StudioError as refusal:
        assert refusal.mend
    assert [p for p in root.rglob("*") if p.is_file() and not p.is_relative_to(target)] == [archive]


def test_a_link_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as opened:
        link = zipfile.ZipInfo("a.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    with pytest.raises(StudioError, match=r"is a link"):
        load(tmp_path / "p.zip", tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "p.zip", {"a.bmp": bytes(100 * 2**20)}, zipfile.ZIP_DEFLATED)
    before = everything_in(tmp_path)
    with pytest.raises(StudioError, match=r"100 times as much, as zip bombs do"):
        load(archive, tmp_path / "c")
    assert everything_in(tmp_path) == before


def test_many_small_bombs_are_refused_together(tmp_path: Path) -> None:
    entries = {f"{number}.bmp": bytes(10 * 2**20) for number in range(10)}
    with pytest.raises(StudioError, match=r"as zip bombs do"):
        load(_zip(tmp_path / "p.zip", entries, zipfile.ZIP_DEFLATED), tmp_path / "c")


def test_too_many_files_and_too_many_bytes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = _zip(tmp_path / "p.zip", {f"{number}.png": b"12345" for number in range(11)})
    monkeypatch.setattr(archives, "MOST_FILES", 10)
    with pytest.raises(StudioError, match=r"11 files; the limit is 10"):
        load(archive, tmp_path / "c")
    monkeypatch.setattr(archives, "MOST_FILES", 20)
    monkeypatch.setattr(archives, "MOST_BYTES", 50)
    with pytest.raises(StudioError, match=r"the limit is"):
        load(archive, tmp_path / "c")


def test_an_entry_that_lies_about_its_length_is_refused(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "p.zip", {"a.png": bytes(range(256)) * 40}, zipfile.ZIP_DEFLATED)
    raw = bytearray(archive.read_bytes())
    directory = raw.rindex(b"PK\x01\x02")
    raw[directory + 24 : directory + 28] = struct.pack("<I", 100)  # uncompressed size in the directory
    archive.write_bytes(raw)
    with pytest.raises(StudioError):
        load(archive, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_zip_with_a_password_or_half_a_zip_ends_in_a_sentence(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "p.zip", {"a.png": b"12345"})
    raw = bytearray(archive.read_bytes())
    raw[6] |= 1
    raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(raw)
    with pytest.raises(StudioError, match=r"password"):
        load(archive, tmp_path / "c")
    archive.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(StudioError):
        load(archive, tmp_path / "c", kind="images")


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "p.zip", "w") as opened,
        pytest.warns(UserWarning, match=r"Duplicate name"),
    ):
        opened.writestr("a.png", b"1")
        opened.writestr("a.png", b"2")
    with pytest.raises(StudioError, match=r"two files called “a\.png”"):
        load(tmp_path / "p.zip", tmp_path / "c")


def test_a_file_that_is_also_a_folder_ends_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"a file and a folder at once"):
        load(_zip(tmp_path / "p.zip", {"a": b"1", "a/b.png": b"2"}), tmp_path / "c")


def test_a_full_disk_is_seen_before_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = _zip(tmp_path / "p.zip", {"a.png": b"12345"})
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 4})())
    with pytest.raises(StudioError, match=r"the disk has 0\.0 GB free.*Free some space"):
        load(archive, tmp_path / "c")


def test_unpacking_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    pictures = everything_in(gallery(tmp_path / "g", 70, width=8, height=8))
    archive = _zip(tmp_path / "p.zip", pictures)

    def stop_late(done: int, total: int, doing: str) -> bool:
        return doing == "unpacking" and done >= 64

    with pytest.raises(Stopped):
        load(archive, tmp_path / "c", progress=stop_late)
    kept = list((tmp_path / ".c.part" / "originals").iterdir())
    assert len(kept) == 64
    times = {path.name: path.stat().st_mtime_ns for path in kept}
    collection = load(archive, tmp_path / "c")
    assert collection.n_items == 70
    originals = tmp_path / "c" / "originals"
    assert {name: (originals / name).stat().st_mtime_ns for name in times} == times


def test_very_long_names_are_shortened_and_stay_different(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    from painting import painted

    painted(0).save(buffer, "PNG")
    names = [f"{'ü' * 140}{number}.png" for number in range(3)]
    archives.extract(_zip(tmp_path / "p.zip", {name: buffer.getvalue() for name in names}), tmp_path / "t")
    unpacked = [path.name for path in (tmp_path / "t").iterdir()]
    assert len(unpacked) == 3
    assert all(name.endswith(".png") and len(name.encode()) <= 200 for name in unpacked)
