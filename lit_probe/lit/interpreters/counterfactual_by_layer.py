"""What every layer makes of one edit: live while somebody edits, words and neurons when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types

from lit_probe.counterfactuals.edits import aligned_changes, changed_words, edit_warnings
from lit_probe.counterfactuals.moved_neurons import moved_neurons
from lit_probe.counterfactuals.pair_changes import compare_pairs, trajectory
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import one_of, settings_of, whole_number
from lit_probe.lit.host.explaining import CLASS_PREFIX, DEFAULTS, explainer_of, question_of
from lit_probe.lit.host.model import probe_model
from lit_probe.lit.host.pooled_texts import PooledBatch
from lit_probe.lit.interpreters.asked import Asked, Part, Respond, answer_part
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.train_geometries import geometry_of
from lit_probe.progress import Progress
from lit_probe.salience import SALIENCE_METHODS

TRAJECTORY = "trajectory"
_DEFAULT_METHOD = "integrated_gradients"
_MAX_NEURONS = 100
# No row of a data set: those are not encoded again.
_ANY_TEXT = "An edit."


class CounterfactualByLayerInterpreter(ProbeInterpreter):
    """At which layer does an edit change the probe's answer, how far, through which words and which neurons?"""

    def config_spec(self) -> types.Spec:
        """Which part."""
        return {"part": types.CategoryLabel(vocab=list(EDIT_PARTS), default=TRAJECTORY, required=False)}

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The part's answer about the two examples.

        Args:
          inputs: an example, and what it is compared with: its edit, or any other one.
          model: an encoder with layer probes.
          dataset: that the examples belong to.
          model_outputs: not used.
          config: ``part`` and what it takes:

            * ``trajectory``, the default: nothing;
            * ``prepare``: nothing, and no examples; loads the encoder, so that the first edit does not wait for it;
            * ``neurons``: ``layer`` and ``top``;
            * ``salience``: ``layer``, ``method``, and ``scalar`` and options as ``explaining.question_of`` reads them. The class
              is that of the trajectory, the same for both texts.

        Returns:
          ``status``: ``ready`` with ``part`` and

            * ``trajectory``: what `trajectory` gives; each layer has ``typical_cosine`` and
              ``typical_mahalanobis``, the median distances of two train texts; ``best_layer``, ``n_layers``, ``identical``,
              ``warnings``, ``words`` (both texts' words, each with whether it differs), ``examples`` and what the probes are;
            * ``neurons``: what `moved_neurons` gives, with ``layer``, ``class_name`` and ``against_name``;
            * ``salience``: ``rows`` as `aligned_changes` gives them, the values that are explained, and the ``methods``;

          ``computing`` while the probes are in the making; ``failed`` with a ``message``, as for a text without words.

        Raises:
          LitProbeError: the configuration cannot be understood, or an example has no text.
        """
        return answer_part(EDIT_PARTS, inputs, probe_model(model), dataset, {"part": TRAJECTORY, **settings_of(config)})


def _two(asked: Asked) -> list[PooledBatch]:
    """The vectors of the two texts.

    Raises:
      LitProbeError: there are not two.
    """
    if len(asked.texts) != 2:
        raise LitProbeError(f"An example is compared with one other, so two must be sent; {len(asked.texts):,} were.")
    return [asked.probes.pooled([text]) for text in asked.texts]


def _followed_class(asked: Asked, original: PooledBatch) -> int:
    """The class whose margin is followed through the layers: the one that the dev-chosen layer predicts for the original."""
    return int(asked.study.layerwise.probes[asked.study.best_layer].predict(original.layer(asked.study.best_layer))[0])


def _read_trajectory(settings: Mapping[str, Any]) -> Respond:
    def respond(asked: Asked) -> dict[str, Any]:
        probes, study = asked.probes, asked.study
        original, edit = _two(asked)
        warnings = [warning.to_json() for warning in edit_warnings(study.encoder, *asked.texts)]
        geometry = geometry_of(probes.study)
        found = trajectory(compare_pairs(study, original, edit, geometry), 0, probes.label_names, study.best_layer).to_json()
        for row in found["layers"]:
            row["typical_cosine"], row["typical_mahalanobis"] = geometry.typical(row["layer"])
        before, after = changed_words(*asked.texts)
        return {
            **found,
            "best_layer": study.best_layer,
            "n_layers": study.encoder.n_layers,
            "identical": asked.texts[0] == asked.texts[1],
            "warnings": warnings,
            "words": {"before": before, "after": after},
            "examples": [
                {
                    "label": fields.label_of(example, probes.label_names),
                    "edited": fields.is_edited(example),
                    "truncated": pooled.texts[0].truncated,
                }
                for example, pooled in zip(asked.inputs, (original, edit), strict=True)
            ],
            "encoder": study.encoder.name,
            "pooling": study.pooling,
            "probe": study.layerwise.kind,
            "trained_on": study.splits.name,
        }

    return respond


def _read_prepare(settings: Mapping[str, Any]) -> Respond:
    def respond(asked: Asked) -> dict[str, Any]:
        # With its activations in the cache, the encoder has not been needed yet.
        name = asked.probes.encoder.name

        def load(progress: Progress) -> dict[str, Any]:
            return {"n_texts": len(asked.probes.pooled([_ANY_TEXT]))}

        return asked.probes.checks.ask(("encoder at hand", name), f"Loading {name}", load, quick=True)

    return respond


def _read_neurons(settings: Mapping[str, Any]) -> Respond:
    top = whole_number(settings, "top", 1, _MAX_NEURONS, default=10)

    def respond(asked: Asked) -> dict[str, Any]:
        original, edit = _two(asked)
        of_class, layer = _followed_class(asked, original), asked.layer
        before, after = (batch.layer(layer)[0] for batch in (original, edit))
        found = moved_neurons(asked.study.layerwise.probes[layer], before, after, of_class, top)
        names = asked.probes.label_names
        return {**found.to_json(), "layer": layer, "class_name": names[of_class], "against_name": names[found.against]}

    return respond


def _read_salience(settings: Mapping[str, Any]) -> Respond:
    method = SALIENCE_METHODS[one_of(settings, "method", SALIENCE_METHODS, default=_DEFAULT_METHOD)]
    question = question_of(settings, further=("part", "method"), scalar="margin")

    def respond(asked: Asked) -> dict[str, Any]:
        original, _ = _two(asked)
        name = asked.probes.label_names[_followed_class(asked, original)]
        explainer, of_class = explainer_of(asked.probes), replace(question, layer=asked.layer, target=CLASS_PREFIX + name)
        maps = [explainer.explain(of_class, method.name, example, asked.dataset).scores for example in asked.inputs]
        words = [scores.by_word() for scores in maps]
        rows = aligned_changes(*words[0], *words[1])
        return {
            "layer": asked.layer,
            "class_name": name,
            "scalar": of_class.scalar,
            "method": method.name,
            "title": method.title,
            "signed": method.signed,
            "rows": [row.to_json() for row in rows],
            "largest": float(np.abs([(row.score_before, row.score_after, row.change) for row in rows]).max()),
            "value_before": maps[0].value,
            "value_after": maps[1].value,
            "methods": [{"name": one.name, "title": one.title} for one in SALIENCE_METHODS.values()],
        }

    return respond


EDIT_PARTS = {
    TRAJECTORY: Part(_read_trajectory, (), takes_layer=False),
    "prepare": Part(_read_prepare, (), takes_layer=False),
    "neurons": Part(_read_neurons, ("top",)),
    "salience": Part(_read_salience, ("method", "scalar", *DEFAULTS)),
}
