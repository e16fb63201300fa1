"""A folder of pictures becomes a collection: whole or not at all, going on after a break."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from painting import everything_in, gallery, painted, with_library
from PIL import Image

from clustering.collections import Collection, load
from clustering.collections.images import natural
from clustering.errors import StudioError


def _subjects(collection: Collection) -> dict[str, int]:
    return {finding.subject: finding.count for finding in collection.findings}


def test_pictures_are_read_in_natural_order_and_stay_where_they_are(tmp_path: Path) -> None:
    folder = gallery(tmp_path / "g", 12)
    before = everything_in(folder)
    collection = load(folder, tmp_path / "c", name="Mine")
    assert collection.items["id"].tolist() == [f"picture-{number}" for number in range(12)]
    assert collection.original(10) == folder / "picture-10.png"
    assert np.array_equal(np.asarray(collection.picture(10)), np.asarray(painted(10)))
    assert collection.picture(3, size=30).size == (30, 20)
    assert everything_in(folder) == before
    assert (collection.name, collection.kind, collection.id) == ("Mine", "images", "c")
    assert collection.items["aspect"].tolist() == [1.5] * 12
    again = Collection.open(tmp_path / "c")
    assert (again.content_hash, again.findings) == (collection.content_hash, collection.findings)


def test_natural_order_counts() -> None:
    names = ["b/1.png", "a10.png", "a9.png", "a/2.png", "A1.png", "a/10.png", "007.png", "7.png", "é.png"]
    assert sorted(names, key=natural) == [
        "007.png", "7.png", "a/2.png", "a/10.png", "A1.png", "a9.png", "a10.png", "b/1.png", "é.png",
    ]  # fmt: skip


def test_folders_that_tell_pictures_apart_become_columns(tmp_path: Path) -> None:
    for artist, work in (("Baroque/Rubens", 2), ("Baroque/Vermeer", 2), ("Rococo/Watteau", 3)):
        gallery(tmp_path / "g" / "all" / artist, work)
    items = load(tmp_path / "g", tmp_path / "c").items
    assert items["folder"].tolist() == ["Baroque"] * 4 + ["Rococo"] * 3
    assert items["subfolder"].tolist() == ["Rubens"] * 2 + ["Vermeer"] * 2 + ["Watteau"] * 3
    assert Collection.open(tmp_path / "c").label_columns == ("folder", "subfolder")


def test_copied_pictures_survive_their_originals(tmp_path: Path) -> None:
    collection = load(gallery(tmp_path / "g"), tmp_path / "c", copy=True)
    shutil.rmtree(tmp_path / "g")
    assert collection.original(2) == tmp_path / "c" / "originals" / "picture-2.png"
    assert np.array_equal(np.asarray(collection.picture(2)), np.asarray(painted(2)))
    shutil.move(tmp_path / "c", tmp_path / "elsewhere")
    assert Collection.open(tmp_path / "elsewhere").picture(2).size == (60, 40)


def test_originals_that_went_or_changed_are_noticed(tmp_path: Path) -> None:
    collection = load(gallery(tmp_path / "g"), tmp_path / "c")
    assert collection.changed_originals() == ()
    (tmp_path / "g" / "picture-1.png").unlink()
    painted(99, 80, 80).save(tmp_path / "g" / "picture-3.png")
    gone, changed = collection.changed_originals()
    assert (gone.subject, gone.items) == ("gone", ("picture-1.png",))
    assert (changed.subject, changed.items) == ("changed", ("picture-3.png",))
    with pytest.raises(StudioError, match=r"is gone.*Put it back"):
        collection.original(1)


def test_unreadable_pictures_are_left_out_and_listed(tmp_path: Path) -> None:
    folder = gallery(tmp_path / "g", 4)
    (folder / "broken.jpg").write_text("no picture")
    whole = (folder / "picture-0.png").read_bytes()
    (folder / "half.png").write_bytes(whole[: len(whole) // 2])
    (folder / "notes.txt").write_text("bought in 1907")
    (folder / ".hidden.png").write_bytes(whole)
    collection = load(folder, tmp_path / "c")
    assert collection.n_items == 4
    found = {finding.subject: finding for finding in collection.findings}
    assert found["unreadable"].count == 2
    assert [name.split(" ")[0] for name in found["unreadable"].items] == ["broken.jpg", "half.png"]
    assert "left out" in found["unreadable"].sentence
    assert found["other files"].items == ("notes.txt",)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_huge_picture_is_left_out_and_the_rest_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clustering.collections import pictures

    folder = gallery(tmp_path / "g", 3)
    monkeypatch.setattr(pictures, "PIXEL_LIMIT", 10_000)
    painted(9, 200, 200).save(folder / "huge.png")
    collection = load(folder, tmp_path / "c")
    assert collection.n_items == 3
    assert _subjects(collection)["too large"] == 1


def test_the_check_names_what_is_odd(tmp_path: Path) -> None:
    folder = gallery(tmp_path / "g", 12)
    painted(3).save(folder / "z-again.jpg", quality=70)
    painted(40, 20, 20).save(folder / "z-tiny.png")
    Image.new("RGB", (60, 60), "teal").save(folder / "z-blank.png")
    Image.new("CMYK", (60, 60), (9, 0, 200, 0)).save(folder / "z-cmyk.jpg")
    (folder / "metadata.csv").write_text("file,room,floor\npicture-1.png,A,1\npicture-2.png,,1\n")
    collection = load(folder, tmp_path / "c")
    found = _subjects(collection)
    expected = {"duplicates": 1, "tiny": 1, "blank": 2, "converted": 1, "constant": 2, "missing": 2}
    assert {subject: found[subject] for subject in expected} == expected
    items = collection.items.set_index("id")
    assert items.loc["z-again", "duplicate_of"] == "picture-3"
    assert items["duplicate_of"].notna().sum() == 1
    said = {finding.subject: finding.sentence for finding in collection.findings}
    assert said["duplicates"].startswith("1 picture repeats an earlier one; kept")
    assert all(finding.sentence.endswith(".") for finding in collection.findings)


def test_the_content_hash_is_of_the_pictures_and_nothing_else(tmp_path: Path) -> None:
    first = load(gallery(tmp_path / "g"), tmp_path / "c1")
    shutil.copytree(tmp_path / "g", tmp_path / "moved")
    (tmp_path / "moved" / "metadata.csv").write_text("file,title\npicture-0.png,One\n")
    assert load(tmp_path / "moved", tmp_path / "c2").content_hash == first.content_hash
    painted(77).save(tmp_path / "moved" / "picture-4.png")
    assert load(tmp_path / "moved", tmp_path / "c3").content_hash != first.content_hash


def test_a_chosen_label_comes_first_and_an_unknown_one_ends_in_a_sentence(tmp_path: Path) -> None:
    folder = gallery(tmp_path / "g", 6)
    rows = "".join(f"picture-{n}.png,{'ab'[n % 2]},{'xyz'[n % 3]}\n" for n in range(6))
    (folder / "metadata.csv").write_text("file,wall,room\n" + rows)
    assert load(folder, tmp_path / "c", label_column="room").label_columns == ("room", "wall")
    with pytest.raises(StudioError, match=r"no column “rom”.*wall, room"):
        load(folder, tmp_path / "d", label_column="rom")
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("make", "problem", "mend"),
    [
        (lambda folder: None, "is empty", "with pictures in it"),
        (lambda folder: (folder / "a.txt").write_text("x"), "no pictures, only 1 other", "one of these"),
        (lambda folder: (folder / "a.jpg").write_text("x"), "None of the 1 picture", "Open one in"),
    ],
)  # fmt: skip
def test_a_folder_without_pictures_ends_in_a_sentence(tmp_path: Path, make, problem: str, mend: str) -> None:
    (tmp_path / "g").mkdir()
    make(tmp_path / "g")
    before = everything_in(tmp_path)
    with pytest.raises(StudioError) as error:
        load(tmp_path / "g", tmp_path / "c")
    assert problem in error.value.problem
    assert mend in error.value.mend
    assert everything_in(tmp_path) == before
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("source", ["nowhere", "no/where/at all", "a\0b", "x" * 5000, "missing.csv"])
def test_a_source_that_is_not_there_ends_in_a_sentence(tmp_path: Path, source: str) -> None:
    with pytest.raises(StudioError, match=r"There is nothing at.*Check the spelling"):
        load(tmp_path / source, tmp_path / "c")


def test_a_file_of_an_unknown_kind_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_text("x")
    with pytest.raises(StudioError, match=r"not read \(\.docx\).*\.csv"):
        load(tmp_path / "a.docx", tmp_path / "c")
    with pytest.raises(StudioError, match=r"no kind of collection called “sounds”.*images, table, vectors"):
        load(tmp_path / "a.docx", tmp_path / "c", kind="sounds")


def test_links_out_of_the_folder_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = gallery(tmp_path / "g", 3)
    gallery(tmp_path / "private", 1)
    (folder / "link.png").symlink_to(tmp_path / "private" / "picture-0.png")
    (folder / "inside.png").symlink_to(folder / "picture-0.png")
    (folder / "dangling.png").symlink_to(tmp_path / "gone.png")
    monkeypatch.setenv("STUDIO_ROOTS", str(tmp_path / "g"))
    collection = load(folder, tmp_path / "c")
    assert collection.items["id"].tolist() == ["inside", "picture-0", "picture-1", "picture-2"]
    assert _subjects(collection)["links"] == 1


def test_a_broken_description_ends_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"no collection in"):
        Collection.open(tmp_path)
    (tmp_path / "collection.json").write_text(json.dumps({"name": "x"}))
    with pytest.raises(StudioError, match=r"cannot be read.*Load it again"):
        Collection.open(tmp_path)


def test_opening_a_collection_imports_nothing_heavy(tmp_path: Path) -> None:
    load(gallery(tmp_path / "g"), tmp_path / "c")
    script = (
        "import sys; from clustering.collections import Collection, load\n"
        f"c = Collection.open({str(tmp_path / 'c')!r}); c.items, c.atlas, c.picture(0)\n"
        "heavy = {'torch', 'sklearn', 'scipy', 'datasets', 'imagehash', 'umap'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env=with_library())
