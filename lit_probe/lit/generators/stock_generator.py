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
from lit_probe.lit.host.model import ProbeModel, probe_model


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
        probes = probe_model(model)
        texts = [probes.text_of(new) for new in self.stock.generate(dict(example), probes, dataset, settings)]
        return [Edit(text, self.rule(example[fields.TEXT], text)) for text in texts]

    def rule(self, before: str, after: str) -> str:
        """What was done to the text, for people."""
        return difference(before, after)


def text_fields(config: Mapping[str, Any], key: str, model: ProbeModel) -> list[str]:
    """The value of a control that chooses among a model's text fields: ours have one, or the two of a pair.

    Raises:
      LitProbeError: none is chosen, or another one is.
    """
    chosen = config.get(key, list(model.text_fields))
    if len(model.text_fields) == 1 and chosen != list(model.text_fields):
        [name] = model.text_fields
        raise LitProbeError(f"{key!r} must be the list [{name!r}]: it is the one field with a text. Tick its box.")
    if not isinstance(chosen, list) or not chosen or not all(name in model.text_fields for name in chosen):
        raise LitProbeError(
            f"{key!r} must be a list of {' and '.join(map(repr, model.text_fields))}, or of one of them. Tick a box."
        )
    return [name for name in model.text_fields if name in chosen]


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
