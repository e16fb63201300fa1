"""Labels given by hand: which items are worth one most, what they tell of the others, and how surely.

Which items: `Survey` (made once for some features and a budget) and its `next_items`, or `label_next` in one
call; where a run of USL-T learned it, `surest_items`. What they tell: `guesses`. How far: `held_back` labels,
which nothing is learned from, and `wilson`.
"""

from clustering.labelling.guessing import WAYS, Guess, guesses
from clustering.labelling.held_back import held_back, wilson
from clustering.labelling.surest import surest_items
from clustering.labelling.surveying import Pick, Survey, label_next, survey
from clustering.labelling.tables import label_column, read_labels

__all__ = [
    "WAYS",
    "Guess",
    "Pick",
    "Survey",
    "guesses",
    "held_back",
    "label_column",
    "label_next",
    "read_labels",
    "surest_items",
    "survey",
    "wilson",
]
