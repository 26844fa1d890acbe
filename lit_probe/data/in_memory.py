"""Texts that a Python program already holds."""

from __future__ import annotations

from collections.abc import Sequence

from lit_probe.data.asked import NUMBER
from lit_probe.data.labelled_texts import Splits
from lit_probe.data.numbers import numbers_of, target_of, told_as_number
from lit_probe.data.options import AUTO, DatasetOptions
from lit_probe.data.rows import (
    UNLABELLED,
    doubtful_names,
    group_words,
    label_names_of,
    label_words,
    one_writing,
    plain_words,
    rows_of,
    word_of,
)
from lit_probe.data.splitting import make_splits
from lit_probe.errors import DatasetError


def split_texts(
    texts: Sequence[str] | Sequence[tuple[str, str]],
    labels: Sequence[str | int] | Sequence[float],
    groups: Sequence[str | int] | None = None,
    *,
    label_names: Sequence[str] | None = None,
    name: str = "texts",
    seed: int = 0,
    max_examples: int = DatasetOptions.max_examples,
    target: str = AUTO,
) -> Splits:
    """Divides labelled texts 70/15/15 into train, dev and test, stratified by label; the same text never stands in two splits.

    Args:
      texts: ``[n_examples]`` strings, or pairs of strings, which the encoder reads as its tokenizer joins two texts.
      labels: ``[n_examples]`` words or numbers; None or -1 marks an unlabelled text, which is left out.
      groups: ``[n_examples]`` what must not be split across train and test (an author, a film, a pair), or None.
      label_names: the classes in the order wanted, where labels are these words or their numbers from 0; by default the
        distinct labels, sorted.
      name: what the data set is called in tables and in LIT.
      seed: decides which text goes to which split.
      max_examples: at most this many texts per split; 0 means all.
      target: ``"classes"``, or ``"number"``, among which -1 is one as any; ``"auto"`` takes labels as classes, unless all of them
        are numbers and there are fewer than three texts for each.

    Raises:
      DatasetError: the lengths differ, a label or a group is a list or an object, a label is none of ``label_names``, there is
        one class only, too few examples of one, or a word where a number is asked for.
      UnknownNameError: there is no such target.

    >>> splits = split_texts([f"text {i}" for i in range(20)], ["bad", "good"] * 10)
    >>> splits.label_names, len(splits.train) + len(splits.dev) + len(splits.test)
    (('bad', 'good'), 20)
    """
    for what, values in (("labels", labels), ("groups", groups)):
        if values is not None and len(values) != len(texts):
            raise DatasetError(f"There are {len(texts)} texts, but {len(values)} {what}. Give one for each text.")
    options = DatasetOptions(max_examples=max_examples, seed=seed, target=target)
    group_names = None if groups is None else group_words(groups, "groups")
    pair = ("first", "second") if len(texts) and not isinstance(texts[0], str) else None
    origin = {"kind": "texts in memory"}
    words = one_writing({"all": label_words({"label": list(labels)}, "label")})["all"]
    if label_names is None and target_of(target, words) == NUMBER:
        numbers = numbers_of({"train": plain_words(labels, "label")}, {"train": ()}, "label")["train"]
        rows = rows_of(texts, numbers, group_names)
        told = [told_as_number(words)] if target == AUTO else []
        return make_splits(name, {"train": rows}, (), options, {**origin, "target": NUMBER}, notes=told, pair=pair, target=NUMBER)
    names = label_names_of(words) if label_names is None else tuple(label_names)
    places = {str(number): number for number in range(len(names))} if label_names is not None else {}
    places |= {word_of(name): number for number, name in enumerate(names)}
    unknown = sorted({word for word in words if word is not None and word not in places})
    if unknown:
        raise DatasetError(
            f"The labels {', '.join(unknown)} are none of the label names {', '.join(names)}, nor their numbers from 0."
        )
    rows = rows_of(
        texts,
        [UNLABELLED if word is None else places[word] for word in words],
        group_names,
    )
    notes = doubtful_names(names)
    numbered = label_names is not None
    return make_splits(name, {"train": rows}, names, options, origin, notes=notes, numbered=numbered, pair=pair)
