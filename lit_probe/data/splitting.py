"""From rows to train, dev and test that share no text and no group.

The order of work: drop the unusable rows, put the others in canonical order (by a hash of their content), join rows that share
a text or a group into units, take units that stand in two official splits out of the one that is less held out, cut what has
no official split, let a text count once in dev and test, choose at most ``max_examples`` rows per split. Each step looks at
content and seed only, so the order of the rows in the source changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, NUMBER, WORD, TargetKind
from lit_probe.data.labelled_texts import SPLIT_NAMES, LabelledTexts, SplitName, Splits, normalise_text
from lit_probe.data.numbers import MIN_HELD_OUT, MIN_TRAIN, check_numbers, check_parts, strata_by
from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import UNLABELLED, WORD_COLUMN, Rows, as_compared, column_array
from lit_probe.errors import DatasetError

TRAIN, DEV, TEST = range(3)
_LEFT = -1
"""The split number of a row that has been taken out."""

_MIN_PER_CLASS = 2
"""Rows of each class that train needs at the least; dev needs one."""

MOST_TAGS = 100
"""So many kinds of word are told apart at the most: each is a class, with a score of its own."""

_MOST_NAMED = 10

_LOTS, _MOST_LOTS = 5, 100
"""How many divisions by lot one is chosen from, and after how many without one of every class there is none to be hoped for."""


def make_splits(
    name: str,
    parts: Mapping[SplitName, Rows],
    label_names: Sequence[str],
    options: DatasetOptions,
    origin: Mapping[str, Any],
    *,
    group_word: str = "group",
    notes: Sequence[str] = (),
    dropped: Mapping[str, int] | None = None,
    numbered: bool = False,
    pair: tuple[str, str] | None = None,
    target: TargetKind = CLASSES,
) -> Splits:
    """Divides a source into train, dev and test.

    A part that is missing, or whose rows are all unlabelled, is cut from another: dev from train (15 %) where only test is
    there, test from dev (half of it) where only dev is there, both from train (15 % each) where there is neither. Cuts are
    stratified by label (of numbers: by tenths of the rows), by whole units: rows that share a normalised text or
    a group. Large units are placed first, each in the split that most lacks its classes.

    A text counts once in dev and once in test, so that no example is scored twice; one that stands there with two labels is
    left out altogether, as no answer to it could be right. Train keeps its repeats, as published numbers do.

    Rows that are words (with ``spans``) go with their text: what is said of a text above is said of a word at its place, what is
    cut or chosen is whole texts, and the groups of the result are texts where the rows have none. A tag of words that fewer than
    two texts of train have, or none of a split that is cut or of dev, is no class: its words are left out like those without a
    tag, and a note says so.

    Args:
      name: the name of the result.
      parts: the source's own splits; a single table comes as ``{"train": rows}``.
      label_names: the classes that the rows' labels point to; none where the labels are numbers.
      options: seed and rows per split.
      origin: where the rows come from, for the provenance, JSON-ready: ``kind`` and, as far as they apply, ``path``, ``id``,
        ``config``, ``revision``.
      group_word: what a group is called in the provenance, such as ``"film"``.
      notes: remarks for the provenance.
      dropped: rows that the loader itself has left out, reason -> count.
      numbered: whether the source itself numbers its classes in this order from 0, as a classification head does.

      pair: what the two texts of each row are called, where the texts are pairs.
      target: what the labels are.

    Returns:
      The splits, each in canonical order. The provenance counts every row that was left out, and what train repeats.

    Raises:
      DatasetError: fewer than two classes, or too few examples of a class to have two in train, one in dev (where layers are
        compared) and one in test if it is cut. An official test may lack a class; the provenance then says so.
    """
    counted = Counter(dropped or {})
    usable = {split: _usable(part, counted) for split, part in parts.items()}
    rows, home, keys = _pool(usable, label_names)
    labels: NDArray[Any] = np.array(rows.labels, dtype=np.int64 if target == CLASSES else np.float64)
    if target == CLASSES:
        check_classes(name, labels, label_names, counted, of_words=rows.spans is not None)
    else:
        check_numbers(name, labels, _told_left_out(counted))
    strata, n_strata = strata_by(labels, label_names)

    has_groups = any(group is not None for group in rows.groups)
    whole = "text" if rows.spans is None else "sentence"
    whole = f"{whole} or {group_word}" if has_groups else whole
    text_ids = _text_numbers(rows.texts)
    units = _units(text_ids, rows.groups) if has_groups else text_ids
    _leave_shared(home, units, whole, counted)
    cut = _cut_missing(home, strata, units, keys, n_strata, options.seed)
    row_ids = text_ids if rows.spans is None else _places(text_ids, rows.spans, rows.columns)
    _leave_repeats(home, labels, row_ids, counted)
    n_tags = None if rows.spans is None else len(np.unique(labels))
    _check_no_split_is_empty(name, home, units, whole, counted, n_tags, named=has_groups and group_word != "document")
    available = [int((home == split).sum()) for split in (TRAIN, DEV, TEST)]
    if rows.spans is not None:
        _leave_words_over(home, labels, text_ids, keys, len(label_names), options)
        label_names, labels, rare = _without_rare_tags(name, home, labels, text_ids, cut, label_names)
        notes = [*notes, *rare]
    missing = []
    if target == CLASSES:
        n_by_class = _count_classes(home, labels, len(label_names))
        check_every_class(name, n_by_class, label_names, cut)
        missing = _missing_in_test(n_by_class, label_names)
    else:
        check_parts(
            name,
            {split: labels[home == place] for place, split in enumerate(SPLIT_NAMES)},
            [SPLIT_NAMES[place] for place in cut],
        )

    groups = _group_names(rows.groups, units, keys) if has_groups or rows.spans is not None else None
    columns = {column: column_array(values) for column, values in rows.columns.items()}
    own = np.array([group or "" for group in rows.groups], dtype=np.str_) if has_groups else None
    spans = None if rows.spans is None else np.array(rows.spans, dtype=np.int64).reshape(-1, 2)
    # Labels of words that were left out may be those of no class; they are in no split.
    labels = labels if spans is None else np.maximum(labels, 0)
    pool = LabelledTexts(tuple(rows.texts), labels, tuple(label_names), groups, columns, own, spans)
    split_rows = [np.flatnonzero(home == split) for split in (TRAIN, DEV, TEST)]
    chosen = [
        index if rows.spans is not None else _choose(index, strata, keys, n_strata, options, _MIN_PER_CLASS if label_names else 0)
        for index in split_rows
    ]
    train, dev, test = (pool.select(index) for index in chosen)
    provenance = {
        "source": _source(origin),
        "origin": dict(origin),
        "division": _division(parts, cut, whole),
        "groups": group_word if has_groups else None if rows.spans is None else "sentence",
        "numbered": numbered,
        "official_dev": DEV not in cut or TRAIN not in cut,
        "dropped": {reason: count for reason, count in counted.items() if count},
        "repeats in train": _repeats(row_ids[split_rows[TRAIN]], labels[split_rows[TRAIN]]),
        "rows": {
            split: {"available": n_available, "used": len(used)}
            for split, n_available, used in zip(SPLIT_NAMES, available, chosen, strict=True)
        },
        "sha256": {split: _fingerprint(keys, groups, index) for split, index in zip(SPLIT_NAMES, chosen, strict=True)},
        "notes": [*notes, *missing],
        "seed": options.seed,
        **({"max_examples": options.max_examples} if rows.spans is None else {"max_words": options.max_words, "unit": WORD}),
        **({"pair": list(pair)} if pair is not None else {}),
    }
    return Splits(name, train, dev, test, provenance, pair)


class OtherDivisions:
    """Divisions of the rows of train and dev into a train and a dev like the ones there are, as many as somebody asks for.

    They keep what the first division kept: the shares of rows and of classes, as far as units allow (rows that share a normalised
    text or a group), and no unit on both sides. A text counts once in dev, and not at all with two labels.

    Where data are divided for the first time, the largest units are placed first, which gives the best sizes and, where hardly
    two groups are equally large, the same division whatever the seed: of 30 groups, each 0.85 times as large as the one before
    it, two divisions in 100 seeds. Here units come by lot, and of five lots the one with the best sizes is taken: 96 divisions,
    with a dev of 207 rows on average (standard deviation 10) where 201 are wanted.

    Attributes:
      rows: the rows of train, then those of dev, without their further columns.
      n_units: the number of units.
    """

    def __init__(self, train: LabelledTexts, dev: LabelledTexts):
        grouped = [one.groups if one.groups is not None else [None] * len(one) for one in (train, dev)]
        texts = (*train.texts, *dev.texts)
        spans = None if train.spans is None or dev.spans is None else np.concatenate([train.spans, dev.spans])
        labels = np.concatenate([train.labels, dev.labels])
        groups = [None if group is None else str(group) for one in grouped for group in one]
        has_groups = any(group is not None for group in groups)
        self._text_ids = _text_numbers(texts)
        self._units = _units(self._text_ids, groups) if has_groups else self._text_ids
        written = [_written(label, train.label_names) for label in labels.tolist()]
        self._keys = _keys(texts, written, None if spans is None else spans.tolist())
        if spans is not None:  # a word counts once at its place
            forms = {WORD_COLUMN: [*train.columns[WORD_COLUMN], *dev.columns[WORD_COLUMN]]}
            self._text_ids = _places(self._text_ids, [(start, end) for start, end in spans.tolist()], forms)
        self._shares = {TRAIN: len(train) / len(texts), DEV: len(dev) / len(texts)}
        names = _group_names(groups, self._units, self._keys) if has_groups else None
        self.rows = LabelledTexts(texts, labels, train.label_names, names, spans=spans)
        self.n_units = len(np.unique(self._units))

    def drawn(self, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The indices into `rows` of another train and another dev, both ascending.

        Raises:
          DatasetError: the rows cannot be divided with every class on both sides.
        """
        labels, (strata, n_classes) = self.rows.labels, strata_by(self.rows.labels, self.rows.label_names)
        wanted = self._shares[DEV] * np.bincount(strata, minlength=n_classes)
        found: list[tuple[float, NDArray[np.int64]]] = []
        for lot, draw in enumerate(np.random.default_rng([*b"division", seed]).integers(2**63, size=_MOST_LOTS).tolist()):
            home = _cut(strata, self._units, self._keys, self._shares, n_classes, draw, largest_first=False)
            _leave_repeats(home, labels, self._text_ids, Counter())
            n_by_class = _count_classes(home, strata, n_classes)
            if self._are_enough(home, n_by_class):
                found.append((float(np.abs(n_by_class[DEV] - wanted).sum()), home))
            if found and (lot + 1 >= _LOTS or found[-1][0] <= n_classes):
                home = min(found, key=lambda one: one[0])[1]
                return np.flatnonzero(home == TRAIN), np.flatnonzero(home == DEV)
        raise DatasetError(
            f"The {len(labels):,} rows of train and dev cannot be divided again with every class in both parts: rows that share "
            f"a text or a group stay together, and count as {self.n_units:,}. Give more rows, or leave the rarest class out."
        )

    def _are_enough(self, home: NDArray[np.int64], n_by_class: NDArray[np.int64]) -> bool:
        if self.rows.target == NUMBER:
            parts = [(self.rows.labels[home == split], least) for split, least in ((TRAIN, MIN_TRAIN), (DEV, MIN_HELD_OUT))]
            return all(len(np.unique(numbers)) > 1 and len(numbers) >= least for numbers, least in parts)
        return bool(n_by_class[TRAIN].min() >= _MIN_PER_CLASS and n_by_class[DEV].min() >= 1)


