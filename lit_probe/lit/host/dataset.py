"""A labelled data set as LIT shows it: which rows, with which fields, and what is said about them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import types
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, TEXT, WORD
from lit_probe.data.labelled_texts import LabelledTexts, SplitName, Splits, clean_text, normalise_text
from lit_probe.data.numbers import strata_by
from lit_probe.lit.host import fields, specs
from lit_probe.lit.host.copies import Copies
from lit_probe.lit.host.labels import NumberLabels, among_numbers, labels_of
from lit_probe.lit.host.messages import as_markdown, without_html

# What a source's columns may not be called.
_OURS = frozenset(
    {
        *(fields.TEXT, fields.LABEL, fields.SPLIT, fields.IN_TRAIN, fields.TRUNCATED, fields.UNKNOWN),
        *(fields.TOKENS, fields.PROBE, fields.HEAD, fields.COLOR_BY),
    }
)

_CONFUSION = "LIT's Confusion Matrix counts the held-out rows, dev and test, that are shown."

NEAR_COPIES_LATER = (
    f"Of so much text near copies were looked for after the page had opened: here {fields.IN_TRAIN} knows exact copies alone. "
    "Started again with its cache, the server marks near ones, too."
)

DEFAULT_SHOW_TRAIN = 500
DEFAULT_MAX_SHOWN = 5_000


class ProbeDataset(lit_dataset.Dataset):
    """Labelled texts in three splits: probes are trained on train, compared on dev, reported on test.

    All dev rows are shown, a sample of train and as much of test as there is room for, see ``rows_to_show``. Rows stand in
    the order of the splits, so that a curve over all dev rows has the same digits in LIT as on the command line.

    Args:
      splits: the labelled texts.
      show_train: the number of train rows that are shown.
      max_shown: the number of rows that are shown in all.
      seed: the seed of the samples.
      not_read: says of each text whether an encoder reads only a part of it, and of which share of its tokens the vocabulary
        cannot spell; that share is a column where it is any.
      copies: which rows have a copy in another split; looked for, and kept nowhere, where it is not given.
      others: further data sets of the same classes, whose probes can be shown on these rows.

    Attributes:
      splits: the labelled texts.
      shown: which rows of each split are shown, in the order of the splits.
      copies: see the argument.
      labels: how its labels stand in LIT's fields.
      columns: the source's own columns, by the name of the field that shows each.
      text_fields: the fields that hold the text: one, or the two of a pair, called as their columns. Where another data set pairs
        the same columns in the other order, they also say which text comes first.
    """

    def __init__(
        self,
        splits: Splits,
        *,
        show_train: int = DEFAULT_SHOW_TRAIN,
        max_shown: int = DEFAULT_MAX_SHOWN,
        seed: int = 0,
        not_read: Callable[[Sequence[str]], Sequence[tuple[bool, float]]] = lambda texts: [(False, 0.0)] * len(texts),
        copies: Copies | None = None,
        others: Sequence[Splits] = (),
    ):
        self.splits = splits
        by_split: dict[SplitName, LabelledTexts] = dict(splits.items())
        self.labels = labels_of(splits)
        self.shown = rows_to_show(splits, show_train, max_shown, seed)
        shown_rows = {name: by_split[name].select(indices) for name, indices in self.shown.items()}
        shown_texts = [clean_text(text) for rows in shown_rows.values() for text in rows.texts]
        truncated, unknown = zip(*not_read(shown_texts), strict=True)
        own_fields: dict[str, types.LitType] = {fields.UNKNOWN: types.Scalar()} if any(unknown) else {}
        self.copies = copies or Copies(splits)
        in_train = self._badges({name: rows.texts for name, rows in shown_rows.items()}, others)
        taken = _OURS
        self.text_fields: tuple[str, ...] = (fields.TEXT,)
        if splits.pair is not None:
            one, two = splits.pair
            if any(other.pair == (two, one) for other in others):
                # LIT goes by names: it would give these pairs to a model that reads them the other way round.
                one, two = f"{one}_first", f"{two}_second"
            first = fields.column_field(one, taken)
            self.text_fields = (first, fields.column_field(two, taken | {first}))
        columns = _columns(shown_rows, taken.union(self.text_fields))
        self.columns = {field: column for column, field, _ in columns}
        super().__init__(
            spec=specs.dataset_spec(
                self.labels.type(), own_fields | {field: type_ for _, field, type_ in columns}, badges(in_train), self.text_fields
            ),
            examples=[
                {
                    **fields.in_fields(text, self.text_fields),
                    fields.LABEL: self.labels.shown(rows.labels[i]),
                    fields.IN_TRAIN: seen,
                    fields.SPLIT: str(name),
                    fields.TRUNCATED: bool(cut),
                    **{field: round(share, 3) for field in own_fields},
                    **{field: _value(type_, rows.columns[column][i]) for column, field, type_ in columns},
                }
                for (name, rows, i), text, seen, cut, share in zip(
                    ((name, rows, i) for name, rows in shown_rows.items() for i in range(len(rows))),
                    shown_texts,
                    in_train,
                    truncated,
                    unknown,
                    strict=True,
                )
            ],
            description=description_of(splits, self.shown, self.copies),
        )
        self._position = {text: position for position, text in enumerate(shown_texts)}
        all_groups = [rows.groups for rows in shown_rows.values() if rows.groups is not None]
        self._group = dict(zip(shown_texts, np.concatenate(all_groups).tolist(), strict=True)) if len(all_groups) == 3 else {}

    def _badges(self, texts: Mapping[SplitName, Sequence[str]], others: Sequence[Splits]) -> list[str]:
        """What each shown row's badge says: whether probes were trained on it, here or elsewhere, or on a copy of it."""
        trained_elsewhere = {other.name: _training_texts(other) for other in others}
        known = self.copies.known_at_once
        badges = []
        for name, of_split in texts.items():
            copied = set() if known is None else set(known.rows.get(name, ()))
            for row, text in zip(self.shown[name].tolist(), of_split, strict=True):
                elsewhere = [other for other, theirs in trained_elsewhere.items() if normalise_text(text) in theirs]
                if name == "train":
                    badges.append(fields.TRAINED_ON)
                elif elsewhere:
                    badges.append(f"{fields.TRAINED_ON} ({' and '.join(elsewhere)})")
                elif row in copied or (known is None and normalise_text(text) in self.training_texts):
                    badges.append(fields.COPY_IN_TRAIN)
                else:
                    badges.append(fields.NO_EXACT_COPY if known is None else fields.NOT_IN_TRAIN)
        return badges

    @property
    def name(self) -> str:
        """The data set's name in LIT."""
        return self.splits.name

    @property
    def label_names(self) -> tuple[str, ...]:
        """The classes as LIT shows them; none of a number."""
        return self.labels.names

    def source_variant(self, variant: str | None) -> str | None:
        """``group:film_title`` as ``group:film title``: LIT's fields may have other names than the source's columns."""
        kind, colon, field = (variant or "").partition(":")
        return f"{kind}:{self.columns[field]}" if colon and field in self.columns else variant

    @property
    def grouped(self) -> bool:
        """Whether the rows have groups (films, pairs) that intervals must respect."""
        return bool(self._group)

    @property
    def texts(self) -> list[str]:
        """The shown texts, in the order of the rows."""
        return list(self._position)

    def position(self, text: str) -> int | None:
        """Where the text stands among the shown rows, or None if it does not."""
        return self._position.get(text)

    def group(self, text: str) -> str:
        """The group of a shown text; a text of no known group is its own."""
        return self._group.get(text, f"text: {text}")

    @cached_property
    def places_of_dev(self) -> dict[int, int]:
        """Row of dev -> its place among the shown examples, for rows that are shown. LIT shows dev first."""
        return {int(row): position for position, row in enumerate(self.shown["dev"])}

    @cached_property
    def training_texts(self) -> frozenset[str]:
        """Normalised texts of all train rows, the ones that are not shown too."""
        return _training_texts(self.splits)


