"""Another question to the same rows: a further column, or what stands on a text's surface, in place of the label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, TEXT, check_served
from lit_probe.data.labelled_texts import AskedOf, LabelledTexts, SplitName, Splits
from lit_probe.data.rows import label_names_of, label_words
from lit_probe.data.splitting import check_classes, check_every_class, rows_hash
from lit_probe.data.surface import SURFACE
from lit_probe.errors import DatasetError, LitProbeError
from lit_probe.results import Result

LABEL = "label"
COLUMNS = "columns"
ALL_SURFACE = "surface"
_PREFIX = "surface:"


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
        ``surface`` for all of `SURFACE`.

    Raises:
      DatasetError: there is no such target; or none is named.
      UnservedError: rows of this data set are words, or its label is a number.

    >>> from lit_probe.data import load_dataset
    >>> target_names(load_dataset("demo"), ["label", "domain", "surface"])[:3]
    ['label', 'domain', 'surface:n_words']
    """
    check_served("A map of concepts", splits.unit, splits.target, [TEXT], [CLASSES])
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
        else:
            raise DatasetError(
                f"{splits.name} has no target {name!r}. Choose of: {', '.join((*label, *columns, *surface))}; {COLUMNS} stands "
                f"for the label and all columns, {ALL_SURFACE} for all that begin with {_PREFIX}"
            )
    if not found:
        raise DatasetError(f"No target was named for {splits.name}. Name one or more, such as {LABEL},{ALL_SURFACE}.")
    return list(dict.fromkeys(found))


def question_of(target: str) -> str:
    """What a target of the surface asks; of any other, whose name says it, an empty string.

    >>> question_of("surface:question"), question_of("domain")
    ('does the text end with a question mark?', '')
    """
    surface = SURFACE.get(target.removeprefix(_PREFIX)) if target.startswith(_PREFIX) else None
    return "" if surface is None else surface.about


def ask(splits: Splits, target: str) -> Splits:
    """The same division with other labels; rows that have none are left out.

    All targets of a data set are asked of the same train, dev and test rows, so that their scores can be compared, and one pass
    of an encoder serves all of them.

    Args:
      splits: the data set.
      target: one of `target_names`.

    Returns:
      The data set ``demo (domain)`` of ``demo`` and ``domain``. Its provenance says what was asked of what.

    Raises:
      DatasetError: there is no such target, it has fewer than two classes, or a class has too few rows in train or none in dev.

    >>> from lit_probe.data import load_dataset
    >>> asked = ask(load_dataset("demo"), "domain")
    >>> asked.name, asked.label_names
    ('demo (domain)', ('film', 'product'))
    """
    [target] = target_names(splits, [target])
    name = f"{splits.name} ({target})"
    words = _words(splits, target)
    names = splits.label_names if target == LABEL else label_names_of(word for some in words.values() for word in some)
    rows = {split: _rows_with(some) for split, some in words.items()}
    number = {word: index for index, word in enumerate(names)}
    labels = {split: np.array([number[words[split][row]] for row in some], np.int64) for split, some in rows.items()}
    n_left = {split: len(words[split]) - len(some) for split, some in rows.items()}
    check_classes(name, np.concatenate(list(labels.values())), names, Counter({"without a value": sum(n_left.values())}))
    check_every_class(name, np.stack([np.bincount(some, minlength=len(names)) for some in labels.values()]), names)
    parts = {
        split: replace(whole.select(rows[split]), labels=labels[split], label_names=names) for split, whole in splits.items()
    }
    dropped = {f"{split} rows without a value of {target}": count for split, count in n_left.items() if count}
    provenance = {
        **splits.provenance,
        "target": {"of": splits.name, "name": target},
        "numbered": target == LABEL and splits.provenance.get("numbered", False),
        "dropped": {**splits.provenance.get("dropped", {}), **dropped},
        "sha256": {split: rows_hash(part) for split, part in parts.items()},
    }
    return Splits(
        name,
        parts["train"],
        parts["dev"],
        parts["test"],
        provenance=provenance,
        pair=splits.pair,
        asked_of=AskedOf(splits, target, rows),
    )


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
    texts: dict[str, Sequence[str]] = {split: rows.texts for split, rows in splits.items()}
    return SURFACE[target.removeprefix(_PREFIX)].labels(texts)  # type: ignore[return-value]


def _rows_with(words: Sequence[str | None]) -> NDArray[np.int64]:
    return np.array([row for row, word in enumerate(words) if word is not None], dtype=np.int64)


def _of_column(rows: LabelledTexts, column: str) -> Sequence[str | None]:
    return label_words({column: rows.columns[column].tolist()}, column)