def _written(label: float, label_names: Sequence[str]) -> str:
    """A label as it counts for the canonical order."""
    return label_names[int(label)] if label_names else repr(float(label))


def _usable(part: Rows, counted: Counter[str]) -> Rows:
    """The rows with text and label; counts the others."""
    kept = []
    for row, (text, label) in enumerate(zip(part.texts, part.labels, strict=True)):
        if text and not (np.isnan(label) if isinstance(label, float) else label == UNLABELLED):
            kept.append(row)
        else:
            counted["unlabelled" if text else "without text"] += 1
    return part.take(kept)


def _pool(parts: Mapping[SplitName, Rows], label_names: Sequence[str]) -> tuple[Rows, NDArray[np.int64], list[str]]:
    """All rows in canonical order, the number of the split that each stands in, and a hash of each text and label."""
    present = [(split, parts[name]) for split, name in enumerate(SPLIT_NAMES) if name in parts]
    column_names = dict.fromkeys(column for _, part in present for column in part.columns)
    rows = Rows(
        texts=[text for _, part in present for text in part.texts],
        labels=[label for _, part in present for label in part.labels],
        groups=[group for _, part in present for group in part.groups],
        columns={
            column: [value for _, part in present for value in part.columns.get(column, [""] * len(part.texts))]
            for column in column_names
        },
        spans=None
        if any(part.spans is None for _, part in present)
        else [span for _, part in present for span in part.spans or ()],
    )
    home = np.array([split for split, part in present for _ in part.texts], dtype=np.int64)
    keys = _keys(rows.texts, [_written(label, label_names) for label in rows.labels], rows.spans)
    # Groups and columns decide between rows of one text and label: which of them is chosen must not depend on their order.
    others = [[str(value) for value in values] for values in zip(rows.groups, *rows.columns.values(), strict=True)]
    order = sorted(range(len(home)), key=lambda row: (keys[row], home[row], others[row]))
    return rows.take(order), home[order], [keys[row] for row in order]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _keys(texts: Sequence[str], labels: Sequence[str], spans: Sequence[Sequence[int]] | None) -> list[str]:
    """``[n]`` a hash of each text and label; of words one by which those of a text stand side by side, in its order."""
    if spans is None:
        return [_digest(text, label) for text, label in zip(texts, labels, strict=True)]
    digests = {text: _digest(text) for text in dict.fromkeys(texts)}
    places = zip(texts, labels, spans, strict=True)
    return [f"{digests[text]} {start:08d} {end:08d} {label}" for text, label, (start, end) in places]


