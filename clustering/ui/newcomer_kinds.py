"""What a person is asked for who places items of their own, kind by kind."""

from __future__ import annotations

from dataclasses import dataclass

from clustering.ui.bring import PICTURES


@dataclass(frozen=True)
class Asked:
    """How items of a kind are asked for.

    Parameters
    ----------
    title : str
        Of the part of the page.
    files : str
        What the files hold.
    endings : tuple of str
    written : str
        Label of the box in which items can be written on the spot; empty where they cannot.
    """

    title: str
    files: str
    endings: tuple[str, ...]
    written: str = ""


ASKED = {
    "images": Asked("Place pictures of your own", "Pictures", tuple(PICTURES)),
    "table": Asked("Place rows of your own", "A table with its rows", ("csv", "tsv", "xlsx", "parquet")),
    "vectors": Asked("Place vectors of your own", "Vectors", ("npy", "npz", "parquet", "csv")),
    "series": Asked("Place windows of your own", "Series", ("npy", "npz", "ts", "csv", "tsv")),
    "text": Asked("Place texts of your own", "Texts", ("txt",), "Or write a text"),
    "tokens": Asked(
        "Place words of your own",
        "Sentences, one a line, or CoNLL-U",
        ("txt", "conllu", "gz"),
        "Or write a sentence; [square brackets] around some words place only those",
    ),
    "graph": Asked(
        "Place nodes of your own",
        "Features of nodes, one a row",
        ("csv", "tsv", "npy", "npz", "parquet"),
    ),
    "views": Asked("Place items of your own", "Views, one array each", ("npz",)),
}
