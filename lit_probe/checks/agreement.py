"""Where the probes of each layer and the checkpoint's own classification head are right, and where they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.check import CheckResult
from lit_probe.probing.head_classes import is_numbered, match_classes, matched_by_number, why_unmatched
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
        return Agreement(available=False, reason=why_unmatched(study.encoder.name, head_names, label_names))
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
        notes=matched_by_number(head_names, label_names, columns),
    )


def _share(inside: NDArray[np.bool_], units: Units) -> tuple[float, float | None, float | None]:
    """The share of rows inside, with the ends of its interval."""
    low, high = proportion_interval(inside, np.ones_like(inside), units) or (None, None)
    return float(inside.mean()), low, high
