"""What can be chosen when texts, or words in sentences, are read."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Interval

from clustering.parameters import Meaning


class TextOptions:
    """How a table or a folder becomes texts.

    Parameters
    ----------
    text_column : str, optional
        By default the one called text, document, …, else the one with the longest words.
    longest : int
        Words of a text that are kept.
    """

    def __init__(
        self,
        text_column: Annotated[
            str | None,
            Meaning("Of a table: the column with the texts; empty: found by its name, or the longest."),
        ] = None,
        longest: Annotated[
            int,
            Interval(ge=10, le=1_000_000),
            Meaning(
                "Words of a text that are kept; longer ones are cut, and the check says which.", advanced=True
            ),
        ] = 20_000,
    ) -> None:
        self.text_column = text_column
        self.longest = longest


class TokenOptions:
    """How sentences become items.

    Parameters
    ----------
    spans : {"words", "phrases"}
        Of CoNLL-U: every word, or every phrase that a word and all that hangs on it make.
    punctuation : {"keep", "leave out"}
        Of CoNLL-U: as items; the sentences keep it.
    positions : {"words", "characters"}
        What ``start`` and ``end`` of a table count.
    sentence_column, start_column, end_column : str, optional
    """

    def __init__(
        self,
        spans: Annotated[
            Literal["words", "phrases"],
            Meaning(
                "Of a treebank (CoNLL-U): every word is an item, or every phrase of two words or more: a "
                "word "
                "with all that hangs on it."
            ),
        ] = "words",
        punctuation: Annotated[
            Literal["keep", "leave out"],
            Meaning(
                "Of a treebank: whether commas and points are items. They are easily set apart, which makes "
                "every score look better."
            ),
        ] = "keep",
        positions: Annotated[
            Literal["words", "characters"],
            Meaning(
                "Of a table: what start and end count from 0, words between spaces or characters; the end is "
                "the first that no longer belongs.",
                advanced=True,
            ),
        ] = "words",
        sentence_column: Annotated[
            str | None,
            Meaning("Of a table: the column with the sentences; empty: “sentence” or “text”.", advanced=True),
        ] = None,
        start_column: Annotated[
            str | None, Meaning("Of a table: where the word or phrase begins; empty: “start”.", advanced=True)
        ] = None,
        end_column: Annotated[
            str | None, Meaning("Of a table: where it ends; empty: “end”.", advanced=True)
        ] = None,
    ) -> None:
        self.spans = spans
        self.punctuation = punctuation
        self.positions = positions
        self.sentence_column = sentence_column
        self.start_column = start_column
        self.end_column = end_column
