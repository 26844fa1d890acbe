"""Where each of several concepts is decodable: the label, further columns, and what stands on the surface of a text."""

from __future__ import annotations

from typing import Any

from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.data.asking import target_names
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import Key, flag
from lit_probe.lit.interpreters.numbers import CONCEPTS_OF_A_PAGE
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.probing.concept_map import concepts_of
from lit_probe.progress import Progress


def _targets(value: Any, name: str) -> tuple[str, ...]:
    match value:
        case [*targets] if targets and all(isinstance(one, str) for one in targets):
            return tuple(targets)
    raise LitProbeError(f"{name!r} lists names of targets, as in ['label', 'surface'], not {value!r}.")


class ConceptMapInterpreter(ProbeInterpreter):
    """Which of several concepts is decodable at which layer? Each by probes of its own, fitted on the same rows.

    ``targets`` names them: ``label``, columns of the data set, ``surface:n_words`` and the like; ``columns`` and ``surface``
    stand for all of these.
    """

    keys = {"targets": Key(_targets, CONCEPTS_OF_A_PAGE), "cancel": flag()}
    targets = (CLASSES, NUMBER)

    def answer(self, question: Question) -> dict[str, Any]:
        """The map; ``notes`` say what could not be asked for, and why."""
        study, checks = question.study, question.probes.checks
        asked_of = study.splits.asked_of
        names = target_names(study.splits if asked_of is None else asked_of.splits, question["targets"])

        def compute(progress: Progress) -> dict[str, Any]:
            made = concepts_of(study, names, checks.cache, progress)
            return {**made.to_json(), "notes": [f"Not asked: {one.target}. {one.error}" for one in made.unasked]}

        return question.ask(tuple(names), "Map of concepts", compute)
