"""The salience map of one text by one method, for the panel that shows several beside one another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types

from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import one_of, settings_of
from lit_probe.lit.host.explaining import Explainer, PlannedMap, explainer_of, question_of
from lit_probe.lit.host.messages import plain_message
from lit_probe.lit.host.model import ProbeModel, probe_model
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.salience import aggregation_of
from lit_probe.progress import Progress
from lit_probe.salience import SALIENCE_METHODS


class SalienceMapInterpreter(ProbeInterpreter):
    """Which words of the selected text speak for a class, in the probe of a layer or in the model's own prediction."""

    def config_spec(self) -> types.Spec:
        """The method. What else may be asked, ``salience_methods`` says."""
        return {"method": types.CategoryLabel(vocab=list(SALIENCE_METHODS), default=next(iter(SALIENCE_METHODS)), required=True)}

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The map, or why there is none.

        Args:
          inputs: one example with a text, which may be edited.
          model: an encoder with layer probes.
          dataset: that the example belongs to.
          model_outputs: not used.
          config: ``method``; what ``explaining.question_of`` reads; ``aggregation`` of a word's tokens; ``"cancel": true`` to end
            the computation.

        Returns:
          ``status``: ``ready`` with what ``TokenScores.to_json`` gives, the method's ``title``, the ``layer``, the
          ``class_names``, the ``predicted_class``, the ``gold`` one or None, and ``by_word``: ``how``, ``words``, ``scores``;
          ``computing`` with ``message`` and ``fraction`` while the probes are in the making, or the map itself: one that takes
          long is made in the background; ``failed`` with a ``message``; ``cancelled``.

        Raises:
          LitProbeError: the configuration cannot be understood, or there is not exactly one example.
        """
        settings = settings_of(config)
        method = SALIENCE_METHODS[one_of(settings, "method", SALIENCE_METHODS)]
        question, how = question_of(settings, further=("method", "aggregation", "cancel")), aggregation_of(settings, method)
        if len(inputs) != 1:
            raise LitProbeError(f"A map is made for one example at a time; {len(inputs)} were sent.")
        probes = probe_model(model)
        explainer = explainer_of(probes)
        if status := explainer.status(question):
            return status
        try:
            planned = explainer.plan(question, method.name, inputs[0], dataset)
            if planned.is_quick or explainer.is_made(planned):
                explained = explainer.make(planned)
            else:
                answer = _in_the_background(planned, explainer, probes, bool(settings.get("cancel")))
                if answer["status"] != "ready":
                    return answer
                explained = answer["explained"]
        except LitProbeError as error:
            return {"status": "failed", "message": plain_message(str(error))}
        words, scores = explained.scores.by_word(how)
        return {
            "status": "ready",
            **explained.scores.to_json(),
            "title": method.title,
            "layer": explained.layer,
            "class_name": explained.class_name,
            "class_names": list(explained.class_names),
            "predicted_class": explained.predicted_class,
            "gold": explained.gold,
            "by_word": {"how": how, "words": list(words), "scores": scores.tolist()},
        }


def _in_the_background(planned: PlannedMap, explainer: Explainer, model: ProbeModel, cancel: bool) -> dict[str, Any]:
    """How far the map is; once it is ``ready``, ``explained``."""
    key = (model.name, "salience_map", planned.key)
    title = f"{SALIENCE_METHODS[planned.method].title} for the {planned.forward.name} of {model.name}"

    def compute(progress: Progress) -> dict[str, Any]:
        passes = count()
        return {"explained": explainer.make(planned, lambda: progress(next(passes), planned.n_passes))}

    return model.checks.cancel(key, title) if cancel else model.checks.ask(key, title, compute, quick=False)
