"""Probes trained on one data set, scored on the dev rows of others with the same classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import normalise_text
from lit_probe.errors import LitProbeError, ProbeError
from lit_probe.probing.study import LayerStudy
from lit_probe.scores.metrics import Score, score_layers


def transfer(studies: Sequence[LayerStudy]) -> dict[str, Any]:
    """How far each data set's probes read the same classes off the texts of each other one, layer by layer.

    The diagonal holds the scores of the studies themselves. A dev row whose text stands in the train rows of the probe's own
    data set (as when one holds the sentences of the other) is left out of that cell.

    Args:
      studies: two or more of one encoder, with one pooling, for the same classes.

    Returns:
      JSON-ready: ``train``, ``test``: the names of the data sets in the order of rows and columns; ``metric``: the one that
      all cells show, accuracy, or balanced accuracy where it is the headline of any study; ``n``, ``left_out``: ``[n_train,
      n_test]`` rows scored and left out; ``layers``: per layer ``layer`` and ``[n_train, n_test]`` tables ``scores``, ``low``,
      ``high`` (95 %) and ``reasons`` (why a score is doubtful or missing, else an empty string); ``notes``.

    Raises:
      ProbeError: fewer than two studies, or two that cannot be compared (`obstacle`).
    """
    if len(studies) < 2:
        raise ProbeError("Transfer needs two or more data sets with the same classes. Name another data set.")
    for other in studies[1:]:
        if reason := obstacle(studies[0], other):
            raise ProbeError(f"There is no transfer between {studies[0].splits.name} and {other.splits.name}: {reason}.")
    names = [study.splits.name for study in studies]
    headlines = {study.headline for study in studies}
    metric = "balanced_accuracy" if "balanced_accuracy" in headlines else studies[0].headline
    kept = [[_unseen(on, trained) for on in studies] for trained in studies]
    cells = [
        [_cell(trained, on, rows, metric) for on, rows in zip(studies, of_train, strict=True)]
        for trained, of_train in zip(studies, kept, strict=True)
    ]
    return {
        "train": names,
        "test": names,
        "metric": metric,
        "n": [[len(rows) for rows in of_train] for of_train in kept],
        "left_out": [[len(on.splits.dev) - len(rows) for on, rows in zip(studies, of_train, strict=True)] for of_train in kept],
        "layers": [
            {"layer": layer}
            | {
                title: [[getattr(cell[layer], field) for cell in of_train] for of_train in cells]
                for title, field in (("scores", "value"), ("low", "low"), ("high", "high"), ("reasons", "reason"))
            }
            for layer in range(studies[0].encoder.n_layers)
        ],
        "notes": _notes(headlines, metric),
    }


def transfer_within_groups(studies: Sequence[LayerStudy]) -> dict[str, Any]:
    """`transfer` among those studies that can be compared, whatever order they come in.

    Returns:
      JSON-ready: ``groups``: one `transfer` for every two or more studies without an `obstacle` between them, or ``datasets``
      (their names) and ``error`` where it cannot be computed; ``notes``: a sentence for each study that stands alone beside
      others.
    """
    groups: list[list[LayerStudy]] = []
    for study in studies:
        fitting = next((group for group in groups if not obstacle(group[0], study)), None)
        if fitting is None:
            groups.append([study])
        else:
            fitting.append(study)
    # Each beside another that it cannot be compared with, to say why.
    alone = [(group[0], groups[0 if index else 1][0]) for index, group in enumerate(groups) if len(group) == 1 < len(studies)]
    return {
        "groups": [_transfer_or_error(group) for group in groups if len(group) > 1],
        "notes": [
            f"{one.splits.name} stands alone: there is no transfer between {one.splits.name} and {other.splits.name}, because "
            f"{obstacle(one, other)}."
            for one, other in alone
        ],
    }


def _transfer_or_error(studies: Sequence[LayerStudy]) -> dict[str, Any]:
    try:
        return transfer(studies)
    except LitProbeError as error:
        return {"datasets": [study.splits.name for study in studies], "error": str(error)}


def transfer_table(result: dict[str, Any]) -> str:
    """`transfer_within_groups` as text: per group a line for each layer and a column for each pair, then what is to be said."""
    lines = []
    for group in result["groups"]:
        if "error" in group:
            lines.append(f"Transfer between {', '.join(group['datasets'])}: {group['error']}")
            continue
        pairs = [(i, j) for i in range(len(group["train"])) for j in range(len(group["test"]))]
        heads = [f"{group['train'][i]} -> {group['test'][j]}" for i, j in pairs]
        lines.append(f"Transfer, {group['metric']} on dev of probes trained on one data set and scored on another (->):")
        lines.append(f"{'layer':>5}  " + "  ".join(heads))
        for layer in group["layers"]:
            cells = [_words(layer["scores"][i][j], layer["reasons"][i][j]) for i, j in pairs]
            lines.append(f"{layer['layer']:>5}  " + "  ".join(f"{c:>{len(head)}}" for c, head in zip(cells, heads, strict=True)))
        reasons = (reason for layer in group["layers"] for row in layer["reasons"] for reason in row if reason)
        lines += [f"?: {reason}." for reason in dict.fromkeys(reasons)] + group["notes"]
    return "\n".join([*lines, *result["notes"]])


def _words(score: float | None, reason: str) -> str:
    return ("n/a" if score is None else f"{score:.3f}") + ("?" if reason else "")


def obstacle(one: LayerStudy, other: LayerStudy) -> str:
    """Why the probes of one study cannot be scored on the other's activations; an empty string where they can."""
    if one.activations["train"].fingerprint != other.activations["train"].fingerprint:
        return f"the encoders {one.encoder.name} and {other.encoder.name} differ, or how they read texts does"
    if one.pooling != other.pooling:
        return f"one is pooled by {one.pooling}, the other by {other.pooling}"
    if one.splits.label_names != other.splits.label_names:
        return f"the classes of one are {', '.join(one.splits.label_names)}, of the other {', '.join(other.splits.label_names)}"
    return ""


def _unseen(on: LayerStudy, trained: LayerStudy) -> NDArray[np.int64]:
    """The dev rows whose text the other study's probes were not trained on."""
    seen = {normalise_text(text) for text in trained.splits.train.texts}
    return np.array([row for row, text in enumerate(on.splits.dev.texts) if normalise_text(text) not in seen], dtype=np.int64)


def _cell(trained: LayerStudy, on: LayerStudy, rows: NDArray[np.int64], metric: str) -> list[Score]:
    """One score per layer."""
    dev = on.splits.dev.select(rows)
    probabilities = trained.layerwise.predict_proba(on.activations["dev"])[rows]
    return score_layers(metric, probabilities, dev.labels, dev.groups, on.seed, label_names=dev.label_names)


def _notes(headlines: set[str], metric: str) -> list[str]:
    if len(headlines) == 1:
        return []
    return [f"One data set is imbalanced, so all cells show {metric.replace('_', ' ')}: they can be compared."]
