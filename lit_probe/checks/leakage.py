"""What was seen before: texts with a copy in another split, and checkpoints fine-tuned on the labels that are probed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lit_probe.checks.near_copies import MEASURES, Copy, copies_between
from lit_probe.data.labelled_texts import SplitName, Splits
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.source import Source
from lit_probe.probing.head_classes import is_placeholder
from lit_probe.results import Result

# Which rule finds copies, in words that cards compare: change them when the numbers change.
COPIES_MADE_BY = "words in common, one text within another, spelling, runs of four characters, each more than chance gives"

MAX_EXAMPLES = 20

_IN_WORDS = {
    "words": "with at least 70% of the words in common",
    "contained": "of which one text holds the other",
    "spelling": "misspelt",
    "characters": "short and spelt alike",
}
_COMPARED: tuple[tuple[SplitName, SplitName], ...] = (("dev", "train"), ("test", "train"), ("test", "dev"))


@dataclass(frozen=True)
class CopiesBetween(Result):
    """The rows of one split that have a copy in another one.

    Attributes:
      of: the split of the rows.
      in_: the split of the copies, ``in`` in the JSON.
      n: the number of rows of the first split.
      exact: the number of those with an exact copy.
      near: the number of those with a near copy alone.
      by: the same by the measure that finds it first, a name of `MEASURES` (see `copies_between`).
      examples: up to `MAX_EXAMPLES` of them, exact ones first, then by similarity.
    """

    of: str
    in_: str
    n: int
    exact: int
    near: int
    by: Mapping[str, int]
    examples: tuple[Copy, ...]


@dataclass(frozen=True)
class NearDuplicates(Result):
    """The answer of `near_duplicates`.

    Attributes:
      exact: the number of rows with an exact copy, all pairs of splits together.
      near: the number of rows with a near copy.
      between: the copies of each two splits.
      rows: the positions, ascending, by split (``"dev"``, ``"test"``), of the rows with a copy in train.
      notes: the same in sentences.
    """

    exact: int
    near: int
    between: tuple[CopiesBetween, ...]
    rows: Mapping[str, tuple[int, ...]]
    notes: tuple[str, ...]


def near_duplicates(splits: Splits) -> NearDuplicates:
    """Rows whose text has a copy in another split, exact or near as `copies_between` says.

    Nothing is removed: the rows are named, so that they can be marked. Of words it is their sentences that are compared.
    """
    found = copies_between({name: rows.whole_texts for name, rows in splits.items()}, _COMPARED)
    sizes = {name: len(rows.whole_texts) for name, rows in splits.items()}
    between = tuple(_summary(of, into, sizes[of], copies) for (of, into), copies in found.items())
    return NearDuplicates(
        exact=sum(part.exact for part in between),
        near=sum(part.near for part in between),
        between=between,
        rows={"dev": tuple(sorted(found["dev", "train"])), "test": tuple(sorted(found["test", "train"]))},
        notes=_notes(between),
    )


def circularity_of(encoder: Encoder, splits: Splits) -> str | None:
    """Why probing this encoder for these labels is circular, see `circularity`; None of random weights, which learnt nothing."""
    return None if encoder.random_seed is not None else circularity(encoder.checkpoint, splits.label_names, splits.name)


def circularity(checkpoint: Source, label_names: Sequence[str], dataset_name: str = "") -> str | None:
    """Why probing this checkpoint for these labels is circular: it was fine-tuned on them.

    Its files say so when its own head has the same classes, or when it was fine-tuned and its ``finetuning_task`` or its name
    holds the name of the data set.

    Args:
      checkpoint: the encoder's files, or a model in memory.
      label_names: the class names of the data set.
      dataset_name: its name, such as ``"sst2"``; without one only the labels are compared.

    Returns:
      A sentence, or None where the files say nothing.

    >>> from lit_probe.encoder.checkpoint import Checkpoint
    >>> config = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "NEGATIVE", "1": "POSITIVE"}}
    >>> circularity(Checkpoint("org/tuned", None, Path("."), config), ("negative", "positive")).split(":")[0]
    'tuned has a head of its own for negative, positive, the labels that are probed here'
    """
    warning = "its scores show that training, not what a pretrained encoder holds. Compare with the checkpoint it started from."
    head = {name.casefold() for name in checkpoint.head_label_names or ()}
    if label_names and head == {name.casefold() for name in label_names} and not any(is_placeholder(name) for name in head):
        labels = ", ".join(label_names)
        return f"{checkpoint.short_name} has a head of its own for {labels}, the labels that are probed here: {warning}"
    task = str(checkpoint.config.get("finetuning_task") or "")
    names = [Path(str(name)).name for name in (checkpoint.model_id, checkpoint.config.get("_name_or_path") or "")]
    tuned = checkpoint.has_classification_head or any(re.search(r"fine-?_?tuned", name, re.IGNORECASE) for name in names)
    for hint in (task, *(names if tuned else ())):
        if _names_dataset(hint, dataset_name):
            return f"{checkpoint.short_name} was fine-tuned on {dataset_name}, as its files say ({hint!r}): {warning}"
    return None


def _summary(of: SplitName, into: SplitName, n: int, copies: Mapping[int, Copy]) -> CopiesBetween:
    counted = Counter(copy.measure for copy in copies.values())
    near = {measure: counted[measure] for measure in MEASURES}
    examples = sorted(copies.values(), key=lambda copy: (copy.measure != "exact", -copy.similarity, copy.row))
    return CopiesBetween(of, into, n, counted["exact"], sum(near.values()), near, tuple(examples[:MAX_EXAMPLES]))


def _notes(between: Sequence[CopiesBetween]) -> tuple[str, ...]:
    notes = tuple(
        f"Among {part.n:,} {part.of} rows, exact copies of {part.in_} rows: {part.exact:,}; "
        f"near copies: {near_in_words(part.by)}."
        for part in between
        if part.exact or part.near
    )
    return notes or ("No text has a copy in another split, exact or near.",)


def near_in_words(by: Mapping[str, int]) -> str:
    """How many near copies were found by which measure.

    >>> near_in_words({"words": 3, "contained": 1, "characters": 0})
    '4 (3 with at least 70% of the words in common, 1 of which one text holds the other)'
    """
    parts = ", ".join(f"{count:,} {_IN_WORDS[measure]}" for measure, count in by.items() if count)
    return f"{sum(by.values()):,}" + (f" ({parts})" if parts else "")


def _names_dataset(hint: str, dataset_name: str) -> bool:
    """Whether words of ``hint`` name the data set, as the words ``sst 2`` of a model's name do ``sst2_sentences``.

    >>> _names_dataset("distilbert-base-uncased-finetuned-sst-2-english", "sst2_sentences"), _names_dataset("bert", "imdb")
    (True, False)
    """
    words = re.findall(r"[a-z]+|\d+", hint.lower())
    runs = {"".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    squeezed = re.sub(r"[^a-z0-9]", "", dataset_name.lower())
    first = re.split(r"[^a-z0-9]", dataset_name.lower())[0]
    return any(len(key) >= 4 and key in runs for key in (squeezed, first))
