"""Sentences of one's own: which of their words are placed, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from clustering.collections import Collection, load
from clustering.errors import StudioError
from clustering.newcomers import read_newcomers

SENTENCES = [
    [("the", "DET", 2), ("ship", "NOUN", 3), ("sailed", "VERB", 0)],
    [("a", "DET", 3), ("small", "ADJ", 3), ("ship", "NOUN", 4), ("left", "VERB", 0)],
]


def treebank(path: Path) -> Path:
    lines = []
    for sentence in SENTENCES:
        for at, (word, tag, head) in enumerate(sentence, 1):
            lines.append("\t".join([str(at), word, word, tag, "_", "_", str(head), "dep", "_", "_"]))
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    folder = tmp_path_factory.mktemp("words")
    return load(treebank(folder / "small.conllu"), folder / "c")


@pytest.fixture(scope="module")
def phrases(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    folder = tmp_path_factory.mktemp("phrases")
    return load(treebank(folder / "small.conllu"), folder / "c", options={"spans": "phrases"})


def text(folder: Path, content: str, name: str = "mine.txt") -> Path:
    (folder / name).write_text(content, encoding="utf-8")
    return folder / name


def test_every_word_of_a_line_is_an_item_in_its_sentence(words: Collection, tmp_path: Path) -> None:
    found = read_newcomers(words, [text(tmp_path, "Old ships sail, don't they?\n\nA second one\n")])
    data = found.data()
    assert found.kind == "tokens"
    assert data["sentence"].tolist() == [0] * 9 + [1] * 3
    assert data["words"].iloc[9] == ["A", "second", "one"]
    assert [words[start:end] for words, start, end in data[["words", "start", "end"]].to_numpy()][1] == [
        "ships"
    ]
    assert found.names[1] == "Old [ships] sail , don ' …"
    assert found.names[11] == "A second [one]"


def test_clitics_are_set_apart_where_the_collection_has_them_apart(tmp_path: Path) -> None:
    own = tmp_path / "own.conllu"
    treebank(own)
    own.write_text(own.read_text(encoding="utf-8").replace("sailed", "n't"), encoding="utf-8")
    there = load(own, tmp_path / "c")
    found = read_newcomers(there, [text(tmp_path, "They're here, don't [we] know it's 'late'")])
    told = ["They", "'re", "here", ",", "do", "n't", "we", "know", "it", "'s", "'", "late", "'"]
    assert found.data()["words"].iloc[0] == told


def test_where_words_are_marked_only_those_are_placed_and_the_sentence_counts(
    words: Collection, tmp_path: Path
) -> None:
    found = read_newcomers(words, [text(tmp_path, "The old [ship] sailed [away].")])
    assert found.names == ("The old [ship] sailed away .", "The old ship sailed [away] .")
    assert found.data()["words"].iloc[0] == ["The", "old", "ship", "sailed", "away", "."]


def test_a_treebank_gives_words_to_words_and_phrases_to_phrases(
    words: Collection, phrases: Collection, tmp_path: Path
) -> None:
    file = treebank(tmp_path / "new.conllu")
    assert read_newcomers(words, [file]).n_items == 7
    found = read_newcomers(phrases, [file])
    assert found.names == ("[the ship] sailed", "[a small ship] left")
    marked = read_newcomers(phrases, [text(tmp_path, "[The last ship] left")])
    assert marked.data()[["start", "end"]].to_numpy().tolist() == [[0, 3]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("[old ship] left", "“old ship” is a phrase"),
        ("the [ship", "is not closed"),
        ("the ship]", "do not close around words"),
        ("[] ship", "do not close around words"),
        ("one word " * 11, "22 words are in what you gave"),
    ],
)
def test_what_cannot_be_placed_among_words_is_told(
    words: Collection, tmp_path: Path, content: str, said: str
) -> None:
    with pytest.raises(StudioError, match=said) as refusal:
        read_newcomers(words, [text(tmp_path, content)])
    assert refusal.value.mend.endswith((".", "counts."))


def test_phrases_must_be_marked_and_other_files_are_refused(phrases: Collection, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="does not say which") as refusal:
        read_newcomers(phrases, [text(tmp_path, "the last ship left")])
    assert "square brackets" in refusal.value.mend
    with pytest.raises(StudioError, match="holds no sentences"):
        read_newcomers(phrases, [text(tmp_path, "a,b", "t.csv")])
