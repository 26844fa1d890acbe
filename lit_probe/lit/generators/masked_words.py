"""Words that the checkpoint's own masked-language-model head puts in place of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types

from lit_probe.counterfactuals.masked_words import masked_words
from lit_probe.counterfactuals.rules import Edit
from lit_probe.encoder.encoder import Encoder
from lit_probe.lit.generators.generator import MAX_ASKING, EditGenerator
from lit_probe.lit.generators.stock_generator import words
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import whole_number
from lit_probe.lit.host.messages import as_markdown
from lit_probe.lit.host.model import ProbeModel, probe_model

NUM_EXAMPLES_KEY = "Max number of counterfactuals to generate"
PER_WORD_KEY = "Replacements per word"
ONLY_KEY = "Words to replace (all if empty)"
_AT_MOST, _PER_WORD = whole_number(1, 100, default=10), whole_number(1, 20, default=3)


class MaskedWords(EditGenerator):
    """Replaces single words by what a masked language model finds most probable in their place.

    The texts read well, but a probable word may well have the opposite meaning, so nothing is expected of the label. It takes a
    checkpoint that still has its masked-language-model head, such as `bert-base-uncased` or `distilroberta-base`; models for
    sentence embeddings have lost theirs.

    Args:
      encoders: those that are loaded, of which the description says what keeps them from it.
    """

    max_inputs = MAX_ASKING

    def __init__(self, encoders: Sequence[Encoder] = ()):
        self._encoders = list(dict.fromkeys(encoders))

    def description(self) -> str:
        """What it does, and why some of the loaded models cannot."""
        what = super().description().partition("\n\nArgs:")[0]
        return "\n\n".join([what, *(as_markdown(reason) for encoder in self._encoders if (reason := encoder.why_no_masked_lm))])

    def is_compatible(self, model: lit_model.Model, dataset: lit_dataset.Dataset) -> bool:
        """True for an encoder with layer probes whose checkpoint has a masked-language-model head."""
        return super().is_compatible(model, dataset) and probe_model(model).encoder.why_no_masked_lm is None

    def config_spec(self) -> types.Spec:
        """How many texts, and which words."""
        return {
            NUM_EXAMPLES_KEY: _AT_MOST.control,
            PER_WORD_KEY: _PER_WORD.control,
            ONLY_KEY: types.Tokens(required=False, default=[]),
        }

    def settings(self, config: Mapping[str, Any], model: ProbeModel) -> dict[str, Any]:
        """The options of `masked_words`."""
        return {
            "at_most": _AT_MOST.of(config, NUM_EXAMPLES_KEY),
            "per_word": _PER_WORD.of(config, PER_WORD_KEY),
            "only": words(config, ONLY_KEY),
        }

    def edits(
        self, example: Mapping[str, Any], model: lit_model.Model, dataset: lit_dataset.Dataset, settings: Any
    ) -> list[Edit]:
        """The most probable replacements."""
        return [
            Edit(made.text, f"{made.word} → {made.replacement} (probability {made.probability:.2g})")
            for made in masked_words(probe_model(model).encoder, example[fields.TEXT], **settings)
        ]
