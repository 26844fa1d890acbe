"""Another question to the same rows in place of the label: a further column, what stands on a text's surface, the words that it
holds, or to which of two selections it belongs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, NUMBER, TEXT, TargetKind, check_served
from lit_probe.data.function_words import words_of
from lit_probe.data.labelled_texts import AskedOf, LabelledTexts, SplitName, Splits, normalise_text
from lit_probe.data.numbers import are_meant_as_numbers, check_numbers, check_parts, numbers_of
from lit_probe.data.rows import label_names_of, label_words, plain_words
from lit_probe.data.splitting import check_classes, check_every_class, rows_hash
from lit_probe.data.surface import NO, SURFACE, YES
from lit_probe.errors import DatasetError, LitProbeError
from lit_probe.results import Result

LABEL = "label"
COLUMNS = "columns"
ALL_SURFACE = "surface"
HOLDS = "holds:"
_PREFIX = "surface:"
_BETWEEN_WORDS = "|"


@dataclass(frozen=True)
class Unasked(Result):
    """A target that cannot be asked for.

    Attributes:
      dataset: the data set's name.
      target: its own name.
      error: the sentence that says why.
    """

    dataset: str
    target: str
    error: str


def target_names(splits: Splits, wanted: Sequence[str]) -> list[str]:
    """The targets that are meant, each once.

    Args:
      splits: the data set.
      wanted: ``label``, names of its columns, ``surface:`` with a name of `SURFACE`; ``columns`` for the label and every column,
        ``surface`` for all of `SURFACE`; ``holds:not|never`` asks whether a text holds one of these words.

    Raises:
      DatasetError: there is no such target; or none is named.
      UnservedError: rows of this data set are words.

    >>> from lit_probe.data import load_dataset
    >>> target_names(load_dataset("demo"), ["label", "domain", "surface"])[:3]
    ['label', 'domain', 'surface:n_words']
    """
    check_served("A map of concepts", splits.unit, splits.target, [TEXT], [CLASSES, NUMBER])
    # The label of a data set of several values is only what it was divided by.
    label = [] if splits.several else [LABEL]
    columns, surface = list(splits.train.columns), [_PREFIX + name for name in SURFACE]
    found: list[str] = []
    for name in wanted:
        if name == COLUMNS:
            found += [*label, *columns]
        elif name == ALL_SURFACE:
            found += surface
        elif name in (*label, *columns, *surface):
            found.append(name)
        elif name.startswith(HOLDS):
            found.append(HOLDS + _BETWEEN_WORDS.join(held_words(name)))
        else:
            raise DatasetError(
                f"{splits.name} has no target {name!r}. Choose of: {', '.join((*label, *columns, *surface))}; {COLUMNS} stands "
                f"for the label and all columns, {ALL_SURFACE} for all that begin with {_PREFIX}; {HOLDS}not|never asks whether "
                "a text holds one of these words"
            )
    if not found:
        raise DatasetError(f"No target was named for {splits.name}. Name one or more, such as {LABEL},{ALL_SURFACE}.")
    return list(dict.fromkeys(found))


def kinds_of_targets(splits: Splits) -> dict[str, TargetKind]:
    """The label, every column and all that stands on the surface, and whether each asks for classes or a number.

    >>> from lit_probe.data import load_dataset
    >>> kinds_of_targets(load_dataset("demo"))["domain"]
    'classes'
    """
    return {
        name: splits.target if name == LABEL else CLASSES if _number_words(splits, name) is None else NUMBER
        for name in target_names(splits, [COLUMNS, ALL_SURFACE])
    }


def question_of(target: str) -> str:
    """What a target of the surface asks; of any other, whose name says it, an empty string.

    >>> question_of("surface:question"), question_of("domain")
    ('does the text end with a question mark?', '')
    """
    if target.startswith(HOLDS):
        return f"does the text hold {' or '.join(held_words(target))}?"
    surface = SURFACE.get(target.removeprefix(_PREFIX)) if target.startswith(_PREFIX) else None
    return "" if surface is None else surface.about


def held_words(target: str) -> list[str]:
    """The words of a target such as ``holds:not|never``, in order of the alphabet, each once, as texts are compared.

    Raises:
      DatasetError: there are none, or one of them is no single word.

    >>> held_words("holds:Never|not|never")
    ['never', 'not']
    """
    wanted = [word.strip() for word in target.removeprefix(HOLDS).split(_BETWEEN_WORDS) if word.strip()]
    found = set[str]()
    for word in wanted:
        parts = words_of(normalise_text(word))
        if len(parts) != 1:
            raise DatasetError(f"{word!r} is no single word. Name words without blanks or signs, as in {HOLDS}not|never.")
        found.update(parts)
    if not found:
        raise DatasetError(f"{target!r} names no word. Name one or more, as in {HOLDS}not|never.")
    return sorted(found)


def ask(splits: Splits, target: str) -> Splits:
    """The same division with other labels; rows that have none are left out.

    A column of numbers asks for a number, where `target_of` takes it for one: fewer than three rows for each of them.

    All targets of a data set are asked of the same train, dev and test rows, so that their scores can be compared, and one pass
    of an encoder serves all of them.

    Args:
      splits: the data set.
      target: one of `target_names`.

    Returns:
      The data set ``demo (domain)`` of ``demo`` and ``domain``. Its provenance says what was asked of what.

    Raises:
      DatasetError: there is no such target, it has fewer than two classes, or a class has too few rows in train or none in dev;
        of a number, there are too few rows, or all have the same one.

    >>> from lit_probe.data import load_dataset
    >>> asked = ask(load_dataset("demo"), "domain")
    >>> asked.name, asked.label_names
    ('demo (domain)', ('film', 'product'))
    """
    if target in (COLUMNS, ALL_SURFACE):
        raise DatasetError(f"{target!r} stands for several targets. A column of that name needs another one to be asked for.")
    [target] = target_names(splits, [target])
    if (numbers := _numbers(splits, target)) is not None:
        return _ask_number(splits, target, f"{splits.name} ({target})", numbers)
    words = _words(splits, target)
    names = splits.label_names if target == LABEL else label_names_of(word for some in words.values() for word in some)
    if target.startswith(HOLDS) and len(names) < 2:
        held = f"any of these words: {', '.join(held_words(target))}"
        raise DatasetError(f"{'No' if names == (NO,) else 'Every'} text of {splits.name} holds {held}. Name others.")
    return _ask_classes(splits, words, names, {"of": splits.name, "name": target})


def ask_which(splits: Splits, picked: Mapping[str, Mapping[str, Sequence[int]]]) -> Splits:
    """Which of two selections of its rows a row belongs to, in the same division; rows of neither are left out.

    Args:
      splits: the data set, whose rows are texts.
      picked: two names, each with the indices of its rows by split.

    Returns:
      The data set ``demo (long against short)`` of ``demo`` and the selections ``long`` and ``short``.

    Raises:
      DatasetError: both selections hold a row, one names a row that there is not, or has fewer than two rows in train or none
        in dev.
    """
    check_served("A probe of two selections", splits.unit, splits.target, [TEXT], [CLASSES, NUMBER])
    one, other = picked
    for name, rows_of in picked.items():
        if not any(rows_of.values()):
            raise DatasetError(f"{name} holds no row of {splits.name}. Select some, in train and in dev.")
    words: dict[str, list[str | None]] = {split: [None] * len(rows) for split, rows in splits.items()}
    texts: dict[str, tuple[str, ...]] = {split: rows.texts for split, rows in splits.items()}
    said: dict[str, set[str]] = {name: set() for name in picked}
    for name, rows_of in picked.items():
        for split, rows in rows_of.items():
            for row in rows:
                if not 0 <= row < len(words.get(split, [])):
                    raise DatasetError(f"{name} names row {row} of {split}, which {splits.name} does not have.")
                words[split][row] = name
                said[name].add(normalise_text(texts[split][row]))
    n_shared = len(said[one] & said[other])
    if n_shared:
        shared = "One text is" if n_shared == 1 else f"{n_shared:,} texts are"
        raise DatasetError(
            f"{shared} in {one} and in {other}. A probe that is to tell them apart needs selections without a common text."
        )
    target = f"{one} against {other}"
    sizes = {name: {split: len(rows) for split, rows in rows_of.items()} for name, rows_of in picked.items()}
    by_split: dict[SplitName, Sequence[str | None]] = {split: words[split] for split, _ in splits.items()}
    return _ask_classes(splits, by_split, tuple(picked), {"of": splits.name, "name": target, "picked": sizes})


def _ask_classes(
    splits: Splits, words: Mapping[SplitName, Sequence[str | None]], names: tuple[str, ...], about: Mapping[str, Any]
) -> Splits:
    """The division with these words in place of the labels; None where a row has none."""
    name = f"{splits.name} ({about['name']})"
    rows = {split: _rows_with(some) for split, some in words.items()}
    number = {word: index for index, word in enumerate(names)}
    labels = {split: np.array([number[words[split][row]] for row in some], np.int64) for split, some in rows.items()}
    n_left = {split: len(words[split]) - len(some) for split, some in rows.items()}
    check_classes(name, np.concatenate(list(labels.values())), names, Counter({"without a value": sum(n_left.values())}))
    check_every_class(name, np.stack([np.bincount(some, minlength=len(names)) for some in labels.values()]), names)
    return _asked(splits, about, name, rows, labels, names)


def _asked(
    splits: Splits,
    about: Mapping[str, Any],
    name: str,
    rows: Mapping[SplitName, NDArray[np.int64]],
    labels: Mapping[SplitName, NDArray[Any]],
    names: tuple[str, ...],
) -> Splits:
    """The division with these labels of the rows that have one; ``about`` stands in the provenance."""
    target = about["name"]
    parts = {
        split: replace(whole.select(rows[split]), labels=labels[split], label_names=names) for split, whole in splits.items()
    }
    n_left = {split: len(whole) - len(rows[split]) for split, whole in splits.items()}
    dropped = {f"{split} rows without a value of {target}": count for split, count in n_left.items() if count}
    provenance = {
        **splits.provenance,
        "target": about,
        "numbered": target == LABEL and splits.provenance.get("numbered", False),
        "dropped": {**splits.provenance.get("dropped", {}), **dropped},
        "sha256": {split: rows_hash(part) for split, part in parts.items()},
    }
    asked_of = AskedOf(splits, target, dict(rows))
    return Splits(name, parts["train"], parts["dev"], parts["test"], provenance=provenance, pair=splits.pair, asked_of=asked_of)


def _ask_number(splits: Splits, target: str, name: str, numbers: Mapping[SplitName, NDArray[np.float64]]) -> Splits:
    """The division with a number in place of the labels; NaN where a row has none.

    Raises:
      DatasetError: it has too few numbers, or one only.
    """
    rows = {split: np.flatnonzero(~np.isnan(some)) for split, some in numbers.items()}
    labels = {split: numbers[split][some] for split, some in rows.items()}
    n_left = sum(len(some) for some in numbers.values()) - sum(map(len, rows.values()))
    check_numbers(name, np.concatenate(list(labels.values())), f"{n_left:,} rows without a value" if n_left else "")
    check_parts(name, {str(split): some for split, some in labels.items()}, ())
    return _asked(splits, {"of": splits.name, "name": target}, name, rows, labels, ())


def _numbers(splits: Splits, target: str) -> dict[SplitName, NDArray[np.float64]] | None:
    """The numbers of each split, NaN for a row without one; None where the target asks for classes.

    Raises:
      DatasetError: a few words of a column of numbers are none.
    """
    if target == LABEL:
        return {split: rows.labels for split, rows in splits.items()} if splits.target == NUMBER else None
    words = _number_words(splits, target)
    if words is None:
        return None
    found = numbers_of(words, dict.fromkeys(words, ()), target)
    return {split: np.array(some, np.float64) for split, some in found.items()}


def _number_words(splits: Splits, target: str) -> dict[SplitName, list[str]] | None:
    """The words of each split in a column that is meant as numbers; None where the target asks for classes, or is no column."""
    if target not in splits.train.columns:
        return None
    # What is no word, as a list, is refused where columns are read as classes.
    if any(isinstance(value, list | dict | bytes) for _, rows in splits.items() for value in rows.columns[target].tolist()):
        return None
    words = {split: plain_words(rows.columns[target].tolist(), target) for split, rows in splits.items()}
    return words if are_meant_as_numbers([word or None for some in words.values() for word in some]) else None


def ask_all(splits: Splits, wanted: Sequence[str]) -> list[Splits | Unasked]:
    """Each of the targets that can be asked for, and of the others why not.

    Raises:
      DatasetError: a target does not exist, or none of them can be asked for.
    """
    found: list[Splits | Unasked] = []
    for target in target_names(splits, wanted):
        try:
            found.append(ask(splits, target))
        except LitProbeError as error:
            found.append(Unasked(splits.name, target, str(error)))
    if not any(isinstance(one, Splits) for one in found):
        raise DatasetError(next(one.error for one in found if isinstance(one, Unasked)))
    return found


def _words(splits: Splits, target: str) -> dict[SplitName, Sequence[str | None]]:
    """The labels of each split as words; None for a row without one."""
    if target == LABEL:
        return {split: [splits.label_names[label] for label in rows.labels] for split, rows in splits.items()}
    if target in splits.train.columns:
        return {split: _of_column(rows, target) for split, rows in splits.items()}
    if target.startswith(HOLDS):
        held = set(held_words(target))
        return {
            split: [YES if held & set(words_of(normalise_text(text))) else NO for text in rows.texts]
            for split, rows in splits.items()
        }
    texts: dict[str, Sequence[str]] = {split: rows.texts for split, rows in splits.items()}
    return SURFACE[target.removeprefix(_PREFIX)].labels(texts)  # type: ignore[return-value]


def _rows_with(words: Sequence[str | None]) -> NDArray[np.int64]:
    return np.array([row for row, word in enumerate(words) if word is not None], dtype=np.int64)


def _of_column(rows: LabelledTexts, column: str) -> Sequence[str | None]:
    return label_words({column: rows.columns[column].tolist()}, column)