def _text_numbers(texts: Sequence[str]) -> NDArray[np.int64]:
    """``[n]`` the same number for what counts as the same text."""
    compared = {text: normalise_text(text) for text in dict.fromkeys(texts)}
    return _numbered([compared[text] for text in texts])


def _places(
    text_ids: NDArray[np.int64], spans: Sequence[tuple[int, int]], columns: Mapping[str, Sequence[str]]
) -> NDArray[np.int64]:
    """``[n]`` the same number for the same word at the same place of a text."""
    return _numbered(list(zip(text_ids.tolist(), spans, columns[WORD_COLUMN], strict=True)))


def _leave_words_over(
    home: NDArray[np.int64],
    labels: NDArray[np.int64],
    text_ids: NDArray[np.int64],
    keys: Sequence[str],
    n_classes: int,
    options: DatasetOptions,
) -> None:
    """Takes whole texts out of train until it has ``max_words`` words at the most, with the tags in their proportions."""
    index = np.flatnonzero(home == TRAIN)
    if options.max_words == 0 or len(index) <= options.max_words:
        return
    share = options.max_words / len(index)
    own_keys = [keys[row] for row in index]
    side = _cut(labels[index], text_ids[index], own_keys, {TRAIN: share, _LEFT: 1 - share}, n_classes, options.seed)
    # Whole texts seldom make the very number, so the last ones by lot go as well.
    kept = index[side == TRAIN]
    lots = {
        number: _digest(str(options.seed), keys[row]) for row, number in reversed(list(zip(kept, text_ids[kept], strict=True)))
    }
    place = {number: place for place, number in enumerate(sorted(lots, key=lambda number: lots[number]))}
    order = np.array([place[number] for number in text_ids[kept]], dtype=np.int64)
    n_words = np.cumsum(np.bincount(order))
    home[index] = _LEFT
    home[kept[n_words[order] <= options.max_words]] = TRAIN


