"""Where the probes of each layer and the checkpoint's own classification head are right, and where they agree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.check import CheckResult
from lit_probe.checks.leakage import is_placeholder
from lit_probe.data.labelled_texts import Splits
from lit_probe.probing.study import LayerStudy
from lit_probe.results import Result
from lit_probe.scores.intervals import Units, group_units, proportion_interval


@dataclass(frozen=True)
class HeadAccuracy(Result):
    """How often the checkpoint's own head is right.

    Attributes:
      accuracy: the share of rows, 0 to 1.
      low: the lower end of its 95 % interval (Wilson, by group where there are groups); None where there is none.
      high: the upper end.
    """

    accuracy: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class LayerAgreement(Result):
    """The table of one layer's probe against the model.

    Attributes:
      layer: the layer's number.
      both_right: the number of rows on which both are right.
      probe_only: the number of rows on which only the probe is right.
      model_only: the number of rows on which only the model is right.
      both_wrong: the number of rows on which both are wrong.
      agreement: the share of rows in which both give the same class, right or wrong.
      low: the lower end of its 95 % interval (Wilson, by group where there are groups); None where there is none.
      high: the upper end.
    """

    layer: int
    both_right: int
    probe_only: int
    model_only: int
    both_wrong: int
    agreement: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class AgreementRows(Result):
    """The rows behind three counts of `LayerAgreement`.

    Attributes:
      layer: the layer's number.
      probe_only: the positions in dev, ascending.
      model_only: likewise.
      both_wrong: likewise.
    """

    layer: int
    probe_only: tuple[int, ...]
    model_only: tuple[int, ...]
    both_wrong: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Agreement(CheckResult):
    """The answer of `agreement`.

    Attributes:
      available: whether the checkpoint has a head with the data set's classes.
      reason: the sentence that says why it has none; None where it has one.
      n: the number of dev rows; None without a head, as are the model and the rows.
      model: the head's own accuracy.
      layers: ``[n_layers]`` the tables; empty without a head.
      rows: ``[n_layers]`` the rows behind their counts.
      notes: sentences for the reader.
    """

    available: bool
    reason: str | None = None
    n: int | None = None
    model: HeadAccuracy | None = None
    layers: tuple[LayerAgreement, ...] = ()
    rows: tuple[AgreementRows, ...] | None = None
    notes: tuple[str, ...] = ()

    omitted_if_none: ClassVar[tuple[str, ...]] = ("reason", "n", "model", "rows")


def agreement(study: LayerStudy) -> Agreement:
    """The probes' predictions beside those of the checkpoint's own head, on the dev rows.

    The four counts of each layer are the table of McNemar's test (1947, https://doi.org/10.1007/BF02295996): right or wrong by
    probe and by model. A layer whose probe is right where the model is wrong holds what the model's answer does not show.

    Args:
      study: the study of any encoder.
    """
    label_names = study.splits.label_names
    head_names, own = study.encoder.head_label_names, study.activations["dev"].head_probabilities
    if head_names is None or own is None:
        reason = f"{study.encoder.name} has no classification head of its own to compare the probes with."
        return Agreement(available=False, reason=reason)
    columns = match_classes(head_names, label_names, numbered=is_numbered(study.splits))
    if columns is None:
        nameless = all(is_placeholder(name) for name in head_names)
        advice = " Name the head's classes in the id2label of its config.json." if nameless else ""
        reason = (
            f"The head of {study.encoder.name} predicts {', '.join(head_names)}, but the data set's classes are "
            f"{', '.join(label_names)}: they cannot be compared.{advice}"
        )
        return Agreement(available=False, reason=reason)
    dev = study.splits.dev
    units = group_units(dev.groups)
    model = own[:, columns].argmax(axis=1)
    model_right = model == dev.labels
    layers, rows = [], []
    for layer, probabilities in enumerate(study.probabilities("dev").swapaxes(0, 1)):
        probe = study.decision.classes(probabilities)
        probe_right, same = probe == dev.labels, probe == model
        probe_only = np.flatnonzero(probe_right & ~model_right).tolist()
        model_only = np.flatnonzero(~probe_right & model_right).tolist()
        both_wrong = np.flatnonzero(~probe_right & ~model_right).tolist()
        n_right = int((probe_right & model_right).sum())
        counts = (n_right, len(probe_only), len(model_only), len(both_wrong))
        layers.append(LayerAgreement(layer, *counts, *_share(same, units)))
        rows.append(AgreementRows(layer, tuple(probe_only), tuple(model_only), tuple(both_wrong)))
    return Agreement(
        available=True,
        n=len(dev),
        model=HeadAccuracy(*_share(model_right, units)),
        layers=tuple(layers),
        rows=tuple(rows),
        notes=_notes(head_names, label_names, columns),
    )


def is_numbered(splits: Splits) -> bool:
    """Whether the data set's source numbers its classes, in their order, from 0."""
    return bool(splits.provenance.get("numbered"))


def match_classes(head_names: Sequence[str], label_names: Sequence[str], *, numbered: bool) -> list[int] | None:
    """For each of ``label_names`` its column in the head's output, or None where the classes are others.

    By name, whatever the case. Where the head's classes are only numbered: by number, if the data set's names are numbers or its
    source numbers them. Names that merely stand in alphabetical order have no number.

    Args:
      head_names: the head's classes.
      label_names: the data set's.
      numbered: whether ``label_names`` stand in the order of their numbers from 0.

    >>> match_classes(("POSITIVE", "NEGATIVE"), ("negative", "positive"), numbered=False)
    [1, 0]
    >>> match_classes(("LABEL_0", "LABEL_1", "LABEL_2"), ("0", "2", "1"), numbered=False)
    [0, 2, 1]
    >>> match_classes(("LABEL_0", "LABEL_1"), ("negative", "positive"), numbered=True)
    [0, 1]
    >>> match_classes(("LABEL_0", "LABEL_1"), ("negative", "positive"), numbered=False)
    """
    folded, wanted = [name.casefold() for name in head_names], [name.casefold() for name in label_names]
    if sorted(folded) == sorted(wanted) and len(set(wanted)) == len(wanted):
        return [folded.index(name) for name in wanted]
    if len(folded) != len(wanted) or not all(is_placeholder(name) for name in folded):
        return None
    if numbered:
        return list(range(len(wanted)))
    numbers = [int(name) for name in label_names] if all(name.isdecimal() for name in label_names) else []
    of_head = [int(re.findall(r"\d+", name)[-1]) for name in head_names]
    return [of_head.index(number) for number in numbers] if numbers and sorted(numbers) == sorted(of_head) else None


def _notes(head_names: Sequence[str], label_names: Sequence[str], columns: Sequence[int]) -> tuple[str, ...]:
    if {name.casefold() for name in head_names} == {name.casefold() for name in label_names}:
        return ()
    pairs = ", ".join(f"{head_names[column]} as {label}" for column, label in zip(columns, label_names, strict=True))
    return (f"The head's classes have no names of their own and were matched by number: {pairs}.",)


def _share(inside: NDArray[np.bool_], units: Units) -> tuple[float, float | None, float | None]:
    """The share of rows inside, with the ends of its interval."""
    low, high = proportion_interval(inside, np.ones_like(inside), units) or (None, None)
    return float(inside.mean()), low, high
