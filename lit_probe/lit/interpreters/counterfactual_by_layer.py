"""What every layer makes of one edit: live while somebody edits, words and neurons when asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from lit_probe.counterfactuals.edits import aligned_changes, changed_words, edit_warnings
from lit_probe.counterfactuals.moved_neurons import moved_neurons
from lit_probe.counterfactuals.pair_changes import compare_pairs, trajectory
from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import one_layer, one_of, whole_number
from lit_probe.lit.host.explaining import CLASS_PREFIX, OPTION_KEYS, PROBE, MapQuestion, explainer_of, options_of
from lit_probe.lit.host.pooled_texts import PooledBatch
from lit_probe.lit.interpreters.probe_interpreter import Part, ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.lit.interpreters.train_geometries import geometry_of
from lit_probe.probing.probe_forward import SCALARS
from lit_probe.probing.probes.fitted import NUMBER_NAME
from lit_probe.progress import Progress
from lit_probe.salience import EXPLAINING_METHODS
from lit_probe.salience.remarks import baseline_notes

TRAJECTORY = "trajectory"
_DEFAULT_METHOD = "integrated_gradients"
_MAX_NEURONS = 100
# No row of a data set: those are not encoded again.
_ANY_TEXT = "An edit."


def _two(question: Question) -> list[PooledBatch]:
    """The vectors of the two texts.

    Raises:
      LitProbeError: there are not two.
    """
    texts = question.texts
    if len(texts) != 2:
        raise LitProbeError(f"An example is compared with one other, so two must be sent; {len(texts):,} were.")
    return [question.probes.pooled([text]) for text in texts]


def _followed_class(question: Question, original: PooledBatch) -> int:
    """The class whose margin is followed through the layers: the one that the dev-chosen layer predicts for the original.

    Of a number it is 0, its one output.
    """
    study = question.study
    predictions = study.layerwise.probes[study.best_layer].predictions(original.layer(study.best_layer))
    return int(study.decision.classes(predictions)[0])


def _trajectory(question: Question) -> dict[str, Any]:
    probes, study = question.probes, question.study
    original, edit = _two(question)
    warnings = [warning.to_json() for warning in edit_warnings(study.encoder, *question.texts)]
    geometry = geometry_of(probes.study)
    found = trajectory(compare_pairs(study, original, edit, geometry), 0, probes.label_names, study.best_layer).to_json()
    for row in found["layers"]:
        row["typical_cosine"], row["typical_mahalanobis"] = geometry.typical(row["layer"])
    before, after = changed_words(*question.texts)
    return {
        **found,
        "best_layer": study.best_layer,
        "decision": study.decision.to_json(),
        "n_layers": study.encoder.n_layers,
        "layer_names": probes.layer_names,
        "sites": probes.sites,
        "identical": question.texts[0] == question.texts[1],
        "warnings": warnings,
        "words": {"before": before, "after": after},
        "examples": [
            {
                "label": probes.labels.read(example),
                "edited": fields.is_edited(example),
                "truncated": pooled.texts[0].truncated,
            }
            for example, pooled in zip(question.inputs, (original, edit), strict=True)
        ],
        "encoder": study.encoder.name,
        "pooling": study.pooling,
        "probe": study.layerwise.kind,
        "trained_on": study.splits.name,
    }


def _prepare(question: Question) -> dict[str, Any]:
    # With its activations in the cache, the encoder has not been needed yet.
    name = question.probes.encoder.name

    def load(progress: Progress) -> dict[str, Any]:
        return {"n_texts": len(question.probes.pooled([_ANY_TEXT]))}

    return question.probes.checks.ask(("encoder at hand", name), f"Loading {name}", load, quick=True, asker=question.asker)


def _neurons(question: Question) -> dict[str, Any]:
    original, edit = _two(question)
    of_class, layer = _followed_class(question, original), question.layer
    before, after = (batch.layer(layer)[0] for batch in (original, edit))
    found = moved_neurons(question.study.layerwise.probes[layer], before, after, of_class, question["top"])
    names = question.probes.label_names or (NUMBER_NAME,)
    against = None if found.against is None else names[found.against]
    return {**found.to_json(), "layer": layer, "class_name": names[of_class], "against_name": against}


def _salience(question: Question) -> dict[str, Any]:
    original, _ = _two(question)
    layer, method = question.layer, EXPLAINING_METHODS[question["method"]]
    name = (question.probes.label_names or (NUMBER_NAME,))[_followed_class(question, original)]
    of_class = MapQuestion(PROBE, layer, CLASS_PREFIX + name, question["scalar"], options_of(question.values))
    explainer = explainer_of(question.probes)
    maps = [explainer.explain(of_class, method.name, example, question.dataset).scores for example in question.inputs]
    words = [scores.by_word() for scores in maps]
    rows = aligned_changes(*words[0], *words[1])
    return {
        "layer": layer,
        "class_name": name,
        "scalar": maps[0].target.scalar,
        "method": method.name,
        "title": method.title,
        "signed": method.signed,
        "rows": [row.to_json() for row in rows],
        "largest": float(np.abs([(row.score_before, row.score_after, row.change) for row in rows]).max()),
        "value_before": maps[0].value,
        "value_after": maps[1].value,
        "marks": [scores.warning for scores in maps],
        # How far other baselines would change the maps takes several times as long as the maps: an edit does not wait for it.
        "notes": baseline_notes([method], of_class.options),
        "methods": [{"name": one.name, "title": one.title} for one in EXPLAINING_METHODS.values()],
    }


EDIT_PARTS = {
    TRAJECTORY: Part({}, _trajectory),
    # About no examples: it loads the encoder, so that the first edit does not wait for it.
    "prepare": Part({}, _prepare),
    "neurons": Part({"layer": one_layer(), "top": whole_number(1, _MAX_NEURONS, default=10)}, _neurons),
    # The class is that of the trajectory, the same for both texts.
    "salience": Part(
        {
            "layer": one_layer(),
            "method": one_of(EXPLAINING_METHODS, _DEFAULT_METHOD),
            "scalar": one_of(SCALARS, "margin"),
            **OPTION_KEYS,
        },
        _salience,
    ),
}


class CounterfactualByLayerInterpreter(ProbeInterpreter):
    """At which layer does an edit change the probe's answer, how far, through which words and which neurons?"""

    needs = "its tokens"
    targets = (CLASSES, NUMBER)
    keys = {"part": one_of(EDIT_PARTS, TRAJECTORY)}
    by = "part"
    further = {name: part.keys for name, part in EDIT_PARTS.items()}
    form = ("part",)
    reads_texts = True

    def answer(self, question: Question) -> dict[str, Any]:
        """The part's answer about an example and what it is compared with: its edit, or any other one.

        Returns:
          Of ``trajectory``: what `trajectory` gives; each layer has ``typical_cosine`` and ``typical_mahalanobis``, the median
          distances of two train texts; ``best_layer``, ``n_layers``, ``identical``, ``warnings``, ``words`` (both texts' words,
          each with whether it differs), ``examples`` and what the probes are. Of ``neurons``: what `moved_neurons` gives, with
          ``layer``, ``class_name`` and ``against_name``. Of ``salience``: ``rows`` as `aligned_changes` gives them, the values
          that are explained, and the ``methods``.
        """
        return EDIT_PARTS[question["part"]].answer(question)