def _without_rare_tags(
    name: str,
    home: NDArray[np.int64],
    labels: NDArray[np.int64],
    text_ids: NDArray[np.int64],
    cut: Mapping[int, float],
    label_names: Sequence[str],
) -> tuple[list[str], NDArray[np.int64], list[str]]:
    """The tags that can be classes, the labels by their numbers (`UNLABELLED` for others), and notes on the others.

    Takes the words of the others out of ``home``.

    Raises:
      DatasetError: fewer than two are left, or more than `MOST_TAGS`.
    """
    n_classes = len(label_names)
    n_by_class = _count_classes(home, labels, n_classes)
    in_train = home == TRAIN
    pairs = np.unique(np.stack([labels[in_train], text_ids[in_train]]), axis=1)
    n_texts = np.bincount(pairs[0], minlength=n_classes)
    fits = (n_texts >= _MIN_PER_CLASS) & (n_by_class[DEV] > 0)
    for split in cut:
        fits &= n_by_class[split] > 0
    kept, left = np.flatnonzero(fits), np.flatnonzero(~fits & (n_by_class.sum(axis=0) > 0))
    if len(kept) < 2:
        few = f"only {label_names[kept[0]]!r} is" if len(kept) else "none is"
        raise DatasetError(
            f"Data set {name!r}: a probe needs two or more tags, each in two sentences of train and in one of every other split "
            f"that is cut, but {few}. Give more sentences, or choose another column of tags."
        )
    if len(kept) > MOST_TAGS:
        raise DatasetError(
            f"Data set {name!r}: its words have {len(kept)} tags, and more than {MOST_TAGS} are not told apart. Choose a column "
            "with fewer, or name tags that count as none in the option missing."
        )
    notes = []
    if len(left):
        named = ", ".join(f"{label_names[label]} ({n_by_class[:, label].sum()})" for label in left[:_MOST_NAMED])
        named += f" and {len(left) - _MOST_NAMED} others" if len(left) > _MOST_NAMED else ""
        one = len(left) == 1
        notes.append(
            f"Too rare to be {'a class' if one else 'classes'}, so that {'its' if one else 'their'} words count as having "
            f"no tag: {named}. A tag needs two sentences of train, and a word in dev."
        )
    numbers = np.full(n_classes, UNLABELLED, dtype=np.int64)
    numbers[kept] = np.arange(len(kept))
    home[~fits[labels]] = _LEFT
    return [label_names[label] for label in kept], numbers[labels], notes


