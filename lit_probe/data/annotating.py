"""Texts without tags become words with yes or no, by a rule (after ``annotate_data`` of NeuroX, https://arxiv.org/abs/2305.17073)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lit_probe.data.asked import TEXT, WORD
from lit_probe.data.labelled_texts import LabelledTexts, Splits, clean_text
from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import WORD_COLUMN
from lit_probe.data.tagged import TaggedText, joined_words, split_tagged, written
from lit_probe.data.word_rules import AnyRule, rule_of, words_in
from lit_probe.errors import DatasetError

_SENTENCE = "sentence"


def annotate(
    data: Splits | Sequence[str] | Sequence[Sequence[str]],
    rule: AnyRule,
    *,
    balanced: bool = False,
    name: str | None = None,
    seed: int = 0,
    max_words: int = DatasetOptions.max_words,
) -> Splits:
    """Asks of each word whether a rule holds of it.

    Args:
      data: ``[n_texts]`` texts, whose words stand between white space, with the signs at their ends by themselves; or sentences
        as lists of words; or a data set, whose division into train, dev and test is kept. Of a data set of words these are the
        words with a tag.
      rule: what `rule_of` takes: ``"regex:^[A-Z]"``, ``"words:FILE"``, a compiled pattern, words, or a function from a word to
        yes or no.
      balanced: whether so many words of the more frequent label are left out, by lot, that both are equally frequent. The encoder
        reads them all the same.
      name: what the result is called; by default after the data set and the rule.
      seed: decides which text goes to which split, and which words are left out.
      max_words: at most this many words of train, by whole texts; 0 means all.

    Returns:
      A data set of words with the labels ``no`` and ``yes``.

    Raises:
      DatasetError: the rule holds of no word or of every word, is no rule, or the texts are pairs.

    >>> splits = annotate([f"Ann saw {i} films." for i in range(40)], "regex:^[A-Z]")
    >>> splits.label_names, len(splits.train) + len(splits.dev) + len(splits.test)
    (('no', 'yes'), 200)
    """
    made = rule_of(rule, balanced)
    origin: dict[str, Any] = {"kind": "texts in memory"}
    group_word: str | None = None
    if isinstance(data, Splits):
        if data.pair is not None:
            raise DatasetError(f"The texts of {data.name} are pairs, whose words are not annotated. Give single texts.")
        parts = {split: _of_rows(rows) for split, rows in data.items()}
        origin = dict(data.provenance.get("origin", origin))
        if data.unit == TEXT:
            # What loads the same texts again.
            origin |= {name: data.provenance[name] for name in ("max_examples",) if name in data.provenance}
            origin |= {} if "text_column" in origin else {"of": data.name}
        groups = data.provenance.get("groups")
        group_word = None if data.train.groups is None or groups == _SENTENCE else groups or "group"
        called = f"{data.name}-{made.as_name}"
    else:
        if isinstance(data, str) or not all(isinstance(one, str | list | tuple) for one in data):
            raise DatasetError("annotate takes a list of texts, a list of lists of words, or a data set.")
        parts = {"train": [_of_text(one) if isinstance(one, str) else _of_list(one) for one in data]}
        called = f"texts-{made.as_name}"
    options = DatasetOptions(seed=seed, max_words=max_words)
    return split_tagged(name or called, parts, options, origin, group_word=group_word, rule=made)


def annotated(splits: Splits, options: DatasetOptions) -> Splits:
    """A data set of texts with the option ``annotate`` in place of its labels; any other data set as it is.

    Raises:
      DatasetError: as `annotate`.
    """
    if options.annotate is None or splits.unit == WORD:
        return splits
    return annotate(splits, options.annotate, seed=options.seed, max_words=options.max_words)


def _of_text(text: str, document: str | None = None) -> TaggedText:
    # As the loaders read texts, so that places are those of what the encoder gets.
    clean = clean_text(text)
    spans = words_in(clean)
    return TaggedText(clean, tuple(spans), tuple(clean[start:end] for start, end in spans), (None,) * len(spans), document)


def _of_list(words: Sequence[str]) -> TaggedText:
    whole = [word for word in map(written, words) if word]
    return joined_words(whole, [None] * len(whole))


def _of_rows(rows: LabelledTexts) -> list[TaggedText]:
    """The texts of a split, each once, with their words."""
    found: dict[str, list[int]] = {}
    for row, text in enumerate(rows.texts):
        found.setdefault(text, []).append(row)
    groups = [None] * len(rows) if rows.groups is None else [str(group) for group in rows.groups]
    if rows.spans is None:
        return [_of_text(text, groups[own[0]]) for text, own in found.items()]
    forms = rows.columns.get(WORD_COLUMN, np.array(rows.words))
    return [
        TaggedText(
            text,
            tuple((start, end) for start, end in rows.spans[own].tolist()),
            tuple(str(forms[row]) for row in own),
            (None,) * len(own),
            groups[own[0]],
        )
        for text, own in found.items()
    ]