def _training_texts(splits: Splits) -> frozenset[str]:
    return frozenset(normalise_text(text) for text in splits.train.texts)


def probe_dataset(dataset: lit_dataset.Dataset) -> ProbeDataset | None:
    """The data set of ours that LIT wrapped, or None. LIT hands its components an annotated and indexed copy of it."""
    current: Any = dataset
    while current is not None and not isinstance(current, ProbeDataset):
        current = getattr(current, "_base", None)
    return current


def rows_to_show(splits: Splits, show_train: int, max_shown: int, seed: int) -> dict[SplitName, NDArray[np.int64]]:
    """Which rows of each split LIT shows, in the order of the split.

    Train gets ``show_train`` rows, or a tenth of ``max_shown`` if that is less; dev all its rows while a quarter of
    ``max_shown`` is left for test; test the rest. What does not fit is a seeded sample with every class in its share, or what
    divisions keep the shares of where labels are numbers.
    """
    shares = {name: strata_by(rows.labels, splits.label_names)[0] for name, rows in splits.items()}
    return examples_to_show(shares, show_train, max_shown, seed)


def examples_to_show(
    labels: Mapping[SplitName, NDArray[np.int64]], show_train: int, max_shown: int, seed: int
) -> dict[SplitName, NDArray[np.int64]]:
    """`rows_to_show` of examples of which the classes ``[n_examples]`` in each split are given."""
    sizes = {name: len(part) for name, part in labels.items()}
    n_train = min(show_train, sizes["train"], max_shown // 10)
    n_dev = min(sizes["dev"], max_shown - n_train - min(sizes["test"], max_shown // 4))
    n_test = min(sizes["test"], max_shown - n_train - n_dev)
    counts = {"train": n_train, "dev": n_dev, "test": n_test}
    # Dev first: LIT's table opens on the rows that the curve is drawn for.
    order: tuple[SplitName, ...] = ("dev", "test", "train")
    return {name: stratified_sample(labels[name], counts[name], seed) for name in order}


def stratified_sample(labels: NDArray[np.int64], n_wanted: int, seed: int) -> NDArray[np.int64]:
    """Indices of ``n_wanted`` rows in ascending order, every class in its share of the whole, rounded by largest remainder.

    Args:
      labels: ``[n_examples]`` class indices.
      n_wanted: at most ``n_examples``.
      seed: decides which rows of a class are taken.

    >>> stratified_sample(np.array([0, 0, 0, 1, 0, 0, 0, 1]), 4, seed=0).shape
    (4,)
    """
    if n_wanted >= len(labels):
        return np.arange(len(labels), dtype=np.int64)
    classes, counts = np.unique(labels, return_counts=True)
    shares = counts * (n_wanted / len(labels))
    taken = np.floor(shares).astype(np.int64)
    largest_remainders = np.argsort(taken - shares, kind="stable")[: n_wanted - int(taken.sum())]
    taken[largest_remainders] += 1
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(np.flatnonzero(labels == class_))[:count] for class_, count in zip(classes, taken, strict=True)]
    return np.sort(np.concatenate(chosen).astype(np.int64))


def badges(in_train: Sequence[str]) -> list[str]:
    """What the badge may say. LIT's editor gives a new text the first of these: nobody has trained on it."""
    return [fields.NOT_IN_TRAIN, *sorted(set(in_train) - {fields.NOT_IN_TRAIN})]


def _columns(shown: Mapping[SplitName, LabelledTexts], others: Collection[str]) -> list[tuple[str, str, types.LitType]]:
    """The source's own columns as (column, LIT field, LIT type), with names unlike those of the other fields."""
    taken = set(others)
    columns = []
    for column in next(iter(shown.values())).columns:
        field = fields.column_field(column, taken)
        taken.add(field)
        values = np.concatenate([np.asarray(rows.columns[column]) for rows in shown.values()])
        columns.append((column, field, specs.column_type(values)))
    return columns


def _value(type_: types.LitType, value: Any) -> Any:
    """A column's value as LIT's type wants it: plain Python, which JSON takes."""
    if isinstance(type_, types.Boolean):
        return bool(value)
    if isinstance(type_, types.Scalar):
        return value.item()
    text = specs.column_value(value)
    return without_html(text) if isinstance(type_, types.CategoryLabel) else text


def description_of(splits: Splits, shown: Mapping[SplitName, NDArray[np.int64]], copies: Copies) -> str:
    """What LIT says about the data set: the first line stands in its list of data sets, all of it when that is opened.

    LIT reads it as markdown, and names and paths come from the user's files, so they are written to be shown as they are.
    """
    counts = {name: f"{len(shown[name]):,} of {len(rows.whole_texts):,} {name}" for name, rows in splits.items()}
    n_shown = sum(len(indices) for indices in shown.values())
    examples = "rows" if splits.unit == TEXT else "sentences"
    known = copies.known_at_once
    notes = (NEAR_COPIES_LATER,) if known is None else known.notes
    lines = [
        f"{n_shown:,} {examples} shown: {', '.join(counts.values())}.",
        _asked(splits),
        "Probes are trained on all train rows and scored on dev and test; on train only where you ask, on edited rows never.",
        *([_CONFUSION] if splits.unit == TEXT and splits.target == CLASSES else []),
        f"{fields.IN_TRAIN} marks the rows that probes were trained on, and those with a copy among them. {' '.join(notes)}",
    ]
    if splits.unit == WORD:
        n_words = sum(len(rows) for _, rows in splits.items())
        lines.append(f"A row is one of {n_words:,} words with a tag; a word without one has {fields.NO_TAG} in its place.")
    if splits.pair is not None:
        lines.append(f"Each row is a pair of texts: {' and '.join(splits.pair)}.")
    provenance = splits.provenance
    for key, title in (("source", "Source"), ("division", "Division")):
        if provenance.get(key):
            lines.append(f"{title}: {provenance[key]}.")
    if dropped := {reason: count for reason, count in (provenance.get("dropped") or {}).items() if count}:
        lines.append(f"Left out: {', '.join(f'{count:,} {reason}' for reason, count in dropped.items())}.")
    return "\n\n".join(map(as_markdown, lines))


def _asked(splits: Splits) -> str:
    labels = labels_of(splits)
    if isinstance(labels, NumberLabels):
        return f"The label is a number, {among_numbers(labels.low, labels.high)} to {among_numbers(labels.high, labels.low)}."
    return f"{'Classes' if splits.unit == TEXT else 'Tags'}: {', '.join(splits.label_names)}."