def _numbered(values: Sequence[Hashable]) -> NDArray[np.int64]:
    """``[n]`` the same number for the same value."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def _units(text_ids: NDArray[np.int64], groups: Sequence[str | None]) -> NDArray[np.int64]:
    """``[n_rows]`` unit numbers: rows that share a text or a group, directly or through other rows, are one unit.

    Groups that differ in case or writing only count as one: a unit too large costs little, one author on both sides is a leak.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    grouped = np.array([group is not None for group in groups], dtype=bool)
    n_texts = int(text_ids.max()) + 1
    group_ids = n_texts + _numbered([as_compared(group) for group in groups if group is not None])
    n_nodes = int(group_ids.max()) + 1
    edges = coo_matrix((np.ones(len(group_ids)), (text_ids[grouped], group_ids)), shape=(n_nodes, n_nodes))
    _, component = connected_components(edges, directed=False)
    return np.asarray(component[text_ids], dtype=np.int64)


def _leave_shared(home: NDArray[np.int64], units: NDArray[np.int64], whole: str, counted: Counter[str]) -> None:
    """Takes rows out of the less held-out split wherever a unit stands in two: train leaves for dev and test, dev for test."""
    in_test = np.isin(units, units[home == TEST])
    in_held_out = np.isin(units, units[(home == DEV) | (home == TEST)])
    from_dev = (home == DEV) & in_test
    from_train = (home == TRAIN) & in_held_out
    counted[f"dev rows whose {whole} also stands in test"] += int(from_dev.sum())
    counted[f"train rows whose {whole} also stands in dev or test"] += int(from_train.sum())
    home[from_dev | from_train] = _LEFT


def _cut_missing(
    home: NDArray[np.int64], labels: NDArray[np.int64], units: NDArray[np.int64], keys: Sequence[str], n_classes: int, seed: int
) -> dict[int, float]:
    """Fills the splits that have no rows, in place; returns the shares of the cut, split -> share of what was cut."""
    dev, test = bool((home == DEV).any()), bool((home == TEST).any())
    if dev and test:
        return {}
    if dev:
        origin, shares = DEV, {DEV: 0.5, TEST: 0.5}
    elif test:
        origin, shares = TRAIN, {TRAIN: 0.85, DEV: 0.15}
    else:
        origin, shares = TRAIN, {TRAIN: 0.7, DEV: 0.15, TEST: 0.15}
    index = np.flatnonzero(home == origin)
    home[index] = _cut(labels[index], units[index], [keys[row] for row in index], shares, n_classes, seed)
    return shares


