"""The later layers' scores with neurons switched off, beside random sets of as many neurons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.errors import LitProbeError
from lit_probe.neurons.effects.ablation import (
    N_RANDOM_SETS,
    Ablation,
    against_random,
    change_of,
    moved_by,
    random_changes,
    usual_tokens,
)
from lit_probe.probing.layer_states import LayerStates
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.scores.metrics import METRICS, Score, score_layers

if TYPE_CHECKING:
    pass


def ablation_curve(
    study: LayerStudy,
    texts: Sequence[str],
    labels: Sequence[int],
    ablation: Ablation | None = None,
    *,
    layer: int | None = None,
    groups: ArrayLike | None = None,
    n_random: int = N_RANDOM_SETS,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """The later layers' scores with neurons switched off, beside random sets of as many neurons that move as much.

    Args:
      study: the probes; its headline metric is measured.
      texts: of dev, or a selection.
      labels: ``[n_texts]`` class indices.
      ablation: what is changed; None to project out what the probe of ``layer`` reads, beside random directions.
      layer: only without an ablation.
      groups: ``[n_texts]`` what is not independent of each other, or None.
      n_random: random sets, 2 or more.
      progress: called with the number of passes done; it may raise ``CancelledError``.

    Returns:
      ``layers``: for the ablated layer and those after it, ``before`` and ``after`` with 95 % intervals (``_low``, ``_high``);
      the mean of ``random`` and its extremes (``random_low``, ``random_high``), and ``flipped``, the share of texts
      whose predicted class changes, beside ``random_flipped``; None where the metric is not defined. ``model``: the same share
      for the checkpoint's own head. ``moved`` and what belongs to it: see `moved_by`. ``exceeded``: how many random sets
      change fewer answers at their most sensitive reader after the layer (the later probes and the head), None where there is
      no reader; and at each of these ``beyond``, whether it changes more answers than any of them; see `against_random`.

    Raises:
      LitProbeError: see `ablate`; or there are too few other neurons to compare with.
    """
    if n_random < 2:
        raise LitProbeError(f"{n_random} random sets were asked for; 2 or more show a range.")
    layer = ablation.layer if ablation is not None else layer
    if layer is None:
        raise LitProbeError("Name the layer whose probe direction is projected out.")
    states = LayerStates(study.encoder, texts, layer, study.pooling)
    usual = usual_tokens(study, layer)
    changes = [change_of(study, layer, ablation, usual), *random_changes(study, states, ablation, usual, n_random)]
    passes = []
    for done, change in enumerate((None, *changes)):
        progress(done, n_random + 2)
        passes.append(states.go_on(change))
    progress(n_random + 2, n_random + 2)

    gold = np.asarray(labels)
    probabilities = [one.probabilities(study.layerwise.probes) for one in passes]
    scores = [_scores(study, each, gold, groups) for each in probabilities]
    values = np.array([[np.nan if score.value is None else score.value for score in one] for one in scores])
    predicted = np.array([each.argmax(axis=2) for each in probabilities])
    flipped = (predicted != predicted[0]).mean(axis=1)
    # The changed layer's own probe reads the change itself and is no witness of the pass.
    later = flipped[:, 1:]
    heads = [one.head_probabilities for one in passes]
    model = None
    if heads[0] is not None:
        answers = np.array([head.argmax(axis=1) for head in heads if head is not None])
        flips = (answers != answers[0]).mean(axis=1)
        model = {"flipped": float(flips[1]), **_range(flips[2:], "random_flipped")}
        later = np.column_stack([later, flips])
    exceeded, beyond = against_random(later[1:]) if later.shape[1] else (None, [])
    moved = [one.moved_together for one in passes[1:]]
    return {
        "metric": study.headline,
        "title": METRICS[study.headline].title,
        "n": len(texts),
        "n_random": n_random,
        "layers": [
            {
                "layer": layer + place,
                **_with_interval("before", scores[0][place]),
                **_with_interval("after", scores[1][place]),
                **_range(values[2:, place], "random"),
                "flipped": float(flipped[1, place]),
                **_range(flipped[2:, place], "random_flipped"),
                "beyond": place > 0 and beyond[place - 1],
            }
            for place in range(values.shape[1])
        ],
        "model": None if model is None else {**model, "beyond": beyond[-1]},
        "exceeded": exceeded,
        **moved_by(moved[0], moved[1:]),
    }


def _scores(
    study: LayerStudy, probabilities: NDArray[np.float64], labels: NDArray[np.int64], groups: ArrayLike | None
) -> list[Score]:
    return score_layers(study.headline, probabilities, labels, groups, study.seed, label_names=study.splits.label_names)


def _with_interval(name: str, score: Score) -> dict[str, float | None]:
    return {name: score.value, f"{name}_low": score.low, f"{name}_high": score.high}


def _range(values: NDArray[np.float64], name: str) -> dict[str, float | None]:
    return {name: _number(values.mean()), f"{name}_low": _number(values.min()), f"{name}_high": _number(values.max())}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
