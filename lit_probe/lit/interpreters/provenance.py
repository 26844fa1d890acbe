"""The card behind every number: what reproduces it."""

from __future__ import annotations

from typing import Any

from lit_probe.checks.provenance import card
from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD
from lit_probe.lit.host.config_values import Key, flag, maybe
from lit_probe.lit.interpreters.numbers import command_for, facts_of, read_number
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question


class ProvenanceInterpreter(ProbeInterpreter):
    """Model, data, settings, seeds and versions behind the numbers, and the command that computes them again."""

    # ``number`` is what the card was opened from: ``check`` (the curve if none), ``variant``, ``metric``, ``examples`` (which, in
    # words), ``train`` (whether train rows were scored), ``layer``, ``split``, ``value``.
    # The panels of checks may send ``cancel``; a card is made at once, so nothing ends.
    keys = {"number": maybe(Key(read_number)), "cancel": flag()}
    waits_for_rows = True
    units = (TEXT, WORD)
    targets = (CLASSES, NUMBER)

    def check(self, question: Question) -> None:
        """Refuses a row without a text where the card is opened from a number, which is about rows."""
        if question["number"] is not None:
            _ = question.texts

    def answer(self, question: Question) -> dict[str, Any]:
        """The card of the model's study, which is about the data set that the probes were trained on.

        Returns:
          ``card``, ``near_duplicates`` and, of a number, ``command`` and ``statement``: see `numbers.facts_of`, which the card
          then holds, and `numbers.command_for`.
        """
        probes, shown, number = question.probes, question.shown, question["number"]
        found = probes.dataset.copies.result().to_json()
        copies = {key: found[key] for key in ("exact", "near", "notes")}
        if number is None:
            return {"near_duplicates": copies, "card": card(question.study).to_json()}
        facts = facts_of(number, probes, shown, question.inputs)
        command, statement = command_for(facts, probes, shown)
        made = card(question.study, facts).to_json()
        return {"near_duplicates": copies, "card": made, "command": command, "statement": statement}