def _cut(
    labels: NDArray[np.int64],
    units: NDArray[np.int64],
    keys: Sequence[str],
    shares: Mapping[int, float],
    n_classes: int,
    seed: int,
    *,
    largest_first: bool = True,
) -> NDArray[np.int64]:
    """``[n]`` split numbers: units, large ones first and otherwise in seeded order, each to the split most in need of it.

    scikit-learn's StratifiedGroupKFold does the same, but recomputes all folds for every group: minutes for SST-2's size.
    """
    _, unit_of_row = np.unique(units, return_inverse=True)
    n_units = int(unit_of_row.max(initial=-1)) + 1
    counts = np.zeros((n_units, n_classes))
    np.add.at(counts, (unit_of_row, labels), 1)
    unit_keys: list[str] = [""] * n_units
    for unit, key in zip(unit_of_row.tolist(), keys, strict=True):
        unit_keys[unit] = min(key, unit_keys[unit] or key)
    sizes = counts.sum(axis=1)
    places = -sizes if largest_first else np.zeros(n_units)
    order = sorted(range(n_units), key=lambda unit: (places[unit], _digest(str(seed), unit_keys[unit])))

    splits = np.array(list(shares))
    targets = np.outer(list(shares.values()), counts.sum(axis=0))
    weights = 1 / np.where(targets > 0, targets, 1)
    lacking = targets.copy()
    split_of_unit = np.empty(n_units, dtype=np.int64)
    for unit in order:
        best = int(np.argmax((lacking * weights) @ counts[unit]))
        lacking[best] -= counts[unit]
        split_of_unit[unit] = splits[best]
    return split_of_unit[unit_of_row]


def _choose(
    index: NDArray[np.int64],
    labels: NDArray[np.int64],
    keys: Sequence[str],
    n_classes: int,
    options: DatasetOptions,
    least_of_each: int,
) -> NDArray[np.int64]:
    """At most ``max_examples`` of the rows at ``index``, in their order, with the classes in proportion."""
    if options.max_examples == 0 or len(index) <= options.max_examples:
        return index
    quotas = _quotas(np.bincount(labels[index], minlength=n_classes), options.max_examples, least_of_each)
    drawn = sorted(index.tolist(), key=lambda row: _digest(str(options.seed), keys[row]))
    chosen: list[int] = []
    for label, quota in enumerate(quotas.tolist()):
        chosen += [row for row in drawn if labels[row] == label][:quota]
    return np.array(sorted(chosen), dtype=np.int64)


def _quotas(counts: NDArray[np.int64], total: int, least_of_each: int) -> NDArray[np.int64]:
    """``[n_classes]`` how many of each class: in proportion, by largest remainder, but so many of each as are asked."""
    least = np.minimum(counts, least_of_each)
    if least.sum() > total:
        raise DatasetError(
            f"max_examples is {total}, too few for {len(counts)} classes. Give at least {least_of_each * len(counts)}."
        )
    exact = total * counts / counts.sum()
    quotas = np.maximum(np.floor(exact).astype(np.int64), least)
    while quotas.sum() > total:
        quotas[np.argmax(quotas)] -= 1
    for label in np.argsort(np.floor(exact) - exact, kind="stable"):
        if quotas.sum() < total and quotas[label] < counts[label]:
            quotas[label] += 1
    return quotas


def _leave_repeats(
    home: NDArray[np.int64], labels: NDArray[np.int64], text_ids: NDArray[np.int64], counted: Counter[str]
) -> None:
    """Takes repeated texts out of dev and test: all but the first copy, or every copy where the labels differ."""
    for split in (DEV, TEST):
        index = np.flatnonzero(home == split)
        _, first, copy_of = np.unique(text_ids[index], return_index=True, return_inverse=True)
        differs = labels[index] != labels[index[first]][copy_of]
        contradicted = np.isin(copy_of, copy_of[differs])
        repeated = ~np.isin(np.arange(len(index)), first) & ~contradicted
        counted[f"{SPLIT_NAMES[split]} rows whose text has two labels"] += int(contradicted.sum())
        counted[f"{SPLIT_NAMES[split]} rows that repeat a text"] += int(repeated.sum())
        home[index[contradicted | repeated]] = _LEFT


