"""Which rows are scored. The layer curve and LIT's metrics table both ask here, so they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import SplitName, clean_text
from lit_probe.lit.host import fields
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.labels import Value
from lit_probe.lit.host.model import ProbeModel

# Train shows how well the probes fit, not what is decodable, so it has to be asked for.
HELD_OUT: tuple[SplitName, ...] = ("dev", "test")


@dataclass(frozen=True)
class SelectedRows:
    """Rows in the order of the data set, whatever order they were asked for in: the same set gives the same digits.

    Attributes:
      indices: ``[n_examples]`` where each row stands in the request.
      texts: ``[n_examples]`` cleaned texts.
      labels: ``[n_examples]`` int64 class indices, or float64 numbers.
      groups: ``[n_examples]`` what an interval must not split, or None.
      spans: ``[n_examples, 2]`` where in its text each word begins and ends; None where rows are texts.
      of_study: ``[n_examples]`` which row of its split in the study each is; None where they are read for themselves.
    """

    indices: list[int]
    texts: list[str]
    labels: NDArray[Any]
    groups: NDArray[np.str_] | None
    spans: NDArray[np.int64] | None = None
    of_study: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.indices)


@dataclass(frozen=True)
class Selection:
    """The rows of a request, sorted into those that are scored and those that are left out.

    Attributes:
      by_split: the scored rows of every split that has some.
      left_out: the number of rows that were left out: ``edited`` (also what is no row of the data set), ``unlabelled`` (no label
        that the probes know, or no split), ``not_in_data`` (rows of somebody else's data set that were left out when
        it was divided), ``train`` (rows of the split train, unless they were asked for) and
        ``seen_in_training`` (of the rest, rows of another data set that the probes know from training, see ``seen_rows``).
    """

    by_split: Mapping[SplitName, SelectedRows]
    left_out: Mapping[str, int]

    @property
    def reported(self) -> SelectedRows | None:
        """The rows of a single number: dev, or test where there is no dev row. Test is not looked at beside dev."""
        return self.by_split.get("dev") or self.by_split.get("test")


def nothing_left_out() -> dict[str, int]:
    """The counts of `Selection.left_out` before anything was left out."""
    return dict.fromkeys(("edited", "unlabelled", "not_in_data", "train", "seen_in_training"), 0)


def select_rows(
    inputs: Sequence[Mapping[str, Any]],
    model: ProbeModel,
    dataset: ProbeDataset | None,
    splits: Sequence[SplitName] = HELD_OUT,
) -> Selection:
    """Sorts the rows of a request. A row that is asked for twice counts once.

    Args:
      inputs: examples as LIT sends them.
      model: whose probes are scored.
      dataset: the data set that the examples belong to; None for LIT's empty data set, which has no rows.
      splits: the splits that are wanted.

    Raises:
      LitProbeError: an example has no text.
    """
    left_out = nothing_left_out()
    unwanted_train: set[str] = set()
    candidates: dict[str, tuple[int, Value, SplitName]] = {}
    for index, example in enumerate(inputs):
        text = fields.text_of(example)
        label, split = model.labels.read(example), fields.split_of(example)
        if fields.is_edited(example):
            left_out["edited"] += 1
        elif label is not None and example.get(fields.SPLIT) == fields.NOT_IN_DATA:
            left_out["not_in_data"] += 1
        elif label is None or split is None:
            left_out["unlabelled"] += 1
        # Who asks the API for a row in full could have changed it without LIT's mark.
        elif not model.holds(dataset, example):
            left_out["edited"] += 1
        elif split in splits:
            if model.reader is not None and text in candidates and inputs[candidates[text][0]].get("_id") != example.get("_id"):
                left_out["not_in_data"] += 1  # it repeats another example of somebody else's data set
            candidates.setdefault(text, (index, label, split))
        elif split == "train":
            # Of somebody else's data set each example counts, also where several say the same.
            unwanted_train.add(text if model.reader is None else str(example.get("_id") or text))
    left_out["train"] = len(unwanted_train)
    seen = model.seen_in_training(dataset, candidates)
    left_out["seen_in_training"] = sum(text in seen for text in candidates)

    def place(text: str) -> tuple[bool, int, str]:
        position = dataset.position(text) if dataset is not None else None
        return (position is None, position or 0, text)

    ordered = sorted((text for text in candidates if text not in seen), key=place)
    by_split = {split: [text for text in ordered if candidates[text][2] == split] for split in splits}
    return Selection({split: _rows(texts, candidates, model, dataset) for split, texts in by_split.items() if texts}, left_out)


def all_rows(model: ProbeModel, dataset: ProbeDataset, splits: Sequence[SplitName] = HELD_OUT) -> Selection:
    """All rows of a data set, those too that LIT does not show, in the order of the splits: the rows of the command line.

    Args:
      model: whose probes are scored.
      dataset: the data set on the page.
      splits: the splits that are wanted.
    """
    left_out = nothing_left_out()
    by_split: dict[SplitName, SelectedRows] = {}
    parts = dict(dataset.splits.items())
    for name in splits:
        rows = parts[name]
        texts = [clean_text(text) for text in rows.texts]
        seen = model.seen_in_training(dataset, texts)
        kept = [row for row, text in enumerate(texts) if text not in seen]
        left_out["seen_in_training"] += len(texts) - len(kept)
        if kept:
            by_split[name] = SelectedRows(
                indices=kept,
                texts=[texts[row] for row in kept],
                labels=model.labels.of_others(dataset.labels, rows.labels[kept]),
                groups=None if rows.groups is None else rows.groups[kept],
                of_study=np.array(kept, dtype=np.int64) if dataset is model.dataset else None,
            )
    left_out["train"] = 0 if "train" in splits else len(parts["train"])
    return Selection(by_split, left_out)


def _rows(
    texts: list[str], candidates: Mapping[str, tuple[int, Value, SplitName]], model: ProbeModel, dataset: ProbeDataset | None
) -> SelectedRows:
    return SelectedRows(
        indices=[candidates[text][0] for text in texts],
        texts=texts,
        labels=model.labels.values([candidates[text][1] for text in texts]),
        groups=np.array([dataset.group(text) for text in texts]) if dataset is not None and dataset.grouped else None,
    )
