"""How a probe is fitted, where that is not the usual way: the options of its kind, read from words and told in words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from lit_probe.errors import ProbeError, UnservedError
from lit_probe.results import Result

BALANCED = "balanced"
# How the usual way is called where it has a name; the option is then None.
CROSS_VALIDATED = "cv"
UNWEIGHTED = "none"
MOST_HIDDEN_LAYERS = 8
MOST_HIDDEN_UNITS = 65_536


@dataclass(frozen=True)
class ProbeOptions(Result):
    """How a probe is fitted. None everywhere is the usual way of its kind; a kind takes only some of these (`ProbeKind`).

    Attributes:
      regularisation: one strength in place of cross-validation (of the usual one, for kinds that search none), more than 0:
        scikit-learn's ``C`` of ``logistic``, ``l1`` and ``elastic_net``, where *smaller* is stronger; its ``alpha`` of ``ridge``
        and ``mlp``, where *larger* is stronger.
      class_weight: ``"balanced"`` lets the rows of a class count n / (n_classes * n_of_class) times, so that all classes count
        alike; None lets all rows count alike.
      hidden_units: the sizes of the hidden layers, first to last.
      max_epochs: the largest number of passes over train.
      learning_rate: the size of the steps of Adam, more than 0.
      batch_size: the number of rows for each step.

    Raises:
      ProbeError: a value is out of range.

    >>> ProbeOptions(hidden_units=(128,)).to_json(), ProbeOptions().to_json()
    ({'hidden_units': [128]}, {})
    """

    regularisation: float | None = None
    class_weight: str | None = None
    hidden_units: tuple[int, ...] | None = None
    max_epochs: int | None = None
    learning_rate: float | None = None
    batch_size: int | None = None

    omitted_if_none: ClassVar[tuple[str, ...]] = (
        "regularisation",
        "class_weight",
        "hidden_units",
        "max_epochs",
        "learning_rate",
        "batch_size",
    )

    def __post_init__(self) -> None:
        for name in ("regularisation", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and math.isfinite(value) and value > 0):
                raise ProbeError(f"The option {name} is a number above 0; got {value!r}.")
        for name in ("max_epochs", "batch_size"):
            value = getattr(self, name)
            if value is not None and not (_is_whole(value) and value >= 1):
                raise ProbeError(f"The option {name} is a whole number, 1 or more; got {value!r}.")
        if self.class_weight not in (None, BALANCED):
            raise ProbeError(f"The option class_weight is {BALANCED} or {UNWEIGHTED}; got {self.class_weight!r}.")
        sizes = self.hidden_units
        if sizes is not None and not (
            isinstance(sizes, tuple)
            and 1 <= len(sizes) <= MOST_HIDDEN_LAYERS
            and all(_is_whole(size) and 1 <= size <= MOST_HIDDEN_UNITS for size in sizes)
        ):
            raise ProbeError(
                f"The option hidden_units is 1 to {MOST_HIDDEN_LAYERS} sizes of 1 to {MOST_HIDDEN_UNITS:,}, such as 64-32; "
                f"got {'-'.join(map(str, sizes)) if isinstance(sizes, tuple) else repr(sizes)}."
            )

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the options that are not the usual ones."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) is not None)

    @property
    def or_none(self) -> ProbeOptions | None:
        """The same; None where everything is the usual."""
        return self if self.given else None

    def check_taken(self, kind: str, taken: Collection[str]) -> None:
        """That a kind of probe takes all options that are given.

        Args:
          kind: its name.
          taken: the names of the options that it takes.

        Raises:
          UnservedError: it does not take one of them.

        >>> ProbeOptions(hidden_units=(8,)).check_taken("logistic", ("regularisation", "class_weight"))
        Traceback (most recent call last):
        ...
        lit_probe.errors.UnservedError: The probe 'logistic' does not take the option hidden_units; it takes regularisation, ...
        """
        for name in self.given:
            if name not in taken:
                others = f"it takes {', '.join(taken)}" if taken else "it takes none"
                raise UnservedError(f"The probe {kind!r} does not take the option {name}; {others}. Leave it out.")

    def with_words(self, words: Mapping[str, str]) -> ProbeOptions:
        """These options, some of them replaced by what words say: see `read_option`."""
        return ProbeOptions(**{**vars(self), **{name: read_option(name, word) for name, word in words.items()}})

    def words(self) -> dict[str, str]:
        """The options that are given as flags and brackets say them.

        >>> ProbeOptions(hidden_units=(64, 32), learning_rate=0.01).words()
        {'hidden_units': '64-32', 'learning_rate': '0.01'}
        """
        told = {name: getattr(self, name) for name in self.given}
        return {name: "-".join(map(str, value)) if isinstance(value, tuple) else str(value) for name, value in told.items()}


def read_option(name: str, word: str) -> Any:
    """The value of an option from a flag or from brackets; None for the usual one.

    Args:
      name: a field of `ProbeOptions`.
      word: its value, such as ``"0.01"`` or ``"cv"``, ``"balanced"`` or ``"none"``, ``"64"`` or ``"64-32"`` (``"64,32"``).

    Raises:
      ProbeError: it is no such value.

    >>> read_option("hidden_units", "64-32"), read_option("regularisation", "cv"), read_option("class_weight", "balanced")
    ((64, 32), None, 'balanced')
    """
    read, what = _READERS[name]
    try:
        return read(word.strip())
    except ValueError:
        raise ProbeError(f"The option {name} is {what}; got {word!r}.") from None


def _sizes(word: str) -> tuple[int, ...]:
    return tuple(int(size) for size in re.split("[-,]", word))


_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "regularisation": (lambda word: None if word == CROSS_VALIDATED else float(word), f"a number above 0, or {CROSS_VALIDATED}"),
    "class_weight": (lambda word: None if word == UNWEIGHTED else word, f"{BALANCED} or {UNWEIGHTED}"),
    "hidden_units": (_sizes, "the sizes of hidden layers, such as 64 or 64-32"),
    "max_epochs": (int, "a whole number, 1 or more"),
    "learning_rate": (float, "a number above 0"),
    "batch_size": (int, "a whole number, 1 or more"),
}
OPTION_NAMES = tuple(_READERS)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
