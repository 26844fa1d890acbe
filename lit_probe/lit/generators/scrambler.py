"""LIT's Scrambler, which comes back from texts that have no second order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.components import scrambler

from lit_probe.counterfactuals.rules import Edit
from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.lit.generators.stock_generator import StockGenerator, text_fields
from lit_probe.lit.host.model import ProbeModel


class Scrambler(StockGenerator):
    """Puts the words of the text into another order, by chance. What a layer still decodes needs no order."""

    stock = scrambler.Scrambler()
    targets = (CLASSES, NUMBER)

    def settings(self, config: Mapping[str, Any], model: ProbeModel) -> dict[str, Any]:
        """The configuration as LIT's generator takes it."""
        return {scrambler.FIELDS_TO_SCRAMBLE_KEY: text_fields(config, scrambler.FIELDS_TO_SCRAMBLE_KEY, model)}

    def edits(
        self, example: Mapping[str, Any], model: lit_model.Model, dataset: lit_dataset.Dataset, settings: Any
    ) -> list[Edit]:
        """One text with its words in another order, each of a pair by itself; none where there is only one order.

        LIT's generator shuffles until the order has changed: for ever, where all words are the same.
        """
        chosen = [name for name in settings[scrambler.FIELDS_TO_SCRAMBLE_KEY] if len(set(example[name].split(" "))) > 1]
        return super().edits(example, model, dataset, {scrambler.FIELDS_TO_SCRAMBLE_KEY: chosen}) if chosen else []

    def rule(self, before: str, after: str) -> str:
        """The same for every text."""
        return "words in another order"
