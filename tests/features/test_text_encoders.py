"""Encoders of texts and words: counts against plain loops, models from disk, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustering.errors import StudioError
from clustering.features import encode, encoder, language_models
from clustering.features.catalogue import default_encoder
from clustering.features.counted_words import CountedWords, _beside, _counted, _information, _of_one_length

SENTENCES = [["the", "ship", "sailed"], ["a", "ship", "left"], ["the", "unforgettable", "sea"]]


class Held:
    """A collection held in memory."""

    name, content_hash = "held", "held"

    def __init__(self, kind, data):
        self.kind, self._data, self.n_items = kind, data, len(data)

    def data(self):
        return self._data


@pytest.fixture
def texts():
    sea = [f"ship and sea number{i} wave ship" for i in range(12)]
    return Held(
        "text", pd.DataFrame({"text": [*sea, *[f"cow and field number{i} plough" for i in range(12)]]})
    )


@pytest.fixture
def words():
    rows = [(s, at, at + 1, found) for s, found in enumerate(SENTENCES) for at in range(len(found))]
    return Held("tokens", pd.DataFrame(rows, columns=["sentence", "start", "end", "words"]))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A tiny BERT with random weights and a vocabulary of its own, saved as the hub saves them."""
    transformers = pytest.importorskip("transformers")
    import torch

    folder = tmp_path_factory.mktemp("bert")
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "the",
        "ship",
        "sailed",
        "a",
        "left",
        "sea",
        "un",
        "##forgettable",
    ]
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = transformers.BertConfig(
            vocab_size=len(pieces), hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=16, max_position_embeddings=16,
        )  # fmt: skip
        transformers.BertModel(config).save_pretrained(folder)
    return folder


def test_texts_are_read_by_the_sentence_model_that_came_along_else_their_words_are_counted(
    monkeypatch, tmp_path
):
    monkeypatch.setitem(language_models.CARRIED, "all-MiniLM-L6-v2", ("no_such_package", "model"))
    assert default_encoder("text") == "tfidf"
    (tmp_path / "carries_a_model").mkdir()
    (tmp_path / "carries_a_model" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(language_models.CARRIED, "all-MiniLM-L6-v2", ("carries_a_model", "model"))
    assert default_encoder("text") == "sentence-model"
    assert default_encoder("tokens") == "word-contexts"


def test_directions_keep_texts_of_one_topic_together_at_size_one(texts):
    found = encode(texts, dimensions=2).values
    assert found.shape == (24, 2)
    np.testing.assert_allclose((found**2).mean(axis=1), 1, rtol=1e-5)
    near = found @ found.T / 2
    assert near[:12, :12].min() > near[:12, 12:].max()


def test_weighted_words_agree_with_a_plain_loop(texts):
    found = encode(texts, dimensions=None).values
    held = [text.split() for text in texts.data()["text"]]
    vocabulary = sorted({w for ws in held for w in ws if sum(w in other for other in held) >= 2})
    rare = {w: np.log(25 / (1 + sum(w in other for other in held))) + 1 for w in vocabulary}
    rows = [[(1 + np.log(ws.count(w))) * rare[w] if w in ws else 0 for w in vocabulary] for ws in held]
    expected = np.array([np.array(row) / np.linalg.norm(row) for row in rows]) * np.sqrt(len(vocabulary))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_new_texts_are_weighed_as_the_old_ones_were(texts):
    made = encoder("tfidf")(dimensions=2)
    rows = made.prepared(texts, 2)(Held("text", texts.data().iloc[3:5]))
    np.testing.assert_allclose(rows, made.encode(texts)[3:5], atol=1e-5)
    assert not made.prepared(texts, 2)(Held("text", pd.DataFrame({"text": ["…"]}))).any()


def test_texts_without_a_shared_word_are_refused():
    lone = Held("text", pd.DataFrame({"text": [f"word{i}" for i in range(30)]}))
    with pytest.raises(StudioError, match="No word stands in 2 texts or more"):
        encode(lone)


def test_mutual_information_of_neighbours_agrees_with_a_plain_loop():
    types = {word: at for at, word in enumerate(["", *dict.fromkeys(w for s in SENTENCES for w in s)])}
    counts = _beside(SENTENCES, types, {word: at for at, word in enumerate([*list(types)[1:], "", "\0"])})
    found = _information(counts, counts.sum(axis=0)).toarray()
    pairs = []
    for words in SENTENCES:
        padded = ["", *words, ""]
        for at in range(1, len(padded) - 1):
            pairs += [(padded[at], "left", padded[at - 1]), (padded[at], "right", padded[at + 1])]
    of_word, of_context = (
        pd.Series([p[0] for p in pairs]).value_counts(),
        pd.Series([p[1:] for p in pairs]).value_counts(),
    )
    joint = pd.Series(pairs).value_counts()
    expected = {
        pair: max(0, np.log(n * len(pairs) / (of_word[pair[0]] * of_context[pair[1:]])))
        for pair, n in joint.items()
    }
    assert sorted(found[found > 0].round(9)) == sorted(np.round([v for v in expected.values() if v > 0], 9))


def test_neighbours_count_when_they_are_seen_often_or_when_few_are():
    often = [["the", "ship"]] * 5 + [["a", "sea"]]
    assert _counted(often, 1, 100) == ["the", "ship"]
    assert _counted(often, 3, 100) == ["the", "ship", "a"]
    assert _counted(often, 1, 1) == ["the"]


def test_how_frequent_a_word_is_does_not_stretch_its_vector():
    rows = _of_one_length(np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.6, 0.8], [0, 0]])


