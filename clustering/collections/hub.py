"""Read pictures that come as a Hugging Face data set: a hub id, a saved data set, or Parquet files of one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from PIL import Image

from clustering.collections.collection import ORIGINALS, Finding
from clustering.collections.columns import listed
from clustering.collections.images import read_folder
from clustering.collections.loaded import Loaded
from clustering.collections.metadata import metadata_file
from clustering.collections.pictures import EXTENSIONS, FORMATS
from clustering.errors import Stopped, StudioError
from clustering.files import write_whole
from clustering.progress import Progress, tell
from clustering.words import several

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

_FILE = "file_name"  # the column by which pictures and metadata are joined again


def read_dataset(source: Path | str, part: Path, *, label_column: str | None, progress: Progress) -> Loaded:
    """Write a data set's pictures as files, as they were stored, and join its other columns as metadata.

    Parameters
    ----------
    source : Path or str
        A Parquet file, a folder of Parquet files or one that `datasets` saved, or a hub id.
    part : Path
        Folder of the collection being built; pictures that an earlier, broken-off load wrote are kept.

    Raises
    ------
    StudioError
        When it cannot be reached or read, or has no column of pictures.
    """
    tell(progress, 0, 0, f"opening {source}")
    splits = _local(source) if isinstance(source, Path) else _from_hub(source)
    rows: list[dict[str, Any]] = []
    without: list[str] = []
    extra: list[str] = []
    for split, dataset in splits.items():
        pictures = _picture_columns(dataset, source)
        extra = pictures[1:]
        for row in _rows(dataset, pictures, source):
            number = len(rows)
            picture = row.pop(pictures[0])
            file = _written(picture, part / ORIGINALS, number)
            if file is None:
                without.append(f"row {number + 1}")
            rows.append({_FILE: file, **row, **({"split": split} if len(splits) > 1 else {})})
            if number % 64 == 0:
                tell(progress, number, _length(dataset), "writing the pictures")
    metadata = pd.DataFrame(rows)
    if metadata.empty or metadata[_FILE].isna().all():
        raise StudioError(f"{source} holds no pictures.", "Choose a data set with pictures in it.")
    loaded = read_folder(
        part / ORIGINALS, part, copy=False, label_column=label_column, progress=progress, metadata=metadata
    )
    findings = list(loaded.findings)
    if without:
        sentence = f"{several(len(without), 'row')} without a picture; left out."
        findings.insert(0, Finding("unreadable", len(without), sentence, tuple(without[:20])))
    if extra:
        sentence = f"{several(len(extra), 'more column')} of pictures ({listed(extra)}) left out."
        findings.append(Finding("columns", len(extra), sentence, tuple(extra)))
    return Loaded(
        loaded.items, loaded.label_columns, loaded.content_hash, tuple(findings), loaded.originals_root
    )


def has_pictures(path: Path) -> bool:
    """Say whether a Parquet file has a column of pictures.

    Raises
    ------
    StudioError
        When it is no Parquet file.
    """
    import pyarrow.parquet as pq
    from pyarrow import ArrowException, types

    try:
        schema = pq.read_schema(path)
    except (ArrowException, OSError) as error:
        raise StudioError(f"{path.name} is no readable Parquet file ({error}).", "Write it again.") from error
    return any(
        types.is_struct(field.type) and {inner.name for inner in field.type} == {"bytes", "path"}
        for field in schema
    )


def is_dataset(folder: Path) -> bool:
    """Say whether a folder is a data set that `datasets` saved, or holds Parquet files with pictures."""
    if _is_saved(folder):
        return True
    if metadata_file(folder) is not None:
        return False
    files = _parquet_files(folder)
    return bool(files) and has_pictures(files[0])


def _is_saved(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("dataset_dict.json", "state.json"))


def _parquet_files(folder: Path) -> list[Path]:
    """Return the Parquet files in a folder or in its folder ``data``, where the hub puts them."""
    return [*sorted(folder.glob("*.parquet")), *sorted(folder.glob("data/*.parquet"))]


def _local(source: Path) -> dict[str, Dataset | IterableDataset]:
    import datasets

    try:
        if source.is_dir() and _is_saved(source):
            saved = datasets.load_from_disk(str(source))
            return dict(saved) if isinstance(saved, datasets.DatasetDict) else {"all": saved}
        files = [source] if source.is_file() else _parquet_files(source)
        opened = datasets.load_dataset("parquet", data_files=[str(file) for file in files], streaming=True)
        return {"all": opened["train"]}
    except Exception as error:  # the library raises many kinds; each means that it cannot be read
        raise StudioError(
            f"{source.name} cannot be read as a data set ({error}).", "Save it again."
        ) from error


def _from_hub(name: str) -> dict[str, Dataset | IterableDataset]:
    import datasets

    try:
        return dict(
            datasets.load_dataset(name)
        )  # kept in the library's own cache, which goes on after a break
    except Exception as error:  # as above
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise StudioError(
            f"The data set “{name}” could not be fetched from the Hugging Face hub ({reason}).",
            "Check its name and your connection; log in with “hf auth login” when it is private; or download "
            "it and load the folder.",
        ) from error


def _picture_columns(dataset: Dataset | IterableDataset, source: object) -> list[str]:
    import datasets

    features = dataset.features or {}
    columns = [name for name, feature in features.items() if isinstance(feature, datasets.Image)]
    columns += [
        name
        for name, feature in features.items()
        if isinstance(feature, dict) and {*feature} == {"bytes", "path"}
    ]
    if not columns:
        raise StudioError(
            f"{source} has no column of pictures (columns: {listed(list(features))}).",
            "Choose another data set, or load a Parquet file of it as a table.",
        )
    return columns


def _rows(dataset: Any, pictures: list[str], source: object) -> Iterator[dict[str, Any]]:
    """Yield rows with pictures as stored bytes and class numbers as their names."""
    import datasets

    for name in pictures:
        dataset = dataset.cast_column(name, datasets.Image(decode=False))
    names = {name: f.names for name, f in dataset.features.items() if isinstance(f, datasets.ClassLabel)}
    rows = iter(dataset)
    while True:
        try:
            batch = list(islice(rows, 64))
        except (Stopped, StudioError):
            raise
        except Exception as error:  # as above
            raise StudioError(f"{source} breaks off ({error}).", "Download or save it again.") from error
        if not batch:
            return
        for row in batch:
            for name, classes in names.items():
                number = row[name]
                row[name] = classes[number] if number is not None and 0 <= number < len(classes) else None
            yield {name: value for name, value in row.items() if name not in pictures[1:]}


def _written(picture: dict[str, Any] | None, folder: Path, number: int) -> str | None:
    """Write one picture's bytes under a name with its number; return the name."""
    if not picture or (picture.get("bytes") is None and not picture.get("path")):
        return None
    content = picture.get("bytes")
    origin = Path(picture.get("path") or "")
    if content is None:
        try:
            content = origin.read_bytes()
        except OSError:
            return None
    name = f"{number:08d}{_ending(content, origin)}"
    if not (folder / name).exists():
        write_whole(folder / name, lambda stream: stream.write(content))
    return name


def _ending(content: bytes, origin: Path) -> str:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return f".{(image.format or 'jpeg').lower()}".replace(".jpeg2000", ".jp2")
    except Exception:  # broken: kept all the same, so that the check can list it
        return origin.suffix.lower() if origin.suffix.lower() in EXTENSIONS else ".jpg"


def _length(dataset: Any) -> int:
    try:
        return len(dataset)
    except TypeError:  # streamed: nobody knows before the end
        return 0
