"""The card behind every number: what reproduces it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types

from lit_probe.checks.provenance import card
from lit_probe.lit.host.dataset import probe_dataset
from lit_probe.lit.host.model import probe_model
from lit_probe.lit.interpreters.numbers import check_number, command_for, facts_of
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter


class ProvenanceInterpreter(ProbeInterpreter):
    """Model, data, settings, seeds and versions behind the numbers, and the command that computes them again."""

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The card of the model's study, or that it is still being computed or has failed.

        Args:
          inputs: the rows that the number is about, where it is one of the curve.
          model: an encoder with layer probes.
          dataset: that the rows belong to. The card is about the data set that the probes were trained on.
          model_outputs: not used.
          config: ``number``, what the card was opened from: ``check`` (the curve if none), ``variant``, ``metric``,
            ``examples`` (which, in words), ``train`` (whether train rows were scored), ``layer``, ``split``, ``value``.

        Returns:
          ``status``; when ready, ``card``, ``near_duplicates`` and, of a number, ``command`` and ``statement``: see
          `numbers.facts_of`, which the card then holds, and `numbers.command_for`.

        Raises:
          LitProbeError: ``number`` describes none.
        """
        number = (config or {}).get("number")
        if number is not None:
            check_number(number)
        probes, shown = probe_model(model), probe_dataset(dataset)
        if status := probes.status(shown):
            return status
        found = probes.dataset.near_duplicates.to_json()
        copies = {key: found[key] for key in ("threshold", "exact", "near", "notes")}
        answer = {"status": "ready", "near_duplicates": copies}
        if number is None:
            return {**answer, "card": card(probes.study.result()).to_json()}
        facts = facts_of(number, probes, shown, inputs)
        command, statement = command_for(facts, probes, shown)
        made = card(probes.study.result(), facts).to_json()
        return {**answer, "card": made, "command": command, "statement": statement}
