"""LIT's own generators, asked only what they can answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lit_nlp.api import components, types
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model

from lit_probe.counterfactuals.rules import Edit
from lit_probe.counterfactuals.word_swaps import difference
from lit_probe.errors import LitProbeError
from lit_probe.lit.generators.generator import EditGenerator
from lit_probe.lit.host import fields
from lit_probe.lit.host.model import probe_model


class StockGenerator(EditGenerator):
    """A generator of LIT's. Nothing is expected of the label: only who chose the words knows what they mean.

    Attributes:
      stock: LIT's generator.
    """

    stock: components.Generator

    def config_spec(self) -> types.Spec:
        """LIT's own controls."""
        spec: types.Spec = self.stock.config_spec()
        return spec

    def edits(
        self, example: Mapping[str, Any], model: lit_model.Model, dataset: lit_dataset.Dataset, settings: Any
    ) -> list[Edit]:
        """What LIT's generator makes of the text. Its texts are new, so LIT's cache of predictions is not asked."""
        made = self.stock.generate(dict(example), probe_model(model), dataset, settings)
        return [Edit(new[fields.TEXT], self.rule(example[fields.TEXT], new[fields.TEXT])) for new in made]

    def rule(self, before: str, after: str) -> str:
        """What was done to the text, for people."""
        return difference(before, after)


def text_field(config: Mapping[str, Any], key: str) -> list[str]:
    """The value of a control that chooses among a model's text fields: ours have one.

    Raises:
      LitProbeError: it is not chosen, or another one is.
    """
    chosen = config.get(key, [fields.TEXT])
    if chosen != [fields.TEXT]:
        raise LitProbeError(f"{key!r} must be the list [{fields.TEXT!r}]: it is the one field with a text. Tick its box.")
    return [fields.TEXT]


def words(config: Mapping[str, Any], key: str) -> list[str]:
    """The value of a control that takes words between commas; LIT's form delivers a list, or nothing where it was left alone.

    Raises:
      LitProbeError: it is neither a list of words nor a string.

    >>> words({"Words": "good, bad"}, "Words"), words({"Words": ["good", ""]}, "Words"), words({}, "Words")
    (['good', 'bad'], ['good'], [])
    """
    value = config.get(key) or []
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise LitProbeError(f"{key!r} must be words with commas between them.")
    return [part.strip() for part in parts if part.strip()]
