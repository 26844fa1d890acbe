"""A table of texts with what kept probes say of each row, and how right they are where the rows have labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lit_probe.data.labelled_texts import normalise_text
from lit_probe.data.numbers import numbers_of
from lit_probe.data.rows import cell, group_words, label_words, one_writing
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder
from lit_probe.errors import ProbeError
from lit_probe.probing.kept_probe import KeptProbe, ProbePredictions
from lit_probe.progress import Progress, no_progress
from lit_probe.scores.metrics import METRICS, Score
from lit_probe.scores.number_rows import NUMBER_METRICS, NumberRows
from lit_probe.scores.scored_rows import ScoredRows

_MOST_NAMED = 5


@dataclass(frozen=True)
class PredictedRows:
    """Rows with their predictions.

    Attributes:
      columns: by name, all of one length: those of the table, then ``predicted``, a probability for each class (none of a
        number), ``truncated`` and ``in_training``. A name that the table has already is followed by “(probe)”. Rows without a
        text have None there. Lists and objects of the table are written in JSON.
      notes: what a reader must know, in sentences; scores are among them.
    """

    columns: Mapping[str, Sequence[Any]]
    notes: tuple[str, ...]


def predict_rows(
    kept: KeptProbe,
    encoder: Encoder,
    table: Mapping[str, Sequence[Any]],
    texts: Sequence[str],
    *,
    layer: int | None = None,
    label_column: str | None = None,
    cache: Cache | None = None,
    progress: Progress = no_progress,
) -> PredictedRows:
    """Predicts every row that has a text.

    Args:
      kept: the probes.
      encoder: the encoder that they were fitted on.
      table: columns by name, which travel along.
      texts: ``[n_rows]`` the texts.
      layer: the layer that is read; the usual one when None.
      label_column: the column with the labels by which predictions are scored; nothing is scored when None.
      cache: where activations are kept.
      progress: hears how many of the texts are encoded.

    Raises:
      LitProbeError: no row has a text, or as ``KeptProbe.predict``.
    """
    read = [row for row, text in enumerate(texts) if normalise_text(text)]
    if not read:
        raise ProbeError("No row has a text, so there is nothing to predict.")
    words: Sequence[str | None] | None = None
    if label_column is not None and kept.label_names:
        words = label_words(dict(table), label_column)  # type: ignore[arg-type]
    elif label_column is not None:
        # Of numbers -1 is one as any.
        words = group_words(table[label_column], label_column)
    found = kept.predict([texts[row] for row in read], encoder, layer, cache=cache, progress=progress)
    assert found.truncated is not None and found.in_training is not None
    own: dict[str, list[Any]] = {"predicted": found.labels if found.numbers is None else found.numbers.tolist()}
    own |= {f"probability: {name}": found.probabilities[:, index].tolist() for index, name in enumerate(found.label_names)}
    own |= {"truncated": found.truncated.tolist(), "in_training": found.in_training.tolist()}
    columns: dict[str, Sequence[Any]] = {name: [_told(value) for value in values] for name, values in table.items()}
    for name, values in own.items():
        spread: list[Any] = [None] * len(texts)
        for row, value in zip(read, values, strict=True):
            spread[row] = value
        while name in columns:
            name = f"{name} (probe)"
        columns[name] = spread
    decided = f" {kept.facts.decision.sentence}" if kept.label_names else ""
    notes = [f"{len(read):,} texts, read at layer {found.layer} by {kept.title}.{decided}"]
    if n_empty := len(texts) - len(read):
        notes.append(f"{n_empty:,} of {len(texts):,} rows have no text and get no prediction.")
    if n_cut := int(found.truncated.sum()):
        notes.append(f"{n_cut:,} of them were truncated to {encoder.max_length} tokens (kept: {encoder.keep}).")
    if n_seen := int(found.in_training.sum()):
        left_out = "" if words is None else ", which are left out of the score"
        notes.append(f"The probes were trained on {n_seen:,} of these texts{left_out}.")
    if words is not None:
        of_rows = [words[row] for row in read]
        notes += _scores(kept, found, of_rows) if kept.label_names else _number_scores(found, of_rows, str(label_column))
    return PredictedRows(columns, tuple(notes))


def _told(value: Any) -> Any:
    """A value as a table of texts and numbers takes it: lists and objects in JSON."""
    return cell(value) if isinstance(value, list | tuple | dict) else value


def _scores(kept: KeptProbe, found: ProbePredictions, words: Sequence[str | None]) -> list[str]:
    """How right the predictions are, over rows that the probes were not trained on and whose label is one of their classes."""
    names = list(kept.label_names)
    written = one_writing({"classes": names, "rows": words})
    classes, labels = written["classes"], written["rows"]
    unknown = sorted({word for word in labels if word is not None and word not in classes})
    notes = []
    if unknown:
        n_rows = sum(word in unknown for word in labels)
        named = f"{', '.join(map(repr, unknown[:_MOST_NAMED]))}{', …' if len(unknown) > _MOST_NAMED else ''}"
        notes.append(
            f"{n_rows:,} rows have labels that the probes do not know ({named}), and are not scored. Their classes are: "
            f"{', '.join(map(repr, names))}."
        )
    if n_none := labels.count(None):
        notes.append(f"{n_none:,} rows have no label, and are not scored.")
    seen = found.in_training if found.in_training is not None else np.zeros(len(labels), dtype=bool)
    scored = [row for row, word in enumerate(labels) if word in classes and not seen[row]]
    if not scored:
        return [*notes, "No row can be scored."]
    rows = ScoredRows(
        found.probabilities[scored][:, None],
        [classes.index(labels[row]) for row in scored],
        None,
        kept.facts.seed,
        names,
        kept.facts.decision,
    )
    scores = {name: METRICS[name].score(rows)[0] for name in dict.fromkeys(("accuracy", kept.facts.headline))}
    return [*notes, *_told_scores(scores)]


def _number_scores(found: ProbePredictions, words: Sequence[str | None], column: str) -> list[str]:
    """How near the predictions are, over rows that the probes were not trained on and that have a number.

    Raises:
      DatasetError: a label is no finite number.
    """
    assert found.numbers is not None
    labels = np.array(numbers_of({"": [word or "" for word in words]}, {"": ()}, column)[""])
    notes = [f"{n_none:,} rows have no label, and are not scored."] if (n_none := int(np.isnan(labels).sum())) else []
    seen = found.in_training if found.in_training is not None else np.zeros(len(labels), dtype=bool)
    scored = ~np.isnan(labels) & ~seen
    if not scored.any():
        return [*notes, "No row can be scored."]
    rows = NumberRows(found.numbers[scored, None, None], labels[scored])
    return [*notes, *_told_scores({name: metric.score(rows)[0] for name, metric in NUMBER_METRICS.items()})]


def _told_scores(scores: Mapping[str, Score]) -> list[str]:
    notes = []
    for name, score in scores.items():
        if score.value is None:
            notes.append(f"{name}: no score, {score.reason}.")
            continue
        interval = "no interval" if score.low is None else f"95 % interval {score.low:.3f}–{score.high:.3f}"
        doubt = "" if score.reliable else f"; not to be relied on: {score.reason}"
        notes.append(f"{name} {score.value:.3f}, {interval}, n = {score.n:,}{doubt}.")
    return notes
