"""The salience map of one text by one method, for the panel that shows several beside one another."""

from __future__ import annotations

from itertools import count
from typing import Any

from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import flag, one_of
from lit_probe.lit.host.explaining import explainer_of, map_keys, map_question
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.lit.interpreters.salience import aggregation
from lit_probe.progress import Progress
from lit_probe.salience import SALIENCE_METHODS


class SalienceMapInterpreter(ProbeInterpreter):
    """Which words of the selected text speak for a class, in the probe of a layer or in the model's own prediction."""

    needs = "its tokens and gradients"
    targets = (CLASSES, NUMBER)
    keys = {"method": one_of(SALIENCE_METHODS), **map_keys(), "cancel": flag()}
    by = "method"
    further = {name: {"aggregation": aggregation(method)} for name, method in SALIENCE_METHODS.items()}
    form = ("method",)

    def check(self, question: Question) -> None:
        """A map is of one example, which may be edited."""
        check_one_example(question)

    def waits_for(self, question: Question) -> dict[str, Any] | None:
        """The model's own prediction need not wait for the probes."""
        return explainer_of(question.probes).status(map_question(question.values))

    def answer(self, question: Question) -> dict[str, Any]:
        """The map. One that takes long is made in the background.

        Returns:
          What ``TokenScores.to_json`` gives, the method's ``title`` and ``no_explanation``, the ``layer``, the ``class_names``,
          the ``predicted_class``, ``predicted_by`` (the rule behind it where another class is more probable), the ``gold`` one or
          None, and ``by_word``: ``how``, ``words``, ``scores``.
        """
        explainer, method, how = explainer_of(question.probes), SALIENCE_METHODS[question["method"]], question["aggregation"]
        planned = explainer.plan(map_question(question.values), method.name, question.inputs[0], question.dataset)

        def compute(progress: Progress) -> dict[str, Any]:
            passes = count()
            return {"explained": explainer.make(planned, lambda: progress(next(passes), planned.n_passes))}

        if planned.is_quick or explainer.is_made(planned):
            explained = explainer.make(planned)
        else:
            title = f"{method.title} for the {planned.forward.name}"
            explained = question.ask(planned.key, title, compute, of=question.probes.name)["explained"]
        words, scores = explained.scores.by_word(how)
        return {
            **explained.scores.to_json(),
            "title": method.title,
            "no_explanation": method.no_explanation,
            "layer": explained.layer,
            "class_name": explained.class_name,
            "class_names": list(explained.class_names),
            "predicted_class": explained.predicted_class,
            "predicted_by": explained.predicted_by,
            "gold": explained.gold,
            "by_word": {"how": how, "words": list(words), "scores": scores.tolist()},
        }


def check_one_example(question: Question) -> None:
    """Raises LitProbeError where not exactly one example was sent."""
    if len(question.inputs) != 1:
        raise LitProbeError(f"A map is made for one example at a time; {len(question.inputs)} were sent.")