def check_classes(
    name: str,
    labels: NDArray[np.int64],
    label_names: Sequence[str],
    counted: Mapping[str, int],
    *,
    of_words: bool = False,
) -> None:
    """Refuses a source without two classes, or with more than its rows can fill, before anything is made of it.

    Args:
      name: the data set's.
      labels: ``[n_rows]`` class indices of all rows that have one.
      label_names: the classes that they point to.
      counted: how many rows were left out, by the reason.
      of_words: whether classes are tags of words, of which those with few rows are left out later.

    Raises:
      DatasetError: says how many rows and classes there are.
    """
    present = [label_names[label] for label in np.unique(labels)]
    if len(present) < 2:
        left_out = _told_left_out(counted)
        if of_words:
            raise DatasetError(
                f"Data set {name!r}: a probe needs two or more tags, but all of its {len(labels)} words with a tag are "
                f"{present[0]!r}. {f'Left out: {left_out}. ' if left_out else ''}Choose another column of tags, or give other "
                "words a tag."
            )
        found = f"all of its {len(labels)} labelled rows are {present[0]!r}" if present else "it has no labelled row"
        raise DatasetError(
            f"Data set {name!r}: a probe needs two or more classes, but {found}. "
            + (f"Left out: {left_out}. " if left_out else "")
            + "Rows without a label, or with the label -1, count as unlabelled: give a class of that name another one."
        )
    if not of_words and len(labels) < (_MIN_PER_CLASS + 1) * len(present):
        raise DatasetError(
            f"Data set {name!r}: {len(present)} classes for {len(labels)} rows: is the label a number, or the text itself? "
            "A class needs at least three rows, two in train and one in dev. "
            "Choose another label column, divide the numbers into a few classes, or give more rows."
        )


def _told_left_out(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in counted.items() if count)


def _check_no_split_is_empty(
    name: str,
    home: NDArray[np.int64],
    units: NDArray[np.int64],
    whole: str,
    counted: Mapping[str, int],
    n_tags: int | None,
    *,
    named: bool,
) -> None:
    """Refuses an empty split, with what has emptied it; ``named``: whether somebody named the groups of ``whole``."""
    row, more = ("row", "rows") if n_tags is None else ("word", "sentences")
    for split in (TRAIN, DEV, TEST):
        if (home == split).any():
            continue
        left_out = [(reason, count) for reason, count in counted.items() if count and reason.startswith(SPLIT_NAMES[split])]
        if left_out:
            why = f"left out were {', '.join(f'{count} {reason}' for reason, count in left_out)}"
        else:
            n_units = len(np.unique(units))
            why = f"{row}s that share a {whole} stay together, so the {len(home)} {row}s count as {n_units} when they are divided"
        many = n_tags is not None and n_tags > 2 and len(home) < (_MIN_PER_CLASS + 1) * n_tags
        advice = [
            "Check the label column" if any("two labels" in reason for reason, _ in left_out) else "",
            f"There are {n_tags} tags for {len(home)} words: choose a column with fewer" if many else "",
            "Check the group column" if named else "",
            f"Give more {more}",
        ]
        raise DatasetError(f"Data set {name!r}: no {SPLIT_NAMES[split]} {row} is left: {why}. {'. '.join(filter(None, advice))}.")


