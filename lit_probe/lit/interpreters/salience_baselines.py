"""How much a salience map of one text depends on its baseline, for the line beside the map."""

from __future__ import annotations

from itertools import count
from typing import Any

from lit_probe.errors import LitProbeError
from lit_probe.lit.host.explaining import explainer_of, map_question
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.lit.interpreters.salience_map import SalienceMapInterpreter, check_one_example
from lit_probe.progress import Progress
from lit_probe.salience import SALIENCE_METHODS


class SalienceBaselinesInterpreter(ProbeInterpreter):
    """The map of the selected text once more with every other baseline, beside the chosen one. Asked as a map is."""

    needs = "its tokens and gradients"
    targets = SalienceMapInterpreter.targets
    keys = SalienceMapInterpreter.keys
    by = SalienceMapInterpreter.by
    further = SalienceMapInterpreter.further
    form = SalienceMapInterpreter.form

    def check(self, question: Question) -> None:
        """A map is of one example, which may be edited."""
        check_one_example(question)

    def waits_for(self, question: Question) -> dict[str, Any] | None:
        """The model's own prediction need not wait for the probes."""
        return explainer_of(question.probes).status(map_question(question.values))

    def answer(self, question: Question) -> dict[str, Any]:
        """The comparison, made in the background: it takes as many maps as there are other baselines.

        Returns:
          What ``BaselineComparison.to_json`` gives, and its ``sentence``.

        Raises:
          LitProbeError: the method's maps depend on no baseline.
        """
        explainer, method, how = explainer_of(question.probes), SALIENCE_METHODS[question["method"]], question["aggregation"]
        if not method.baseline:
            raise LitProbeError(f"Maps of {method.title} depend on no baseline.")
        planned = explainer.plan(map_question(question.values), method.name, question.inputs[0], question.dataset)

        def compute(progress: Progress) -> dict[str, Any]:
            passes = count()
            found = explainer.compare_baselines(planned, how, lambda: progress(next(passes), 2 * planned.n_passes))
            assert found is not None
            return {"comparison": found}

        title = f"Other baselines of {method.title} for the {planned.forward.name}"
        found = question.ask((*planned.key, how), title, compute, of=question.probes.name, quick=planned.is_quick)["comparison"]
        return {**found.to_json(), "sentence": found.sentence()}
