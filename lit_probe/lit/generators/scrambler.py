"""LIT's Scrambler, which comes back from texts that have no second order."""

from __future__ import annotations

from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types
from lit_nlp.components import scrambler

from lit_probe.lit import fields


class Scrambler(scrambler.Scrambler):
    """Puts the words of the text into another order."""

    def generate(
        self,
        example: types.JsonDict,
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        config: types.JsonDict | None = None,
    ) -> list[dict[str, Any]]:
        """One example with its words in another order; none for a text that has only one.

        LIT's generator shuffles until the order has changed: for ever, where all words are the same.
        """
        if len(set(fields.text_of(example).split(" "))) < 2:
            return []
        generated: list[dict[str, Any]] = super().generate(example, model, dataset, config)
        return generated
