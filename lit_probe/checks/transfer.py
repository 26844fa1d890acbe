"""Probes trained on one data set, scored on the dev rows of others with the same classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.seen_rows import SeenRows, seen_rows
from lit_probe.data.asked import NUMBER
from lit_probe.errors import LitProbeError, ProbeError
from lit_probe.probing.rules import AUTO
from lit_probe.probing.study import LayerStudy
from lit_probe.results import Result
from lit_probe.scores.decision import Decision
from lit_probe.scores.metrics import Score, score_layers

# Which rule makes its numbers, in words that cards compare: change them when the numbers change.
TRANSFER_MADE_BY = "dev rows that are no copy of train rows by more than chance nor of a group named there, by the probes' shares"


@dataclass(frozen=True)
class LayerTransfer(Result):
    """The scores of one layer's probes, rows by the data set they were trained on, columns by that of the dev rows.

    Attributes:
      layer: the layer's number.
      scores: ``[n_train, n_test]`` the scores; None where there is none.
      low: ``[n_train, n_test]`` the lower ends of their 95 % intervals; None where there is none.
      high: ``[n_train, n_test]`` the upper ends.
      reasons: ``[n_train, n_test]`` why a score is doubtful or missing, else an empty string.
      with_left_out: ``[n_train, n_test]`` the scores of all dev rows, those too that are left out; None where there is none.
    """

    layer: int
    scores: tuple[tuple[float | None, ...], ...]
    low: tuple[tuple[float | None, ...], ...]
    high: tuple[tuple[float | None, ...], ...]
    reasons: tuple[tuple[str, ...], ...]
    with_left_out: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class Transfer(Result):
    """The answer of `transfer`.

    Attributes:
      train: ``[n_train]`` the names of the data sets, in the order of the rows of the tables.
      test: ``[n_test]`` the same names, in the order of the columns.
      metric: the metric of all cells: accuracy, or balanced accuracy where it is the headline of any study.
      n: ``[n_train, n_test]`` the number of rows that are scored.
      left_out: ``[n_train, n_test]`` the number of dev rows that are left out.
      layers: ``[n_layers]`` the tables.
      notes: sentences for the reader; among them one for each pair with rows left out, which says why.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    metric: str
    n: tuple[tuple[int, ...], ...]
    left_out: tuple[tuple[int, ...], ...]
    layers: tuple[LayerTransfer, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class FailedTransfer(Result):
    """The answer where the transfer between some data sets cannot be computed.

    Attributes:
      datasets: the names of the data sets.
      error: the sentence that says why.
    """

    datasets: tuple[str, ...]
    error: str


@dataclass(frozen=True)
class TransferGroups(Result):
    """The answer of `transfer_within_groups`.

    Attributes:
      groups: the transfer among every two or more studies without an `obstacle` between them.
      notes: a sentence for each study that stands alone beside others.
    """

    groups: tuple[Transfer | FailedTransfer, ...]
    notes: tuple[str, ...]


def transfer(studies: Sequence[LayerStudy]) -> Transfer:
    """How far each data set's probes read the same classes off the texts of each other one, layer by layer.

    The diagonal holds the scores of the studies themselves, unless one data set is unbalanced and another is not: then all cells
    show balanced accuracy, decided beside the train shares of the probe's own data set. Elsewhere a dev row that the probe's own
    train rows tell of is left out of that cell (`seen_rows`): an exact or a near copy of one, or a row of the same group. The
    scores with these rows stand beside.

    Args:
      studies: two or more of one encoder, with one pooling, for the same classes.

    Raises:
      ProbeError: fewer than two studies, or two that cannot be compared (`obstacle`).
    """
    for study in studies:
        study.check_pooled("Transfer")
    if len(studies) < 2:
        raise ProbeError("Transfer needs two or more data sets with the same classes. Name another data set.")
    for other in studies[1:]:
        if reason := obstacle(studies[0], other):
            raise ProbeError(f"There is no transfer between {studies[0].splits.name} and {other.splits.name}: {reason}.")
    names = tuple(study.splits.name for study in studies)
    headlines = {study.headline for study in studies}
    metric = "balanced_accuracy" if "balanced_accuracy" in headlines else studies[0].headline
    cells = [[_cell(trained, on, metric) for on in studies] for trained in studies]
    return Transfer(
        train=names,
        test=names,
        metric=metric,
        n=tuple(tuple(cell.n for cell in row) for row in cells),
        left_out=tuple(tuple(len(on.splits.dev) - cell.n for on, cell in zip(studies, row, strict=True)) for row in cells),
        layers=tuple(_layer(cells, layer) for layer in range(studies[0].encoder.n_layers)),
        notes=(*_notes(headlines, metric), *_left_out(names, cells)),
    )


def transfer_within_groups(studies: Sequence[LayerStudy]) -> TransferGroups:
    """`transfer` among those studies that can be compared, whatever order they come in."""
    groups: list[list[LayerStudy]] = []
    for study in studies:
        fitting = next((group for group in groups if not obstacle(group[0], study)), None)
        if fitting is None:
            groups.append([study])
        else:
            fitting.append(study)
    # Each beside another that it cannot be compared with, to say why.
    alone = [(group[0], groups[0 if index else 1][0]) for index, group in enumerate(groups) if len(group) == 1 < len(studies)]
    return TransferGroups(
        tuple(_transfer_or_error(group) for group in groups if len(group) > 1),
        tuple(
            f"{one.splits.name} stands alone: there is no transfer between {one.splits.name} and {other.splits.name}, because "
            f"{obstacle(one, other)}."
            for one, other in alone
        ),
    )


def _transfer_or_error(studies: Sequence[LayerStudy]) -> Transfer | FailedTransfer:
    try:
        return transfer(studies)
    except LitProbeError as error:
        return FailedTransfer(tuple(study.splits.name for study in studies), str(error))


def transfer_table(result: TransferGroups) -> str:
    """`transfer_within_groups` as text: per group a line for each layer and a column for each pair, then what is to be said.

    Where rows are left out, the score of all rows stands in brackets.
    """
    lines: list[str] = []
    for group in result.groups:
        if isinstance(group, FailedTransfer):
            lines.append(f"Transfer between {', '.join(group.datasets)}: {group.error}")
            continue
        pairs = [(i, j) for i in range(len(group.train)) for j in range(len(group.test))]
        heads = [f"{group.train[i]} -> {group.test[j]}" for i, j in pairs]
        lines.append(f"Transfer, {group.metric} on dev of probes trained on one data set and scored on another (->):")
        table = [
            [
                _words(layer.scores[i][j], layer.reasons[i][j])
                + (f" ({_words(layer.with_left_out[i][j], '')})" if group.left_out[i][j] else "")
                for i, j in pairs
            ]
            for layer in group.layers
        ]
        widths = [max(map(len, column)) for column in zip(heads, *table, strict=True)]
        for name, row in [("layer", heads), *zip((str(layer.layer) for layer in group.layers), table, strict=True)]:
            lines.append(f"{name:>5}  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))
        if any(map(any, group.left_out)):
            lines.append("In brackets: with the rows that are left out.")
        reasons = (reason for layer in group.layers for row in layer.reasons for reason in row if reason)
        lines += [*(f"* Not to be relied on: {reason}." for reason in dict.fromkeys(reasons)), *group.notes]
    return "\n".join([*lines, *result.notes])


def _words(score: float | None, reason: str) -> str:
    return ("n/a" if score is None else f"{score:.3f}") + ("*" if reason else "")


def obstacle(one: LayerStudy, other: LayerStudy) -> str:
    """Why the probes of one study cannot be scored on the other's activations; an empty string where they can."""
    if one.activations["train"].fingerprint != other.activations["train"].fingerprint:
        return f"the encoders {one.encoder.name} and {other.encoder.name} differ, or how they read texts does"
    if one.pooling != other.pooling:
        return f"one is pooled by {one.pooling}, the other by {other.pooling}"
    if NUMBER in (one.splits.target, other.splits.target):
        return "a number is asked for, and transfer is about classes"
    if one.splits.label_names != other.splits.label_names:
        return f"the classes of one are {', '.join(one.splits.label_names)}, of the other {', '.join(other.splits.label_names)}"
    return ""


@dataclass(frozen=True)
class _Cell:
    """The probes of one study on the dev rows of another.

    Attributes:
      n: the number of rows that are scored.
      scores: ``[n_layers]`` their scores.
      whole: ``[n_layers]`` the scores of all dev rows.
      left_out: a sentence on the others, empty where there are none.
    """

    n: int
    scores: Sequence[Score]
    whole: Sequence[Score]
    left_out: str


def _cell(trained: LayerStudy, on: LayerStudy, metric: str) -> _Cell:
    n_dev = len(on.splits.dev)
    whole = _scores(trained, on, np.arange(n_dev), metric)
    # The splits of one data set are as they are.
    seen = SeenRows({}, (), "") if on is trained else seen_rows(on.splits.dev, on.splits, trained.splits)
    rows = seen.unseen(n_dev)
    scores = whole if len(rows) == n_dev else _scores(trained, on, rows, metric)
    return _Cell(len(rows), scores, whole, seen.sentence(n_dev, trained.splits.name))


def _scores(trained: LayerStudy, on: LayerStudy, rows: NDArray[np.int64], metric: str) -> list[Score]:
    """One score per layer."""
    decision = trained.decision
    balanced = trained.layerwise.options.class_weight is not None
    if metric == "balanced_accuracy" and trained.rules.decision == AUTO and not balanced:
        decision = Decision.by("prior", trained.splits.train.labels, len(trained.splits.label_names))
    dev = on.splits.dev.select(rows)
    probabilities = trained.layerwise.predict_proba(on.activations["dev"])[rows]
    return score_layers(metric, probabilities, dev.labels, dev.groups, on.seed, label_names=dev.label_names, decision=decision)


def _layer(cells: Sequence[Sequence[_Cell]], layer: int) -> LayerTransfer:
    scores = [[cell.scores[layer] for cell in row] for row in cells]
    return LayerTransfer(
        layer,
        scores=tuple(tuple(score.value for score in row) for row in scores),
        low=tuple(tuple(score.low for score in row) for row in scores),
        high=tuple(tuple(score.high for score in row) for row in scores),
        reasons=tuple(tuple(score.reason for score in row) for row in scores),
        with_left_out=tuple(tuple(cell.whole[layer].value for cell in row) for row in cells),
    )


def _left_out(names: Sequence[str], cells: Sequence[Sequence[_Cell]]) -> list[str]:
    """A sentence for each pair of data sets with rows left out."""
    return [
        f"{trained} → {on}: {cell.left_out}"
        for trained, row in zip(names, cells, strict=True)
        for on, cell in zip(names, row, strict=True)
        if cell.left_out
    ]


def _notes(headlines: set[str], metric: str) -> tuple[str, ...]:
    if len(headlines) == 1:
        return ()
    return (f"One data set is imbalanced, so all cells show {metric.replace('_', ' ')}: they can be compared.",)
