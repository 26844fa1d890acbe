"""The names of LIT's fields and what may stand in them: the one place that reads an example which came over the border."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from lit_probe.data import text_pairs
from lit_probe.data.labelled_texts import SPLIT_NAMES, SplitName, clean_text
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.messages import without_html

# Fields of the data set.
TEXT = "text"
LABEL = "label"
SPLIT = "probe_split"
IN_TRAIN = "in_train"
TRUNCATED = "truncated"
UNKNOWN = "unknown_tokens"

# What stands in the field SPLIT of an example of somebody else's data set that is in none.
NOT_IN_DATA = "not in the probes’ data"

# What stands in the field IN_TRAIN, beside the data sets that trained on the row's text.
NOT_IN_TRAIN = "not in train"
COPY_IN_TRAIN = "near copy in train"
# Where near copies were not known yet when the page was opened.
NO_EXACT_COPY = "no exact copy in train"
TRAINED_ON = "in train"

# Fields of a data set whose rows are words: the words of a sentence, and their tags.
WORDS = "words"
TAGS = "tags"
# What stands in place of the tag of a word that has none, or was not read.
NO_TAG = "_"

# Fields that a model predicts.
TOKENS = "tokens"
PROBE = "probe"
HEAD = "model"
COLOR_BY = "probe_color_by"
CHOSEN = "chosen_layer"
# Of words: which words a text has, and the tag that each gets.
READ_WORDS = "read_words"
PREDICTED_TAGS = "predicted_tags"

# What a generator notes in the ``_meta`` of an edit: the rule that made it, and what it does to the label.
RULE = "rule"
EXPECTATION = "expectation"


# What tells two runs of one encoder apart; see `probing.runs`.
_RUN = re.compile(r" \([A-Za-z0-9_. -]+\)$")


def layer_field(layer: int) -> str:
    """Name of the field that holds a layer's pooled vector.

    >>> layer_field(4)
    'layer_04'
    """
    return f"layer_{layer:02d}"


def site_field(name: str) -> str:
    """Name of the field that holds the pooled vector of a place that is no layer.

    >>> site_field("head 4.7"), site_field("module encoder.layer.3.output.dense:input")
    ('at_head_4.7', 'at_module_encoder.layer.3.output.dense_input')
    """
    return "at_" + re.sub(r"[^A-Za-z0-9._]+", "_", name).strip("_")


def layer_probe_field(vector_field: str) -> str:
    """Name of the field that holds a layer's probe prediction, by that of its vector.

    >>> layer_probe_field("layer_04")
    'probe_layer_04'
    """
    return f"probe_{vector_field}"


def safe_name(name: str) -> str:
    """A model's or data set's name in characters that survive LIT's URLs, column names and metric lists.

    >>> safe_name("my reviews: v2/final")
    'my-reviews-v2-final'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-") or "unnamed"


def model_name(encoder: str, dataset: str) -> str:
    """LIT's name for an encoder with the probes trained on one data set.

    >>> model_name("all-MiniLM-L6-v2", "sst2"), model_name("all-MiniLM-L6-v2 (cls)", "sst2")
    ('all-MiniLM-L6-v2-on-sst2', 'all-MiniLM-L6-v2 (cls)-on-sst2')
    """
    found = _RUN.search(encoder)
    run = found[0] if found else ""
    return f"{safe_name(encoder.removesuffix(run))}{run}-on-{safe_name(dataset)}"


def column_field(column: str, taken: Collection[str]) -> str:
    """Name of the field that shows a source's own column, unlike every name in ``taken``.

    Colons and commas would break LIT's column names and metric lists, a leading underscore its own ``_id`` and ``_meta``.

    >>> column_field("film title", ())
    'film_title'
    >>> column_field("label", ("text", "label"))
    'label_2'
    """
    name = re.sub(r"[^\w.-]+", "_", column).strip("_") or "column"
    number, unique = 2, name
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    return unique


def shown_labels(names: Iterable[str]) -> tuple[str, ...]:
    """Names of classes as LIT shows them. LIT puts them into tooltips as HTML, so they have other brackets.

    >>> shown_labels(["good", "<img src=x>"])
    ('good', '‹img src=x›')
    """
    shown: list[str] = []
    for name in map(without_html, names):
        number, unique = 2, name
        while unique in shown:
            unique, number = f"{name} ({number})", number + 1
        shown.append(unique)
    return tuple(shown)


def is_edited(example: Mapping[str, Any]) -> bool:
    """Whether somebody made the example in LIT, by hand or with a generator. Such examples are shown and never scored.

    LIT's editor copies every field of the original, its ``probe_split`` too, so only the mark that LIT itself sets tells.

    >>> is_edited({"text": "Fine.", "probe_split": "dev", "_meta": {"added": True}})
    True
    >>> is_edited({"text": "Fine.", "probe_split": "dev", "_meta": {"added": None}})
    False
    """
    meta = example.get("_meta")
    return isinstance(meta, Mapping) and bool(meta.get("added"))


def with_text(example: Mapping[str, Any], text_fields: Sequence[str]) -> Mapping[str, Any]:
    """The example with all that it says in the field `TEXT`: it may stand in two fields, which make a pair.

    Args:
      example: as LIT sends it.
      text_fields: the fields that hold its text: `TEXT` alone, or the two of a pair.

    Raises:
      LitProbeError: one of two fields is missing, or holds no string.

    >>> text_of(with_text({"premise": "He sleeps.", "hypothesis": "He dreams."}, ["premise", "hypothesis"]))
    'He sleeps.\\x1fHe dreams.'
    """
    if tuple(text_fields) == (TEXT,):
        text = example.get(TEXT)
        # A sign in somebody's text that would make a pair of it.
        return {**example, TEXT: text_pairs.without_seam(text)} if isinstance(text, str) and text_pairs.is_pair(text) else example
    first, second = (_string_in(example, name) for name in text_fields)
    return {**example, TEXT: text_pairs.joined(first, second)}


def in_fields(text: str, text_fields: Sequence[str]) -> dict[str, str]:
    """What stands in the fields of a data set for this text: the way back from `with_text`.

    >>> in_fields("He sleeps.\x1fHe dreams.", ["premise", "hypothesis"]), in_fields("He sleeps.", ["text"])
    ({'premise': 'He sleeps.', 'hypothesis': 'He dreams.'}, {'text': 'He sleeps.'})
    """
    parts = text_pairs.segments(text) if len(text_fields) > 1 else [text]
    return dict(zip_longest(text_fields, parts, fillvalue=""))


def text_of(example: Mapping[str, Any]) -> str:
    """The example's text, ready for a tokenizer.

    Raises:
      LitProbeError: there is no text, or it is no string.
    """
    return clean_text(_string_in(example, TEXT))


def _string_in(example: Mapping[str, Any], name: str) -> str:
    text = example.get(name)
    if not isinstance(text, str):
        found = "is missing" if text is None else f"holds {type(text).__name__}"
        raise LitProbeError(f"Every example needs a string in its field '{name}'; in one of them it {found}.")
    return text


def label_of(example: Mapping[str, Any], label_names: Collection[str]) -> str | None:
    """The example's label, or None when it has none that the probes know."""
    label = example.get(LABEL)
    return label if isinstance(label, str) and label in label_names else None


def split_of(example: Mapping[str, Any]) -> SplitName | None:
    """The split that the example belongs to, or None when it names none."""
    split = example.get(SPLIT)
    return next((name for name in SPLIT_NAMES if name == split), None)