def _count_classes(home: NDArray[np.int64], labels: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """``[3, n_classes]`` rows of each class in train, dev and test."""
    return np.stack([np.bincount(labels[home == split], minlength=n_classes) for split in (TRAIN, DEV, TEST)])


def check_every_class(
    name: str, n_by_class: NDArray[np.int64], label_names: Sequence[str], cut: Mapping[int, float] | None = None
) -> None:
    """Refuses a class that cannot be fitted, or that dev lacks, where layers are compared.

    Args:
      name: the data set's.
      n_by_class: ``[3, n_classes]`` rows of each class in train, dev and test.
      label_names: ``[n_classes]``.
      cut: the splits that were cut from others, if any.

    Raises:
      DatasetError: names the class, and how many rows of it there are.
    """
    for label_name, counts in zip(label_names, n_by_class.T.tolist(), strict=True):
        found = ", ".join(f"{count} in {split}" for split, count in zip(SPLIT_NAMES, counts, strict=True))
        if counts[TRAIN] < _MIN_PER_CLASS or any(counts[split] < 1 for split in cut or ()):
            raise DatasetError(
                f"Data set {name!r}: class {label_name!r} has too few examples ({found}). Each class needs at least two in train "
                "and one in each split that is cut (one text, or one group, stays whole in one split). "
                "Add examples of it, or leave the class out."
            )
        if counts[DEV] < 1:
            raise DatasetError(
                f"Data set {name!r}: dev has no row of class {label_name!r} ({found}), but layers are compared on dev, by every "
                "class. Choose other splits, leave the class out, or give one table, to be divided with every class in each part."
            )


def _missing_in_test(n_by_class: NDArray[np.int64], label_names: Sequence[str]) -> list[str]:
    """A note where an official test lacks a class: it is scored all the same, as far as that goes."""
    missing = ", ".join(repr(label_names[label]) for label in np.flatnonzero(n_by_class[TEST] == 0))
    if not missing:
        return []
    return [f"Test has no row of class {missing}: scores that need every class, such as balanced accuracy, have no value there."]


def _group_names(groups: Sequence[str | None], units: NDArray[np.int64], keys: Sequence[str]) -> NDArray[np.str_]:
    """``[n_rows]`` one name per unit: its first group, or else its text."""
    names: dict[int, str] = {}
    for unit, group in zip(units.tolist(), groups, strict=True):
        if group is not None:
            names[unit] = min(group, names.get(unit, group))
    for unit, key in zip(units.tolist(), keys, strict=True):
        names.setdefault(unit, f"text {key[:12]}")
    return np.array([names[unit] for unit in units.tolist()], dtype=np.str_)


def _repeats(text_ids: NDArray[np.int64], labels: NDArray[np.int64]) -> dict[str, int]:
    """How many rows repeat a text of an earlier one, and how many texts contradict themselves."""
    pairs = np.unique(np.stack([text_ids, labels]), axis=1)
    _, labels_per_text = np.unique(pairs[0], return_counts=True)
    return {
        "rows that repeat a text": len(text_ids) - len(labels_per_text),
        "texts with two labels": int((labels_per_text > 1).sum()),
    }


def rows_hash(rows: LabelledTexts) -> str:
    """A sha256 of the texts, labels and groups of a split, as its provenance has it."""
    keys = [_digest(text, _written(label, rows.label_names)) for text, label in zip(rows.texts, rows.labels, strict=True)]
    return _fingerprint(keys, rows.groups, np.arange(len(rows)))


def _fingerprint(keys: Sequence[str], groups: NDArray[np.str_] | None, index: NDArray[np.int64]) -> str:
    """A sha256 of texts, labels and groups: what fitted numbers depend on."""
    return _digest(*(f"{keys[row]} {'' if groups is None else groups[row]}" for row in index.tolist()))


def _source(origin: Mapping[str, Any]) -> str:
    """The origin in words."""
    if origin["kind"] == "hub":
        config = f", config {origin['config']}" if "config" in origin else ""
        return f"{origin['id']}{config} from the Hugging Face hub, revision {origin['revision'] or 'unknown'}"
    return " ".join([origin["kind"], origin.get("path", "")]).strip()


def _division(parts: Mapping[SplitName, Rows], cut: Mapping[int, float], whole: str) -> str:
    """How the splits came about, in words."""
    if not cut:
        return "Official train, dev and test"
    if TRAIN not in cut:
        missing = "has no labels" if "test" in parts else "is missing"
        parted = f"divided 50/50 into dev and test (no {whole} stands in both)"
        return f"Official train; the official dev split is {parted}, because test {missing}"
    if TEST not in cut:
        return f"Official train and test; dev is 15 % of train (no {whole} stands in both)"
    return f"One table, divided 70/15/15 into train, dev and test (no {whole} stands in two)"
