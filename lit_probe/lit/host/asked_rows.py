"""The rows that a curve is about, whether they are texts or words, and what the probes say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from lit_probe.data.asked import TEXT, WORD, UnitKind
from lit_probe.data.labelled_texts import SplitName, clean_text
from lit_probe.encoder.joining import unread_words
from lit_probe.lit.host import fields
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.model import ProbeModel, Readings
from lit_probe.lit.host.row_selection import SelectedRows, Selection, all_rows, nothing_left_out, select_rows
from lit_probe.lit.host.word_dataset import WordDataset


class _RowsOf(Protocol):
    def __call__(
        self,
        inputs: Sequence[Mapping[str, Any]],
        model: ProbeModel,
        dataset: ProbeDataset | None,
        splits: Sequence[SplitName],
        *,
        whole: bool,
    ) -> Selection: ...


def rows_of(
    inputs: Sequence[Mapping[str, Any]],
    model: ProbeModel,
    dataset: ProbeDataset | None,
    splits: Sequence[SplitName],
    *,
    whole: bool,
) -> Selection:
    """`all_rows` of the data set where ``whole`` says so, else `select_rows` of the request.

    Where rows are words, the examples are sentences, and the rows are their words with a tag of which the encoder reads a token.

    Args:
      inputs: examples as LIT sends them.
      model: whose probes are scored.
      dataset: the data set that the examples belong to.
      splits: the splits that are wanted.
      whole: whether every row of the data set is wanted, whatever examples were sent.

    Raises:
      LitProbeError: an example has no text.
    """
    return _ROWS[model.unit](inputs, model, dataset, splits, whole=whole)


def readings_of(model: ProbeModel, split: SplitName, rows: SelectedRows) -> Readings:
    """What the probes say of selected rows: from the study where these are its rows, else from the encoder."""
    chosen = model.rows_of_study(split, rows.texts) if rows.of_study is None and rows.spans is None else rows.of_study
    if chosen is None:
        return model.read_rows(rows.texts, rows.spans)
    study = model.study.result()
    read = study.activations[split]
    return Readings(study.predictions(split)[chosen], read.truncated[chosen], read.unknown[chosen])


def _texts(
    inputs: Sequence[Mapping[str, Any]],
    model: ProbeModel,
    dataset: ProbeDataset | None,
    splits: Sequence[SplitName],
    *,
    whole: bool,
) -> Selection:
    return all_rows(model, dataset, splits) if whole and dataset is not None else select_rows(inputs, model, dataset, splits)


def _words(
    inputs: Sequence[Mapping[str, Any]],
    model: ProbeModel,
    dataset: ProbeDataset | None,
    splits: Sequence[SplitName],
    *,
    whole: bool,
) -> Selection:
    left_out, wanted = nothing_left_out(), dict[str, int]()
    sentences = dataset.sentences if isinstance(dataset, WordDataset) else None
    if whole and sentences is not None:
        wanted = {text: place for place, text in enumerate(sentences.texts)}
    for place, example in enumerate(() if whole else inputs):
        if model.holds(dataset, example):
            wanted.setdefault(fields.text_of(example), place)
        else:
            left_out["edited"] += 1
    seen = model.seen_in_training(dataset, wanted)
    own = dataset is model.dataset
    parts = dict((model.study.result().splits if own or dataset is None else dataset.splits).items())
    labels = model.labels if dataset is None else dataset.labels
    by_split: dict[SplitName, SelectedRows] = {}
    for split, rows in parts.items():
        texts = [clean_text(text) for text in rows.texts]
        chosen = np.array([row for row, text in enumerate(texts) if text in wanted], dtype=np.int64)
        fresh = chosen[[texts[row] not in seen for row in chosen.tolist()]] if len(chosen) else chosen
        if split not in splits:
            left_out["train"] += len(fresh)
            continue
        left_out["seen_in_training"] += len(chosen) - len(fresh)
        assert rows.spans is not None
        if not own and len(fresh):
            fresh = fresh[~unread_words(model.encoder, [texts[row] for row in fresh.tolist()], rows.spans[fresh])]
        if not len(fresh):
            continue
        by_split[split] = SelectedRows(
            indices=[wanted[texts[row]] for row in fresh.tolist()],
            texts=[texts[row] for row in fresh.tolist()],
            labels=model.labels.of_others(labels, rows.labels[fresh]),
            groups=None if rows.groups is None else rows.groups[fresh],
            spans=rows.spans[fresh],
            of_study=fresh if own else None,
        )
    return Selection(by_split, left_out)


_ROWS: dict[UnitKind, _RowsOf] = {TEXT: _texts, WORD: _words}
