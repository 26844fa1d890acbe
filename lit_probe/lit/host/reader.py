"""Reads the examples of somebody else's LIT data set: which field is the text, the label, the group, the split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from lit_nlp.api import types

from lit_probe.data import split_table, text_pairs
from lit_probe.data.asked import CLASSES
from lit_probe.data.labelled_texts import Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import rows_of, together, word_of
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields

_TEXT, _SECOND, _LABEL, _GROUP, _SPLIT = "text", "second text", "label", "group", "split"


@dataclass(frozen=True)
class FieldNames:
    """Which fields to take. Without a name a field is found by its type, which does where there is one of that type only.

    Attributes:
      text: the name of a field of type ``TextSegment``, or several: two make a pair for an encoder of ours, and else they are
        read one after another.
      label: the name of a field of type ``CategoryLabel``.
      group: the name of the field that says what must not be split across train and test (an author, a film, a pair).
      split: the name of the field that says train, dev (or validation) or test; by default one that is called ``split`` or
        ``probe_split``.
      embeddings: the names of a model's fields of type ``Embeddings``, in the order of its layers.
    """

    text: str | Sequence[str] | None = None
    label: str | None = None
    group: str | None = None
    split: str | None = None
    embeddings: Sequence[str] | None = None


@dataclass(frozen=True)
class Reader:
    """The fields of one data set.

    Attributes:
      dataset: what the data set is called.
      texts: names of the fields that say what an example is, read one after another; none where all hold pictures or arrays,
        whose examples go by their ids.
      label: the name of the field of the label.
      group: the name of the field of the group, or None.
      split: the name of the field of the split, or None.
      read: names of all fields that the model reads, by which examples that say the same are told apart.
      columns: names of the other fields of few values, by which the page groups examples.
      as_pair: whether the two texts are read as a pair, see `text_pairs`, and not one after another.
    """

    dataset: str
    texts: tuple[str, ...]
    label: str
    group: str | None
    split: str | None
    read: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    as_pair: bool = False

    @classmethod
    def of(cls, dataset: str, spec: types.Spec, wanted: FieldNames, inputs: types.Spec | None = None) -> Reader:
        """The reader of a data set's examples.

        Args:
          dataset: what the data set is called.
          spec: the fields of the data set.
          wanted: which of them to take.
          inputs: the fields that the model reads, by which texts are told from remarks; None where it reads them all.

        Raises:
          LitProbeError: a field is not there, or it is not clear which is meant.
        """
        named = (wanted.text,) if isinstance(wanted.text, str) else tuple(wanted.text or ())
        for name in (*named, *(one for one in (wanted.label, wanted.group, wanted.split) if one is not None)):
            if name not in spec:
                raise LitProbeError(f"The data set {dataset} has no field {name!r}. Its fields are: {', '.join(spec)}.")
        split = wanted.split or next((name for name in (_SPLIT, fields.SPLIT) if name in spec), None)
        label = wanted.label or _only_label(dataset, spec, {wanted.group, split})
        if not isinstance(spec[label], types.CategoryLabel):
            kind = type(spec[label]).__name__
            raise LitProbeError(
                f"The label {label!r} of {dataset} is a {kind}, and probes read a CategoryLabel. Name another field."
            )
        texts = named or _texts(dataset, spec, inputs, {label, wanted.group, split})
        read = texts if inputs is None else tuple(name for name in inputs if name in spec and name != label)
        taken = {label, split, *texts, _TEXT, _SECOND, _LABEL, _GROUP, _SPLIT}
        few = [name for name, kind in spec.items() if isinstance(kind, types.CategoryLabel | types.BooleanLitType)]
        columns = tuple(name for name in few if name not in taken)
        return cls(dataset, texts, label, wanted.group, split, read, columns)

    def text(self, example: Mapping[str, Any]) -> str:
        """What the example says, ready for a tokenizer; empty where it says nothing.

        Raises:
          LitProbeError: a field holds an array.
        """
        parts = [] if self.texts else [f"example {example.get('_id', '')}"]
        for name in self.texts:
            value = example.get(name)
            if isinstance(value, list | tuple):
                value = " ".join(map(str, value))
            if value is not None and not isinstance(value, str | int | float | np.generic):
                raise LitProbeError(
                    f"Every example of {self.dataset} needs words in its field {name!r}; in one it holds {type(value).__name__}."
                )
            parts.append("" if value is None else str(value))
        clean = rows_of(parts if self.as_pair else [" ".join(parts)], [0]).texts
        return text_pairs.joined(*clean) if self.as_pair else clean[0]

    def same_input(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Whether the model reads the same in both examples."""
        return all(np.array_equal(one.get(name), other.get(name)) for name in self.read)  # type: ignore[arg-type]

    def class_word(self, example: Mapping[str, Any]) -> str:
        """The example's label as a word, in one writing for one value; empty where there is none."""
        value = example.get(self.label)
        return "" if isinstance(value, list | tuple | dict | set | np.ndarray) else word_of(value)

    def splits(self, examples: Sequence[Mapping[str, Any]], seed: int, keys: Sequence[str] | None = None) -> Splits:
        """The examples divided into train, dev and test: as their own field says, else by text, by group and by seed.

        Args:
          examples: those of the data set.
          seed: decides which goes where.
          keys: ``[n_examples]`` texts by which rows are told apart; what they say when None. Examples that say the same stay in
            one split all the same.

        Raises:
          DatasetError: they cannot be divided or probed.
        """
        texts = [self.text(example) for example in examples]
        said: list[Any] = list(keys or texts)
        columns: dict[str, list[Any]] = {name: [example.get(name) for example in examples] for name in self.columns}
        columns[_LABEL] = [example.get(self.label) for example in examples]
        if self.as_pair:
            pairs = [text_pairs.segments(text) for text in said]
            columns[_TEXT], columns[_SECOND] = [first for first, _ in pairs], [second for _, second in pairs]
        else:
            columns[_TEXT] = said
        if self.group is not None:
            columns[_GROUP] = [example.get(self.group) for example in examples]
        if self.split is not None:
            columns[_SPLIT] = [example.get(self.split) for example in examples]
        if keys is not None and list(keys) != texts:
            columns[_GROUP] = together(texts, columns.get(_GROUP))
        grouped = _GROUP if _GROUP in columns else None
        options = DatasetOptions(
            max_examples=0,
            seed=seed,
            text_column=(_TEXT, _SECOND) if self.as_pair else _TEXT,
            label_column=_LABEL,
            group_column=grouped,
            target=CLASSES,
        )
        splits = split_table(columns, options, self.dataset)
        return splits.of_pairs((self.texts[0], self.texts[1])) if self.as_pair else splits


