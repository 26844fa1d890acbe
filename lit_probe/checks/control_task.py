"""Control tasks: labels that say nothing about the concept, yet can be learnt by heart. Selectivity is measured against them.

A control task (Hewitt & Liang 2019, https://doi.org/10.18653/v1/D19-1275) gives every *type* a random label. For sentences a
type must be something that repeats between train and dev: with one random label per sentence no probe could be right about a new
sentence, and "selectivity" would be the score less chance.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD, UnitKind, check_served
from lit_probe.data.function_words import content_words, function_words_hash, words_of
from lit_probe.data.labelled_texts import LabelledTexts, SplitName, Splits, normalise_text
from lit_probe.data.rows import WORD_COLUMN
from lit_probe.errors import DatasetError
from lit_probe.registry import lookup

# By how much the control's class shares on train may differ from the task's.
MAX_IMBALANCE = 0.05

# A word in more of the train texts than this is a text's type only where it has no other: of long texts, most would share it.
MAX_WORD_SHARE = 0.2

Types = list[str]


@dataclass(frozen=True)
class Control:
    """A way to give every text a type.

    Attributes:
      title: what a type is, in words that follow "a seeded hash of".
      types: the types of train and of dev, from the splits and the column that was named (``group:author``), if any.
      rule: what decides them besides the texts, in words: of another rule stored results are not read, and cards are refused.
        Empty where nothing does.
      units: what the rows may be.
      independent: whether each type draws its label by itself, from the labels' shares on train, and not so that the control's
        shares are those of the task.
    """

    title: str
    types: Callable[[Splits, str], tuple[Types, Types]]
    rule: Callable[[], str] = lambda: ""
    units: tuple[UnitKind, ...] = (TEXT,)
    independent: bool = False


def _content_words(splits: Splits, column: str) -> tuple[Types, Types]:
    """The content word that most train texts hold, of those in the text; the first in the alphabet of two alike.

    Words in more than a fifth of the train texts come after all others. A text without a content word has the empty type.
    """
    train = [content_words(normalise_text(text)) for text in splits.train.texts]
    dev = [content_words(normalise_text(text)) for text in splits.dev.texts]
    n_texts_with = Counter(word for text in train for word in text)
    too_common = MAX_WORD_SHARE * len(train)

    def place(word: str) -> tuple[bool, bool, int, str]:
        count = n_texts_with[word]
        return not count, count > too_common, -count, word

    def type_of(text: set[str]) -> str:
        return min(text, key=place, default="")

    return [type_of(text) for text in train], [type_of(text) for text in dev]


def _first_words(splits: Splits, column: str) -> tuple[Types, Types]:
    def first_word(text: str) -> str:
        return next(iter(words_of(normalise_text(text))), "")

    return [first_word(text) for text in splits.train.texts], [first_word(text) for text in splits.dev.texts]


def _group_values(splits: Splits, column: str) -> tuple[Types, Types]:
    def values(split: str, rows: LabelledTexts) -> Types:
        found = rows.columns.get(column) if column else rows.groups
        if found is None:
            columns = ", ".join(name for name in splits.train.columns if name in splits.dev.columns) or "none"
            missing = f"no column {column!r}" if column else "no groups"
            raise DatasetError(
                f"{splits.name} has {missing} in its {split} rows. Name a column for the control, as in group:author. "
                f"Columns of both train and dev: {columns}."
            )
        return [str(value) for value in found]

    return values("train", splits.train), values("dev", splits.dev)


def _word_types(splits: Splits, column: str) -> tuple[Types, Types]:
    return [str(word) for word in splits.train.columns[WORD_COLUMN]], [str(word) for word in splits.dev.columns[WORD_COLUMN]]


# The rule of both controls of words.
_WORDS = "words with their marks and contractions in any writing, without HTML entities"

CONTROLS: dict[str, Control] = {
    "word": Control(
        "the text's content word that occurs in most training texts",
        _content_words,
        lambda: f"{_WORDS}; content words by the list {function_words_hash()}",
    ),
    "first_word": Control("the text's first word", _first_words, lambda: _WORDS),
    "group": Control("the text's group, or its value in the named column", _group_values),
    "word_type": Control("the word as it is written", _word_types, units=(WORD,), independent=True),
}
DEFAULT_CONTROLS: dict[UnitKind, str] = {TEXT: "word", WORD: "word_type"}

# Scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana and Han.
_UNSPACED = re.compile(r"[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")

MEMORISATION = "memorisation"
_MOST_NAMED = 4


def find_control(kind: str) -> Control:
    """The control of that name; of ``group:author``, which names a column, the one called ``group``.

    Raises:
      UnknownNameError: there is no such control.

    >>> find_control("group:author").title
    "the text's group, or its value in the named column"
    """
    name, _, _ = kind.partition(":")
    return lookup(CONTROLS, name if name == "group" else kind, "control")


@dataclass(frozen=True)
class ControlTask:
    """Random labels by type, with the class shares of the task, or its numbers.

    Attributes:
      kind: the name in `CONTROLS`; after a colon the column, for groups. ``"memorisation"`` where every text is a type.
      train_types: ``[n_train]`` the type of each train text.
      dev_types: ``[n_dev]`` the type of each dev text.
      n_by_class: the number of train texts each class of the task has; empty of a number.
      label_names: the task's classes; empty of a number.
      numbers: ``[n_train]`` the task's numbers on train, ascending; empty of classes.

    >>> rows = LabelledTexts(("a fine film", "a bad film", "fine music", "bad music"), np.array([1, 0, 1, 0]), ("no", "yes"))
    >>> control = ControlTask.of("first_word", Splits("reviews", rows, rows.select([0, 2]), rows.select([])))
    >>> control.train_types, control.n_types, control.share_seen
    (('a', 'a', 'fine', 'bad'), 3, 1.0)
    >>> labels = control.labels(seed=0)
    >>> bool(labels["train"][0] == labels["train"][1] == labels["dev"][0]), labels["train"].sum()
    (True, 2)
    """

    kind: str
    train_types: tuple[str, ...]
    dev_types: tuple[str, ...]
    n_by_class: tuple[int, ...]
    label_names: tuple[str, ...]
    numbers: tuple[float, ...] = ()

    @classmethod
    def of(cls, kind: str, splits: Splits) -> ControlTask:
        """The control task of this kind for these texts; test is not read.

        Raises:
          UnknownNameError: there is no such control.
          DatasetError: there are no groups, or no such column.
          UnservedError: it is none for rows such as these.
        """
        control = find_control(kind)
        check_served(f"The control {kind!r}", splits.unit, CLASSES, control.units, (CLASSES,))
        train, dev = control.types(splits, kind.partition(":")[2])
        return cls._with_types(kind, train, dev, splits)

    @classmethod
    def one_label_per_text(cls, splits: Splits) -> ControlTask:
        """Every text a type of its own. It tells what probes learn by heart on train; of dev texts it can say nothing."""
        train, dev = (_row_names(rows) for rows in (splits.train, splits.dev))
        return cls._with_types(MEMORISATION, train, dev, splits)

    @classmethod
    def _with_types(cls, kind: str, train: Sequence[str], dev: Sequence[str], splits: Splits) -> ControlTask:
        if splits.target == NUMBER:
            return cls(kind, tuple(train), tuple(dev), (), (), tuple(np.sort(splits.train.labels).tolist()))
        n_by_class = np.bincount(splits.train.labels, minlength=len(splits.label_names))
        return cls(kind, tuple(train), tuple(dev), tuple(n_by_class.tolist()), splits.label_names)

    @property
    def n_types(self) -> int:
        """How many types train has."""
        return len(set(self.train_types))

    @property
    def share_seen(self) -> float:
        """The share of dev texts whose type also stands in train, 0 to 1: only their labels can have been learnt."""
        seen = set(self.train_types)
        return sum(name in seen for name in self.dev_types) / max(len(self.dev_types), 1)

    @property
    def advice(self) -> str:
        """What to choose in place of a control that does not serve, as a sentence.

        >>> ControlTask("word", ("好看的电影",), ("很无聊",), (1, 1), ("no", "yes")).advice
        'These texts put no spaces between words, so no word can be their type. Choose group: and the name of a column.'
        """
        of_column = self.kind.startswith("group")
        letters = "".join(self.train_types)
        if not of_column and len(_UNSPACED.findall(letters)) > len(letters) / 2:
            return (
                "These texts put no spaces between words, so no word can be their type. Choose group: and the name of a column."
            )
        if self.kind == DEFAULT_CONTROLS[WORD]:
            return "Give more sentences, so that words of dev stand in train."
        others = [name for name, one in CONTROLS.items() if name not in (self.kind, "group") and TEXT in one.units]
        column = "another column" if of_column else "a column"
        return f"Choose another control: {', '.join(others)}, or group: and the name of {column}."

    def labels(self, seed: int) -> dict[SplitName, NDArray[Any]]:
        """The labels of train ``[n_train]`` and dev ``[n_dev]``: class indices, or numbers.

        The types of train, those of most texts first, draw a class by a hash of seed and type: each class with a probability
        proportional to the texts it is behind its share of those given out so far, this type's included, among the classes that
        can still take so many. Hence types of like frequency tend to get different labels; few labellings, all about equally
        hard, tell the control's score; and the class shares on train are those of the task. A type that only dev has draws by
        the same hash from the task's class shares on train.

        Of the control of words, each type draws a class by itself, with the task's class shares on train as probabilities, as
        Hewitt & Liang have it; the shares of the control then differ from those of the task, and nothing is refused.

        Where the task is a number, train's numbers in ascending order are dealt to its types in the order of their hashes, to
        each as many as it has texts, and the one in the middle of these is the type's. With one text a type they are the task's
        numbers in another order. A type that only dev has draws one of train's numbers by the same hash.

        The labels depend on seed and types alone, not on the order of the texts.

        Raises:
          DatasetError: the control cannot be balanced: there are fewer types than classes, a class gets fewer than 2 texts, or
            the class shares differ from the task's by more than 5 points; of a number, one type has more than half of train.
        """
        counts = Counter(self.train_types)
        if self.numbers:
            return self._numbers(seed, counts)
        if self.kind != MEMORISATION and find_control(self.kind).independent:
            own = {name: _draw(_hash(seed, name), self.n_by_class) for name in {*self.train_types, *self.dev_types}}
            return {"train": _labels(self.train_types, own), "dev": _labels(self.dev_types, own)}
        targets = np.array(self.n_by_class)
        if len(counts) < np.count_nonzero(targets):
            found = f"{len(counts)} {'types' if len(counts) != 1 else 'type'}"
            raise self._unbalanced(f"train has {found} for {np.count_nonzero(targets)} classes")
        given, drawn = np.zeros_like(targets), dict[str, int]()
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], _hash(seed, item[0]))):
            behind = targets * (given.sum() + count) - given * targets.sum()
            weights = np.where(given + count <= targets, np.maximum(behind, 0), 0)
            drawn[name] = _draw(_hash(seed, name), weights) if weights.any() else int((targets - given).argmax())
            given[drawn[name]] += count
        lacking = targets - given
        self._check_balance(lacking, counts)
        for name in self.dev_types:
            drawn.setdefault(name, _draw(_hash(seed, name), self.n_by_class))
        return {"train": _labels(self.train_types, drawn), "dev": _labels(self.dev_types, drawn)}

    def _numbers(self, seed: int, counts: Counter[str]) -> dict[SplitName, NDArray[np.float64]]:
        largest, count = counts.most_common(1)[0]
        if 2 * count > len(self.train_types):
            raise self._unbalanced(f"its largest type, {largest!r}, has {count:,} of {len(self.train_types):,} training texts")
        drawn, start = dict[str, float](), 0
        for name in sorted(counts, key=lambda name: (_hash(seed, name), name)):
            drawn[name] = self.numbers[start + (counts[name] - 1) // 2]
            start += counts[name]
        for name in self.dev_types:
            drawn.setdefault(name, self.numbers[int(_hash(seed, name) * len(self.numbers))])
        found: dict[SplitName, Types | tuple[str, ...]] = {"train": self.train_types, "dev": self.dev_types}
        return {split: np.array([drawn[name] for name in types], np.float64) for split, types in found.items()}

    def _check_balance(self, lacking: NDArray[np.int64], counts: Counter[str]) -> None:
        n_train, names = len(self.train_types), self.label_names
        for name, target, missing in zip(names, self.n_by_class, lacking, strict=True):
            if target and target - missing < 2:
                raise self._unbalanced(f"no types of few enough texts are left for {name!r}")
        if np.abs(lacking).sum() / 2 > MAX_IMBALANCE * n_train:
            largest, count = counts.most_common(1)[0]
            frequent = sorted(range(len(names)), key=lambda c: -self.n_by_class[c])[:_MOST_NAMED]
            shares = ", ".join(f"{names[c]} {self.n_by_class[c] / n_train:.0%}" for c in frequent)
            shares += f" and {len(names) - len(frequent)} further classes" if len(names) > len(frequent) else ""
            raise self._unbalanced(f"its largest type, {largest!r}, has {count:,} of {n_train:,} training texts ({shares})")

    def _unbalanced(self, reason: str) -> DatasetError:
        return DatasetError(f"The control {self.kind!r} cannot be balanced like the task: {reason}. {self.advice}")


def _row_names(rows: LabelledTexts) -> Types:
    """A name for each text; of words for each of them."""
    if rows.spans is None:
        return list(rows.texts)
    places = zip(rows.texts, rows.spans.tolist(), rows.columns[WORD_COLUMN], strict=True)
    return [f"{start} {end} {word} {text}" for text, (start, end), word in places]


def _hash(seed: int, name: str) -> float:
    """A number in [0, 1) that looks random and is the same everywhere."""
    digest = hashlib.sha256(f"{seed} {name}".encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def _draw(position: float, weights: Sequence[int] | NDArray[np.int64]) -> int:
    """The index at ``position`` in [0, 1) when every index takes a stretch as long as its weight."""
    ends = np.cumsum(weights)
    return int(np.searchsorted(ends, position * ends[-1], side="right"))


def _labels(types: Sequence[str], drawn: dict[str, int]) -> NDArray[np.int64]:
    return np.array([drawn[name] for name in types], dtype=np.int64)
