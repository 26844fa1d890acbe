"""The learning curve: how the score on dev grows with the number of training examples, layer by layer."""

from __future__ import annotations

from typing import Any

from lit_probe.encoder.cache import Cache
from lit_probe.probing.portions import portion_probes
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.scores.metrics import METRICS, majority_score, score_layers


def learning_curve(study: LayerStudy, cache: Cache | None = None, progress: Progress = no_progress) -> dict[str, Any]:
    """The study's headline metric on dev, of probes fitted on nested portions of train (`portions.Portions`).

    The fits are those of `description_length`, and the last ones, on all of train, are the study's own: that point of each curve
    is the score shown everywhere else. The intervals tell how far the dev rows determine a score, not how it would vary with
    other training examples.

    Args:
      study: what is probed; its train and dev splits are read.
      cache: where the fits are kept.
      progress: called with the work done and all the work; what it raises ends the computation.

    Returns:
      JSON-ready: ``metric``, ``metric_title``, ``n_dev``, ``majority`` (its score for the class frequencies of train, or None);
      ``n_train`` ``[n_points]`` sizes of the portions that have probes; ``layers``, each with ``layer`` and ``points``
      ``[n_points]`` of ``n``, ``score``, ``low`` and ``high`` (its 95 % interval; None where there is none); ``notes``.
    """
    fits = portion_probes(study, cache, progress)
    train, dev = study.splits.train, study.splits.dev
    sizes, scores = [], []
    for size, probe in fits.fitted():
        probabilities = study.probabilities("dev") if probe is study.layerwise else probe.predict_proba(study.activations["dev"])
        sizes.append(size)
        scores.append(
            score_layers(study.headline, probabilities, dev.labels, dev.groups, study.seed, label_names=dev.label_names)
        )
    reasons = dict.fromkeys(score.reason for of_layers in scores for score in of_layers if score.reason)
    return {
        "metric": study.headline,
        "metric_title": METRICS[study.headline].title,
        "n_dev": len(dev),
        "majority": majority_score(study.headline, train.labels, dev.labels, dev.label_names),
        "n_train": sizes,
        "layers": [
            {
                "layer": layer,
                "points": [
                    {"n": size, "score": score.value, "low": score.low, "high": score.high}
                    for size, score in zip(sizes, of_layer, strict=True)
                ],
            }
            for layer, of_layer in enumerate(zip(*scores, strict=True))
        ],
        "notes": [*fits.notes(), *(f"Dev: {reason}." for reason in reasons)],
    }
