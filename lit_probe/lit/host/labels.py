"""The label of an example in LIT, a class or a number: the one place of the border that tells the two apart."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from lit_nlp.api import types
from numpy.typing import NDArray

from lit_probe.data.asked import NUMBER
from lit_probe.data.labelled_texts import Splits
from lit_probe.lit.host import fields

# What stands in the field of the label: the name of a class, or a number.
Value = str | float

# The number that a slider of LIT's editor moves by is so small a part of the whole range.
_STEPS = 100


# Up to here the whole part of a number is written out.
_WHOLE = 1e7
_SIGNIFICANT, _MOST_DIGITS = 3, 15


def among_numbers(value: float, *others: float) -> str:
    """A number beside others, as ``amongNumbers`` of the page writes it: told apart, and its whole part never rounded.

    Three significant digits, and as many more as that takes.

    >>> among_numbers(2001.9677, 1999), among_numbers(1999, 2001.9677), among_numbers(1996.38)
    ('2001.97', '1999', '1996')
    >>> among_numbers(1.0000000123, 1.0000000095), among_numbers(-0.00012345), among_numbers(0, 1)
    ('1.0000000123', '-0.000123', '0')
    """
    numbers = (value, *others)
    largest, spread = max(map(abs, numbers)), max(numbers) - min(numbers)
    decimals = [_SIGNIFICANT - 1 - math.floor(math.log10(size)) for size in (largest, spread) if size > 0]
    if largest < _WHOLE:
        decimals.append(0)
    digits = max(decimals) + math.floor(math.log10(abs(value))) + 1 if value else 0
    return f"{value:.{min(digits, _MOST_DIGITS)}g}" if digits > 0 else "0"


class Labels(ABC):
    """How labels stand in LIT's fields.

    Attributes:
      names: ``[n_classes]`` the classes as LIT shows them; empty of a number.
    """

    names: tuple[str, ...]

    @abstractmethod
    def type(self, *, required: bool = True) -> types.LitType:
        """The type of the field: equal for a data set and the models trained on it."""

    @abstractmethod
    def shown(self, label: Any) -> Value:
        """What stands in the field for a label of the data set."""

    @abstractmethod
    def read(self, example: Mapping[str, Any]) -> Value | None:
        """What the example's field says, or None where that is nothing that the probes know."""

    @abstractmethod
    def values(self, said: Sequence[Value]) -> NDArray[Any]:
        """``[n]`` the labels as scores take them: int64 indices of classes, float64 numbers."""

    @abstractmethod
    def of_others(self, others: Labels, labels: NDArray[Any]) -> NDArray[Any]:
        """``[n]`` the labels of another data set that the probes can be shown on, as this one's."""

    @abstractmethod
    def predicted(self, predictions: NDArray[np.float64]) -> Any:
        """What stands in a field of predictions, of those of one row and layer, ``[n_classes]`` or ``[1]``."""


@dataclass(frozen=True)
class ClassLabels(Labels):
    """Labels that are classes, by their names as LIT shows them."""

    names: tuple[str, ...]

    def type(self, *, required: bool = True) -> types.LitType:
        """One of the names."""
        return types.CategoryLabel(vocab=list(self.names), required=required)

    def shown(self, label: Any) -> str:
        """The name of the class of this index."""
        return self.names[label]

    def read(self, example: Mapping[str, Any]) -> str | None:
        """The name, where it is one of a class."""
        return fields.label_of(example, self.names)

    def values(self, said: Sequence[Value]) -> NDArray[np.int64]:
        """The indices of the classes."""
        index = {name: i for i, name in enumerate(self.names)}
        return np.array([index[str(name)] for name in said], dtype=np.int64)

    def of_others(self, others: Labels, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of each class its place among those of the probes."""
        return self.values(others.names)[labels]

    def predicted(self, predictions: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probabilities."""
        return predictions


@dataclass(frozen=True)
class NumberLabels(Labels):
    """A label that is a number.

    Attributes:
      low: the smallest of the data set.
      high: the largest.
    """

    low: float
    high: float
    names: tuple[str, ...] = ()

    def type(self, *, required: bool = True) -> types.LitType:
        """A number. The range is that of the data set; LIT's editor takes no number outside it."""
        step = (self.high - self.low) / _STEPS
        return types.Scalar(min_val=self.low, max_val=self.high, default=self.low, step=step, required=required)

    def shown(self, label: Any) -> float:
        """The number."""
        return float(label)

    def read(self, example: Mapping[str, Any]) -> float | None:
        """The number, where it is a finite one.

        >>> NumberLabels(0, 1).read({"label": 3}), NumberLabels(0, 1).read({"label": "3"}), NumberLabels(0, 1).read({})
        (3.0, None, None)
        """
        said = example.get(fields.LABEL)
        if not isinstance(said, int | float) or isinstance(said, bool) or abs(said) > sys.float_info.max:
            return None
        return float(said) if math.isfinite(said) else None

    def values(self, said: Sequence[Value]) -> NDArray[np.float64]:
        """The numbers."""
        return np.array(said, dtype=np.float64)

    def of_others(self, others: Labels, labels: NDArray[np.float64]) -> NDArray[np.float64]:
        """The numbers as they are."""
        return labels

    def predicted(self, predictions: NDArray[np.float64]) -> float:
        """The number."""
        return float(predictions[0])


def asks_the_same(one: Splits, other: Splits) -> bool:
    """Whether probes trained on the one can be shown on the other: rows of one kind, with the same classes.

    Numbers have no names: they are the same question where they are the same data set.
    """
    if one.target == NUMBER or other.target == NUMBER:
        rows = [splits.provenance.get("sha256") for splits in (one, other)]
        return one is other or (one.name == other.name and None not in rows and rows[0] == rows[1])
    return one.unit == other.unit and one.label_names == other.label_names


def labels_of(splits: Splits) -> Labels:
    """How the labels of a data set of texts stand in LIT's fields.

    Args:
      splits: the data set.
    """
    if splits.target != NUMBER:
        return ClassLabels(fields.shown_labels(splits.label_names))
    numbers = np.concatenate([rows.labels for _, rows in splits.items()])
    return NumberLabels(float(numbers.min()), float(numbers.max()))