def test_a_word_is_four_standardised_blocks(words):
    found = encode(words, dimensions=2).values
    assert found.shape == (9, 8)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_array_equal(found[1, :2], found[4, :2])  # both are “ship”
    assert not np.array_equal(found[1, 2:4], found[4, 2:4])  # with other words on the left


def test_new_words_are_told_by_the_counts_of_the_collection(words):
    made = encoder("word-contexts")(dimensions=2)
    rows = made.prepared(words, 8)(Held("tokens", words.data().iloc[3:6]))
    np.testing.assert_allclose(rows, made.encode(words)[3:6], atol=1e-6)


def test_a_word_nobody_counted_lies_where_one_between_the_same_words_lies(words):
    """“boat” in the place of “ship”, which stands once between “the” and “sailed” in these sentences."""
    once = [["the", "ship", "sailed"], ["a", "sea", "left"], ["the", "wave", "sailed"]]
    counts = CountedWords(once, 2, 100)

    def of(word: str) -> np.ndarray:
        data = pd.DataFrame({"sentence": [0], "start": [1], "end": [2], "words": [["the", word, "sailed"]]})
        return counts.blocks(data)[0]

    # the length apart, as all are brought to one: the SVD's own rows differ from those folded in by rounding
    np.testing.assert_allclose(of("boat")[:6], of("ship")[:6], atol=1e-6)
    assert not np.allclose(of("boat")[6:], of("ship")[6:])  # it ends otherwise
    assert np.isfinite(of("ζ")).all()


def test_a_new_sentence_is_read_by_the_same_layer(words, model):
    made = encoder("hidden-states")(model=str(model), layer=1, device="cpu")
    one = words.data().iloc[[4, 6, 7]]
    np.testing.assert_allclose(
        made.prepared(words, 8)(Held("tokens", one)), made.encode(words)[[4, 6, 7]], atol=1e-5
    )
    with pytest.raises(StudioError, match="now gives 8 features"):
        made.prepared(words, 9)
    phrase = pd.concat([words.data(), words.data().iloc[[0]].assign(end=2)])
    assert made.prepared(Held("tokens", phrase), 16)(Held("tokens", one)).shape == (3, 16)


def test_states_of_a_saved_model_are_means_over_pieces_layer_by_layer(words, model):
    from transformers import AutoModel, AutoTokenizer

    found = encode(words, "hidden-states", model=str(model), layer=1, device="cpu").values
    tokenizer, network = AutoTokenizer.from_pretrained(model), AutoModel.from_pretrained(model).eval()
    given = tokenizer("the unforgettable sea", return_tensors="pt")
    states = network(**given, output_hidden_states=True).hidden_states[1][0].detach().numpy()
    expected = [states[1], states[2:4].mean(axis=0), states[4]]
    np.testing.assert_allclose(found[6:], expected, atol=1e-5)
    other = encode(words, "hidden-states", model=str(model), layer=2, device="cpu").values
    assert not np.allclose(found, other)


def test_a_phrase_is_its_two_end_points(words, model):
    whole = encode(words, "hidden-states", model=str(model), layer=2, device="cpu").values
    rows = pd.DataFrame(
        [(2, 0, 3, SENTENCES[2]), (0, 1, 2, SENTENCES[0])], columns=["sentence", "start", "end", "words"]
    )
    found = encode(Held("tokens", rows), "hidden-states", model=str(model), layer=2, device="cpu").values
    assert found.shape == (2, 16)
    np.testing.assert_allclose(found[0], np.concatenate([whole[6], whole[8]]), atol=1e-5)


def test_a_sentence_longer_than_the_model_reads_is_read_in_parts_and_said(model):
    long = ["ship"] * 40
    rows = [(0, at, at + 1, long) for at in range(40)]
    held = Held("tokens", pd.DataFrame(rows, columns=["sentence", "start", "end", "words"]))
    found = encode(held, "hidden-states", model=str(model), layer=2, device="cpu")
    assert np.isfinite(found.values).all() and (found.values != 0).any(axis=1).all()
    assert "1 sentences were too long" in found.about["description"]


def test_a_layer_that_is_not_there_and_a_model_that_is_not_there_are_refused(words, model, tmp_path):
    with pytest.raises(StudioError, match="has 2 layers; there is no layer 7"):
        encode(words, "hidden-states", model=str(model), layer=7, device="cpu")
    with pytest.raises(StudioError, match="cannot be read") as refusal:
        encode(words, "hidden-states", model=str(tmp_path), device="cpu")
    assert "folder" in refusal.value.mend


def test_a_saved_sentence_model_reads_texts_and_says_which_are_too_long(model, tmp_path):
    library = pytest.importorskip("sentence_transformers")
    from sentence_transformers.models import Pooling, Transformer

    inner = Transformer(str(model), max_seq_length=16)
    library.SentenceTransformer(modules=[inner, Pooling(8)], device="cpu").save(str(tmp_path / "sentences"))
    held = Held("text", pd.DataFrame({"text": ["the ship sailed", "a ship left", "ship " * 50]}))
    made = encoder("sentence-model")(model=str(tmp_path / "sentences"), device="cpu")
    found = made.encode(held)
    assert found.shape == (3, 8)
    np.testing.assert_allclose((found**2).mean(axis=1), 1, rtol=1e-4)
    assert "1 of 3 texts are longer than the 16 word pieces" in made.describe()
    again = made.prepared(held, 8)(Held("text", held.data().iloc[:1]))
    np.testing.assert_allclose(again, found[:1], atol=1e-5)


def test_without_the_library_the_mend_says_what_to_install(words, monkeypatch):
    from clustering.features import language_models

    monkeypatch.setattr(language_models.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StudioError, match="not installed") as refusal:
        encode(words, "hidden-states", device="cpu")
    assert "[text]" in refusal.value.mend
