"""Where the probes of each layer and the checkpoint's own classification head are right, and where they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lit_probe.checks.leakage import is_placeholder
from lit_probe.probing.study import LayerStudy
from lit_probe.scores.intervals import Interval, group_units, proportion_interval


def agreement(study: LayerStudy) -> dict[str, Any]:
    """The probes' predictions beside those of the checkpoint's own head, on the dev rows.

    The four counts of each layer are the table of McNemar's test (1947, https://doi.org/10.1007/BF02295996): right or wrong by
    probe and by model. A layer whose probe is right where the model is wrong holds what the model's answer does not show.

    Args:
      study: of any encoder.

    Returns:
      JSON-ready. ``available`` False with a ``reason`` where the checkpoint has no head with the data set's classes. Otherwise
      ``n``; ``model``: ``accuracy``, ``low``, ``high`` of the head itself; ``layers``: ``layer``, ``both_right``,
      ``probe_only``, ``model_only``, ``both_wrong`` (counts, the second: only the probe is right), ``agreement`` (share of rows
      in which both give the same class, right or wrong), ``low``, ``high`` (95 %, Wilson, by group where there are groups);
      ``rows``: for each layer the dev positions behind the last three counts; ``notes``.
    """
    label_names = study.splits.label_names
    head_names, own = study.encoder.head_label_names, study.activations["dev"].head_probabilities
    if head_names is None or own is None:
        return _unavailable(f"{study.encoder.name} has no classification head of its own to compare the probes with.")
    columns = match_classes(head_names, label_names)
    if columns is None:
        return _unavailable(
            f"The head of {study.encoder.name} predicts {', '.join(head_names)}, but the data set's classes are "
            f"{', '.join(label_names)}: they cannot be compared."
        )
    dev = study.splits.dev
    units = group_units(dev.groups)
    model = own[:, columns].argmax(axis=1)
    model_right = model == dev.labels
    layers: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for layer, probabilities in enumerate(study.probabilities("dev").swapaxes(0, 1)):
        probe = probabilities.argmax(axis=1)
        probe_right, same = probe == dev.labels, probe == model
        cells = {
            "probe_only": probe_right & ~model_right,
            "model_only": ~probe_right & model_right,
            "both_wrong": ~probe_right & ~model_right,
        }
        counts = {"both_right": probe_right & model_right, **cells}
        layers.append(
            {
                "layer": layer,
                **{name: int(inside.sum()) for name, inside in counts.items()},
                "agreement": float(same.mean()),
                **_ends(proportion_interval(same, np.ones_like(same), units)),
            }
        )
        rows.append({"layer": layer, **{name: np.flatnonzero(inside).tolist() for name, inside in cells.items()}})
    return {
        "available": True,
        "n": len(dev),
        "model": {
            "accuracy": float(model_right.mean()),
            **_ends(proportion_interval(model_right, np.ones_like(model_right), units)),
        },
        "layers": layers,
        "rows": rows,
        "notes": _notes(head_names, label_names),
    }


def match_classes(head_names: Sequence[str], label_names: Sequence[str]) -> list[int] | None:
    """For each of ``label_names`` its column in the head's output, or None where the classes are others.

    By name, whatever the case; by position where the head's classes are only numbered and as many.

    >>> match_classes(("POSITIVE", "NEGATIVE"), ("negative", "positive"))
    [1, 0]
    >>> match_classes(("LABEL_0", "LABEL_1"), ("negative", "positive"))
    [0, 1]
    >>> match_classes(("joy", "anger"), ("negative", "positive"))
    """
    folded, wanted = [name.casefold() for name in head_names], [name.casefold() for name in label_names]
    if sorted(folded) == sorted(wanted) and len(set(wanted)) == len(wanted):
        return [folded.index(name) for name in wanted]
    if len(folded) == len(wanted) and all(is_placeholder(name) for name in folded):
        return list(range(len(wanted)))
    return None


def _notes(head_names: Sequence[str], label_names: Sequence[str]) -> list[str]:
    if {name.casefold() for name in head_names} == {name.casefold() for name in label_names}:
        return []
    pairs = ", ".join(f"{head} as {label}" for head, label in zip(head_names, label_names, strict=True))
    return [f"The head's classes have no names of their own and were matched by position: {pairs}."]


def _unavailable(reason: str) -> dict[str, Any]:
    return {"available": False, "reason": reason, "layers": [], "notes": []}


def _ends(interval: Interval | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {"low": low, "high": high}
