"""Negation and contrast by rule, with what is expected of the label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types

from lit_probe.counterfactuals.rules import KINDS, UNKNOWN, Edit, edits_by_rule
from lit_probe.data import text_pairs
from lit_probe.lit.generators.generator import EditGenerator
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import one_of
from lit_probe.lit.host.model import ProbeModel

RULES_KEY = "Rules"
ALL = "negation and contrast"


class Templates(EditGenerator):
    """Negation and contrast by rule, in the style of CheckList.

    An edit says whether its label should change or stay, or that nothing is expected of it: a label is expected to change only
    where the edited words say what the label says, and are all of the text's verdict. The rules are about praise and blame in
    English; where the classes are others than *positive* and *negative*, or a row is a pair of texts, nothing is expected. An
    edit whose label should change has the other class as its label.
    """

    def config_spec(self) -> types.Spec:
        """Which rules."""
        return {RULES_KEY: types.CategoryLabel(required=False, vocab=[ALL, *KINDS])}

    def settings(self, config: Mapping[str, Any], model: ProbeModel) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The kinds of rules that are asked for, and the classes."""
        chosen = one_of((ALL, *KINDS), ALL).of(config, RULES_KEY)
        return (KINDS if chosen == ALL else (chosen,)), model.label_names

    def edits(
        self, example: Mapping[str, Any], model: lit_model.Model, dataset: lit_dataset.Dataset, settings: Any
    ) -> list[Edit]:
        """What the rules make of the text."""
        kinds, label_names = settings
        text, label = example[fields.TEXT], fields.label_of(example, label_names)
        if not text_pairs.is_pair(text):
            return list(edits_by_rule(text, label, label_names, kinds))
        first, second = text_pairs.segments(text)
        # What the rules know of labels is about one text and its verdict.
        return [
            *(
                replace(edit, text=text_pairs.joined(edit.text, second), expectation=UNKNOWN)
                for edit in edits_by_rule(first, label, label_names, kinds)
            ),
            *(
                replace(edit, text=text_pairs.joined(first, edit.text), expectation=UNKNOWN)
                for edit in edits_by_rule(second, label, label_names, kinds)
            ),
        ]