def _only_label(dataset: str, spec: types.Spec, others: set[str | None]) -> str:
    """The one field that can be the label; of several the one that is called so."""
    classes = [name for name, kind in spec.items() if isinstance(kind, types.CategoryLabel) and name not in others]
    if len(classes) == 1 or _LABEL in classes:
        return _LABEL if _LABEL in classes else classes[0]
    if classes:
        raise LitProbeError(
            f"The data set {dataset} has {len(classes)} fields of classes: {', '.join(classes)}. Say which one is the label: "
            f"label={classes[0]!r}."
        )
    numbers = [name for name, kind in spec.items() if isinstance(kind, types.Scalar | types.RegressionScore)]
    if numbers:
        raise LitProbeError(
            f"The data set {dataset} has no label of classes: {', '.join(numbers)} holds numbers. Divide them into a few "
            "classes, or ask for the number with Splits in place of a LIT data set."
        )
    raise LitProbeError(f"The data set {dataset} has no label: none of its fields is a CategoryLabel.")


def _texts(dataset: str, spec: types.Spec, inputs: types.Spec | None, others: set[str | None]) -> tuple[str, ...]:
    """What examples say: the texts, and whatever other words and numbers the model is known to read.

    Raises:
      LitProbeError: there are several texts, and no model that is known to read them, or none.
    """
    read = [name for name in spec if (inputs is None or name in inputs) and name not in others]
    texts = [name for name in read if isinstance(spec[name], types.TextSegment)]
    if inputs is not None:
        words = (types.StringLitType, types.Tokens, types.Scalar, types.Boolean)
        return (*texts, *(name for name in read if isinstance(spec[name], words) and name not in texts))
    if len(texts) == 1:
        return (texts[0],)
    if texts:
        raise LitProbeError(
            f"The data set {dataset} has {len(texts)} fields of text: {', '.join(texts)}. Say which one is read: "
            f"text={texts[0]!r}, or text={texts} for all of them, {'as a pair' if len(texts) == 2 else 'one after another'}."
        )
    raise LitProbeError(f"The data set {dataset} has no text: none of its fields is a TextSegment.")
