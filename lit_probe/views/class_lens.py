"""What a fine-tuned classifier's own head makes of each layer, beside the probes of the same classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, TEXT
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.head_readings import read_classification_head
from lit_probe.errors import LitProbeError
from lit_probe.probing.head_classes import is_numbered, match_classes, matched_by_number, why_unmatched
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.results import Result
from lit_probe.scores.by_target import ALL_METRICS
from lit_probe.scores.decision import Decision
from lit_probe.scores.metrics import Score

# What stands beside the numbers wherever they are shown.
IN_WORDS = (
    "The probes say what can be decoded at a layer, by a reader of their own for each. The head is one reader, trained on the "
    "last layer: where it lags behind the probes, the classes are there already, in a form that the head does not read."
)


@dataclass(frozen=True)
class ClassLens(Result):
    """The head's scores on dev by layer, beside those of the probes.

    Attributes:
      encoder: the encoder's name.
      label_names: ``[n_classes]`` the data set's classes.
      metric: the metric of all scores, by name.
      metric_title: its name for people.
      n: how many dev rows were scored.
      layer_names: ``[n_layers]``.
      best_layer: the layer chosen on dev by the probes' scores; None where they were not read at the layers.
      head: ``[n_layers]`` the scores of the checkpoint's own head, which puts a row in its most probable class.
      probes: ``[n_layers]`` those of the probes; empty where they were not read at the layers.
      settled: ``[n_layers]`` the share of dev rows, 0 to 1, whose most probable class at the layer is that of the last one.
      majority: what the largest class of train alone would score.
      notes: what a reader must know, in sentences.
    """

    encoder: str
    label_names: tuple[str, ...]
    metric: str
    metric_title: str
    n: int
    layer_names: tuple[str, ...]
    best_layer: int | None
    head: tuple[Score, ...]
    probes: tuple[Score, ...]
    settled: tuple[float, ...]
    majority: float | None
    notes: tuple[str, ...]


def class_lens(study: LayerStudy, *, progress: Progress = no_progress) -> ClassLens:
    """How good the checkpoint's own classification head is on every layer, beside the probes of the same classes.

    The head, pooler and dense layers included, reads each layer's states in place of the last one's, after the final norm where
    there is one: the logit lens (nostalgebraist 2020) of a classifier. At the last layer it is the model. Probes say what is
    decodable at a layer, the head says what it can use as it stands.

    Args:
      study: a finished study of an encoder with a head for its classes.
      progress: hears how many dev texts are done.

    Raises:
      EncoderError: there is no such head, or the architecture's pass cannot be entered at its last layer.
      LitProbeError: the head's classes are not those of the study, or it is no study of texts and classes.
    """
    encoder, splits = study.encoder, study.splits
    if encoder.head_label_names is None:
        raise LitProbeError(f"{encoder.name} has no classification head of its own to read its layers.")
    if reason := why_no_curve(encoder, splits):
        raise LitProbeError(reason)
    columns = _columns(encoder, splits) or []
    dev = splits.dev
    encoded = encoder.encode(dev.texts)
    if not all(text.ids for text in encoded):
        raise LitProbeError(f"A text of {splits.name} has no token, so the head of {encoder.name} cannot read it.")
    found = read_classification_head(encoder, encoded, progress=progress).astype(np.float64)[:, :, columns]
    head = study.dev_scores(found, Decision())
    said = found.argmax(axis=-1)
    probes = () if encoder.at_sites else tuple(study.dev_scores(study.probabilities("dev")))
    return ClassLens(
        encoder=encoder.name,
        label_names=tuple(splits.label_names),
        metric=study.headline,
        metric_title=ALL_METRICS[study.headline].title,
        n=len(dev),
        layer_names=encoder.at_layers.layer_names,
        best_layer=None if encoder.at_sites else study.best_layer,
        head=tuple(head),
        probes=probes,
        settled=tuple((said == said[:, -1:]).mean(axis=0).tolist()),
        majority=study.metrics("dev").majority[study.headline],
        notes=matched_by_number(tuple(encoder.head_label_names or ()), splits.label_names, columns),
    )


def why_no_curve(encoder: Encoder, splits: Splits) -> str | None:
    """Why the head of a classifier cannot be scored on a data set, in a sentence; None where it can. Nothing is loaded for it."""
    if splits.target != CLASSES:
        return f"The head puts texts in classes, and {splits.name} asks for a number, so there is no score of it by layer."
    if splits.unit != TEXT:
        return f"The head puts whole texts in classes, and {splits.name} asks for something of each word."
    if _columns(encoder, splits) is None:
        return why_unmatched(encoder.name, encoder.head_label_names or (), splits.label_names)
    return None


def _columns(encoder: Encoder, splits: Splits) -> list[int] | None:
    return match_classes(encoder.head_label_names or (), splits.label_names, numbered=is_numbered(splits))


def classes_by_layer(encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float64]:
    """What the checkpoint's own classification head makes of each layer: ``[n_texts, n_layers, n_head_classes]`` probabilities.

    Raises:
      EncoderError: as of `class_lens`.
      LitProbeError: a text has no token.
    """
    encoded = encoder.encode(texts)
    if not all(text.ids for text in encoded):
        raise LitProbeError("The text is empty, so there is nothing to read off. Write a word.")
    return read_classification_head(encoder, encoded).astype(np.float64)
