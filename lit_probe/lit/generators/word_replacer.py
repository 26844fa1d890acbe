"""LIT's Word Replacer, with a word for substitutions that it would pass over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.components import word_replacer

from lit_probe.counterfactuals.rules import Edit
from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.errors import LitProbeError
from lit_probe.lit.generators.stock_generator import StockGenerator, text_fields
from lit_probe.lit.host.model import ProbeModel


class WordReplacer(StockGenerator):
    """Replaces words by words of yours, one place at a time.

    Write `great -> terrible`, several with commas between them, and several replacements of one word as `great -> bad | dull`.
    Capitals do not matter.
    """

    stock = word_replacer.WordReplacer()
    targets = (CLASSES, NUMBER)

    def settings(self, config: Mapping[str, Any], model: ProbeModel) -> dict[str, Any]:
        """The configuration as LIT's generator takes it."""
        substitutions = config.get(word_replacer.SUBSTITUTIONS_KEY)
        if not isinstance(substitutions, str) or not all(_is_rule(part) for part in substitutions.split(",")):
            # In words: LIT's page would show the arrow itself with another bracket.
            raise LitProbeError(
                f"{word_replacer.SUBSTITUTIONS_KEY!r} must be pairs with commas between them, each a word, an arrow (a hyphen "
                "and a greater-than sign) and what replaces it."
            )
        return {
            word_replacer.SUBSTITUTIONS_KEY: substitutions,
            word_replacer.FIELDS_TO_REPLACE_KEY: text_fields(config, word_replacer.FIELDS_TO_REPLACE_KEY, model),
        }

    def edits(
        self, example: Mapping[str, Any], model: lit_model.Model, dataset: lit_dataset.Dataset, settings: Any
    ) -> list[Edit]:
        """One text for each place in which a word stands."""
        try:
            return super().edits(example, model, dataset, settings)
        except KeyError as error:
            # LIT looks up in small letters what it found; the long s in ſt is found by st, and is another letter.
            raise LitProbeError(f"LIT cannot replace {error} without regard to capitals. Leave it out.") from error


def _is_rule(part: str) -> bool:
    word, arrow, replacement = part.partition("->")
    return bool(word.strip() and arrow) and "->" not in replacement
