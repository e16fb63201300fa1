"""Bring your own: every way a collection comes into the studio, each ending in a job."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import streamlit as st

from clustering.collections.collection import Kind
from clustering.collections.museums import museums
from clustering.collections.places import allowed_folder, roots
from clustering.collections.readers import READERS, NoOptions, kinds_of_ending, kinds_of_files
from clustering.collections.samples import samples
from clustering.errors import StudioError
from clustering.parameters import parameters_of
from clustering.ui import forms, jobs, state
from clustering.ui.uploads import PICTURES, ending, keep
from clustering.words import several

TABLES = ("csv", "tsv", "xlsx", "parquet")
VECTORS = ("npy", "npz")
SERIES = ("ts",)
TEXTS = ("txt", "jsonl", "conllu", "gz")
GRAPHS = ("graphml", "gml", "gexf")
LOOKS = "Found by itself"
FIRST = 2_000  # files of a folder by whose names it is told what it may hold
WAYS = {
    "upload": "Upload",
    "folder": "Folder on this computer",
    "museum": "Museum",
    "hub": "Hugging Face hub",
    "sample": "Sample",
}


def ways(key: str) -> str | None:
    """Let the person choose a way in; return the id of the job once one is started.

    Parameters
    ----------
    key : str
        Prefix of the widget keys, one a page.
    """
    way = st.segmented_control(
        "From where",
        list(WAYS),
        default="upload",
        format_func=WAYS.__getitem__,
        required=True,
        key=f"{key}-way",
        label_visibility="collapsed",
    )
    entrances = {"upload": _upload, "folder": _folder, "museum": _museum, "hub": _hub, "sample": _sample}
    return entrances[way or "upload"](key)


def _upload(key: str) -> str | None:
    files = st.file_uploader(
        "Pictures, a zip of pictures, a table (CSV, TSV, XLSX, Parquet), vectors (NPY, NPZ), series "
        "(NPY, NPZ, TS, CSV), texts (TXT, CSV, JSONL, CoNLL-U), a graph (NPZ, GraphML, GML, GEXF, or two "
        "tables at once: nodes.csv and edges.csv) or several views of the same items (an NPZ with an array a "
        "view, or a table a view)",
        type=["zip", *PICTURES, *TABLES, *VECTORS, *SERIES, *TEXTS, *GRAPHS],
        accept_multiple_files=True,
        key=f"{key}-files",
    )
    if not files:
        return None
    st.caption(told(files))
    one = f".{ending(files[0].name)}"
    kinds = kinds_of_ending(one) if len(files) == 1 else kinds_of_files(file.name for file in files)
    kind, options = _kind_of(kinds, one if len(files) == 1 else "several", f"{key}-upload")
    left, right = st.columns(2)
    name = left.text_input(
        "Name", value=default_name([file.name for file in files]), key=f"{key}-upload-name"
    )
    label = _label_column(right, f"{key}-upload")
    if not st.button("Load", type="primary", key=f"{key}-upload-go", icon=":material/download:"):
        return None
    source = keep(state.workspace(), [(file.name, file) for file in files])
    return _submit(
        {
            "source": str(source),
            "kind": kind,
            "name": name.strip() or None,
            "copy": True,
            "label_column": label,
            "options": options,
        }
    )


def _label_column(place: Any, key: str) -> str | None:
    """Ask for the column of known groups, if there is one."""
    text = place.text_input(
        "Label column",
        key=f"{key}-label",
        placeholder="Found by itself",
        help="A column of known groups (a style, a maker) to judge clusterings against. It never steers one.",
    )
    return text.strip() or None


def _folder(key: str) -> str | None:
    st.caption(
        "A folder of pictures or of .txt files (a metadata.csv in it is read too), a folder with nodes.csv "
        "and edges.csv, or with one table a view of the same items; or a file. "
        f"Folders below {', '.join(str(root) for root in roots())} can be read."
    )
    left, right = st.columns([3, 1])
    path = left.text_input("Path", key=f"{key}-path", placeholder=str(roots()[0] / "paintings"))
    label = _label_column(right, f"{key}-path")
    kind, options = _kind_of(*_kinds_at(path), f"{key}-path")
    copy = st.toggle(
        "Copy the originals into the workspace",
        key=f"{key}-copy",
        help="Off: the originals stay where they are and are only looked at.",
    )
    if not st.button(
        "Load", type="primary", key=f"{key}-path-go", disabled=not path.strip(), icon=":material/download:"
    ):
        return None
    source = str(allowed_folder(path.strip().strip("\"'")))
    return _submit(
        {
            "source": source,
            "kind": kind,
            "name": None,
            "copy": copy,
            "label_column": label,
            "options": options,
        }
    )


def _museum(key: str) -> str | None:
    st.caption("Open-access works with artist, date, medium and culture. Needs the internet.")
    left, middle, right = st.columns([3, 3, 2])
    offered = museums()
    museum = left.selectbox(
        "Museum", list(offered), format_func=lambda name: offered[name].title, key=f"{key}-museum"
    )
    query = middle.text_input("Search", key=f"{key}-query", placeholder="landscape")
    limit = right.number_input(
        "At most", min_value=10, max_value=5000, value=300, step=50, key=f"{key}-limit"
    )
    department = st.text_input("Department", key=f"{key}-department", placeholder="Any")
    if not st.button(
        "Fetch",
        type="primary",
        key=f"{key}-museum-go",
        disabled=not query.strip(),
        icon=":material/download:",
    ):
        return None
    wanted = {"museum": museum, "query": query.strip(), "department": department.strip(), "limit": int(limit)}
    return jobs.submit("fetch", wanted, title=f"Fetch “{query.strip()}”").id


def _hub(key: str) -> str | None:
    st.caption("An image data set of the Hugging Face hub, by its id. Needs the internet.")
    name = st.text_input("Data set", key=f"{key}-hub", placeholder="huggan/wikiart")
    if not st.button(
        "Load", type="primary", key=f"{key}-hub-go", disabled=not name.strip(), icon=":material/download:"
    ):
        return None
    if name.count("/") != 1 or not all(part.strip() for part in name.split("/")):
        raise StudioError(
            f"“{name}” is not the id of a data set on the hub.", "Ids look like “huggan/wikiart”."
        )
    return _submit({"source": name.strip(), "kind": "images", "name": None, "copy": True})


def _sample(key: str) -> str | None:
    st.caption("Collections the studio makes itself, without any network.")
    for name, info in samples().items():
        words, button = st.columns([5, 1], vertical_alignment="center")
        words.markdown(f"**{info.title}**  \n:small[{info.summary} {info.origin}]")
        if button.button("Make", key=f"{key}-sample-{name}", width="stretch"):
            return jobs.submit("sample", {"name": name}, title=f"Sample: {info.title.lower()}").id
    return None


def _submit(parameters: dict[str, Any]) -> str:
    name = parameters["name"] or Path(parameters["source"]).name
    return jobs.submit("load", parameters, title=f"Load {name}").id


def _kinds_at(path: str) -> tuple[tuple[Kind, ...], str]:
    """Return the kinds a path may hold, and what tells them: its ending, or that it is a folder."""
    try:
        folder = allowed_folder(path.strip().strip("\"'")) if path.strip() else None
    except StudioError:  # said when it is to be loaded
        folder = None
    if folder is None or not folder.is_dir():
        return kinds_of_ending(f".{ending(path)}"), f".{ending(path)}"
    names = [one.name for one in islice(folder.iterdir(), FIRST)]
    return kinds_of_files(names), "several"


def _kind_of(kinds: Sequence[Kind], ended: str, key: str) -> tuple[str | None, dict[str, Any]]:
    """Ask what a file or several hold, where that is open, and how such a thing is to be read.

    Parameters
    ----------
    kinds : sequence of str
        That it may be; none where its looks decide.
    ended : str
        Its ending, or ``"several"``.
    key : str

    Returns
    -------
    kind : str or None
        None leaves it to the file's looks.
    options : dict
        Of `clustering.collections.readers.Reader.options`.
    """
    kind: str | None = kinds[0] if len(kinds) == 1 else None
    if len(kinds) > 1:
        chosen = st.radio(
            "The files hold" if ended == "several" else "The file holds",
            [LOOKS, *kinds],
            captions=["by what is in it", *(READERS[one].caption for one in kinds)],
            format_func=lambda one: one if one == LOOKS else one.capitalize(),
            horizontal=True,
            key=f"{key}-kind-{ended}",
        )
        kind = None if chosen == LOOKS else chosen
    if kind is None or READERS[kind].options is NoOptions:  # type: ignore[index]
        return kind, {}
    return kind, forms.form(parameters_of(READERS[kind].options), f"{key}-{kind}")  # type: ignore[index]


def told(files: Sequence[Any]) -> str:
    """Return what was dropped, in words."""
    pictures = sum(ending(file.name) in PICTURES for file in files)
    others = [file.name for file in files if ending(file.name) not in PICTURES]
    size = sum(file.size for file in files) / 1e6
    parts = ([several(pictures, "picture")] if pictures else []) + others[:3]
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return f"{', '.join(parts)}{more} · {size:,.1f} MB"


def default_name(names: Sequence[str]) -> str:
    """Return a first guess at a name: the folder they share, or the single file's stem."""
    parents = {PurePosixPath(name).parts[0] for name in names if len(PurePosixPath(name).parts) > 1}
    if len(parents) == 1:
        return parents.pop().replace("_", " ")
    return PurePosixPath(names[0]).stem.replace("_", " ") if len(names) == 1 else "My collection"
