"""Probes that are kept: those of the model on the page as a file, and a file of probes scored on the rows of the page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data import asked
from lit_probe.data.labelled_texts import SplitName
from lit_probe.errors import LitProbeError, ProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.asked_rows import rows_of
from lit_probe.lit.host.config_values import Key, any_text, boolean, one_of
from lit_probe.lit.host.row_selection import SelectedRows
from lit_probe.lit.interpreters.layer_metrics import HEADLINE, series_of
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.probing.kept_probe import KeptProbe, kept_probe
from lit_probe.probing.layerwise import LayerMetrics
from lit_probe.probing.probe_file import ENDING, probe_bytes, read_probe
from lit_probe.registry import lookup
from lit_probe.scores.metrics import metrics_for

# Bytes of a file. Perceptrons for all layers of a large BERT have 13 MB; a request, in base64, must stay below `Limits.max_body`.
MAX_FILE = 16 * 2**20
# Classes of a file's probes: each is a colour of LIT's column, and a probability of each row.
MAX_CLASSES = 1_000
_MOST_NAMED = 5
_UPLOADED = "The file"
SCORES, CLASSES = "scores", "classes"


class ProbeFileInterpreter(ProbeInterpreter):
    """The probes of a model, as the file that `lit_probe.save_probes` writes."""

    keys = {}
    targets = (asked.CLASSES, asked.NUMBER)

    def answer(self, question: Question) -> dict[str, Any]:
        """The file in base64, ``file``, and its ``name``."""
        name = f"probes_{fields.model_name(question.probes.encoder.name, question.probes.dataset.name)}{ENDING}"
        return {"name": name, "file": base64.b64encode(probe_bytes(kept_probe(question.study))).decode()}


class KeptProbeInterpreter(ProbeInterpreter):
    """What the probes of a file make of the rows on the page. The file comes with each question, and nothing of it is kept.

    The part ``scores`` tells how well they do on dev and test, by the rules of the file, without the rows that they were trained
    on; at every layer on dev, and on test at their chosen layer alone. The part ``classes`` tells the class of each example.
    """

    keys = {
        "file": Key(lambda value, name: _read_file(value, name)),
        "part": one_of((SCORES, CLASSES), SCORES),
        "metric": any_text(HEADLINE),
        "whole": boolean(False),
    }
    reads_texts = True
    waits_for_rows = True

    def answer(self, question: Question) -> dict[str, Any]:
        """See `_scores` and `_classes`.

        Raises:
          ProbeError: the probes read other vectors than those of the model on the page.
        """
        kept: KeptProbe = question["file"]
        if not kept.label_names:
            raise ProbeError("The probes of the file give a number, and this panel is about classes. Use lit-probe predict.")
        kept.check_encoder(question.probes.encoder, question.study.pooling)
        return _classes(question, kept) if question["part"] == CLASSES else _scores(question, kept)


def _classes(question: Question, kept: KeptProbe) -> dict[str, Any]:
    """The class of each example at the layer that was chosen for the file's probes: ``classes``, and the ``vocabulary``."""
    names = fields.shown_labels(kept.label_names)
    pooled = question.probes.pooled(question.texts)
    decided = kept.facts.decision.classes(kept.probabilities(pooled.layer(kept.layer), kept.layer))
    return {"classes": [names[index] for index in decided.tolist()], "vocabulary": list(names), "layer": kept.layer}


def _scores(question: Question, kept: KeptProbe) -> dict[str, Any]:
    """How well the file's probes do on the rows, and what they are."""
    probes, study, facts = question.probes, question.study, kept.facts
    names = fields.shown_labels(kept.label_names)
    same_classes = set(names) == set(probes.label_names)
    metrics = metrics_for(probes.label_names)
    metric = lookup(metrics, study.headline if question["metric"] == HEADLINE else question["metric"], "metric")
    selection = rows_of(question.inputs, probes, question.shown, ("dev", "test"), whole=question["whole"])
    series, n_trained_on, n_scored = [], 0, 0
    for split, every in selection.by_split.items():
        rows = _not_trained_on(every, kept)
        n_trained_on += len(every) - len(rows)
        if not len(rows) or not same_classes:
            continue
        n_scored += len(rows)
        series.append(_series(question, kept, split, rows, metric.name, names))
    notes = [facts.decision.sentence] if metric.decides and series else []
    if not same_classes:
        notes.append(
            f"They tell {_named(names)} apart, and the rows here are {_named(probes.label_names)}: they have predictions, and no "
            "score."
        )
    return {
        "title": kept.title,
        "encoder": facts.encoder.name,
        "trained_on": facts.dataset,
        "n_train": facts.n_train,
        "probe": facts.kind,
        "pooling": facts.pooling,
        "layers": list(facts.layers),
        "layer": kept.layer,
        "metric": metric.name,
        "same_classes": same_classes,
        "series": series,
        "n_trained_on": n_trained_on,
        "left_out": dict(selection.left_out),
        "notes": notes,
    }


def _series(
    question: Question, kept: KeptProbe, split: SplitName, rows: SelectedRows, metric: str, names: tuple[str, ...]
) -> dict[str, Any]:
    """The scores on the rows of a split, in the form of the page's own curve."""
    probes, study = question.probes, question.study
    layers = list(kept.facts.layers) if split == "dev" else [kept.layer]
    pooled = probes.pooled(rows.texts)
    # Of each class of the page, its place among those of the file.
    order = [names.index(name) for name in probes.label_names]
    probabilities: NDArray[np.float64] = np.stack(
        [kept.probabilities(pooled.layer(layer), layer)[:, order] for layer in layers], axis=1
    )
    shares = kept.facts.decision.shares
    measured = LayerMetrics.measure(
        split,
        probabilities,
        rows.labels,
        probes.label_names,
        study.splits.train.labels,
        groups=rows.groups,
        seed=study.seed,
        metrics=[metric],
        decision=replace(kept.facts.decision, shares=tuple(shares[index] for index in order)) if shares else kept.facts.decision,
    )
    return series_of(measured, metric, layers)


def _not_trained_on(rows: SelectedRows, kept: KeptProbe) -> SelectedRows:
    """The rows that the probes of the file have not seen."""
    new = np.flatnonzero(~kept.in_training(rows.texts))
    return SelectedRows(
        indices=[rows.indices[row] for row in new],
        texts=[rows.texts[row] for row in new],
        labels=rows.labels[new],
        groups=None if rows.groups is None else rows.groups[new],
    )


def _named(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= _MOST_NAMED else f"{', '.join(names[:_MOST_NAMED])}, … ({len(names):,} classes)"


def _read_file(value: Any, name: str) -> KeptProbe:
    """The probes in a file that a browser has sent in base64."""
    if not isinstance(value, str):
        raise LitProbeError(f"{name!r} must be a file of probes in base64.")
    if len(value) > 4 * (MAX_FILE // 3 + 1):
        raise ProbeError(f"{_UPLOADED} is larger than the {MAX_FILE // 2**20} MiB that the page takes. Use lit-probe predict.")
    try:
        content = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise LitProbeError(f"{name!r} must be a file of probes in base64.") from None
    kept = read_probe(content, _UPLOADED)
    if (n_classes := len(kept.label_names)) > MAX_CLASSES:
        raise ProbeError(
            f"The probes of the file tell {n_classes:,} classes apart, and the page takes at most {MAX_CLASSES:,}. Use lit-probe "
            "predict."
        )
    return kept
