"""LIT's Ablation Flip, asked of one prediction.

LIT's generator shortens copies that keep the original's id, for which LIT's cache would answer with the original's prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types
from lit_nlp.components import ablation_flip
from lit_nlp.lib import utils

from lit_probe.counterfactuals.rules import Edit
from lit_probe.counterfactuals.word_swaps import difference
from lit_probe.lit.generators.forward_view import PREDICTION, ForwardView
from lit_probe.lit.generators.stock_generator import StockGenerator, text_fields, words
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import DEV_CHOSEN, Keys, one_of, whole_number
from lit_probe.lit.host.explaining import MODEL, PROBE, explainer_of, question_of
from lit_probe.lit.host.model import ProbeModel, probe_model
from lit_probe.probing.probe_forward import Forward

# LIT's search reads a few hundred shortened texts for each, one by one: seconds where the encoder is large.
MAX_SHORTENED = 5
_LIMITS: Keys = {
    ablation_flip.NUM_EXAMPLES_KEY: whole_number(1, 100, ablation_flip.NUM_EXAMPLES_DEFAULT),
    ablation_flip.MAX_ABLATIONS_KEY: whole_number(1, ablation_flip.MAX_ABLATABLE_TOKENS, ablation_flip.MAX_ABLATIONS_DEFAULT),
}


class AblationFlip(StockGenerator):
    """Leaves out the fewest words that make a probe change its answer; the edits show which words it leans on.

    The shortened text need not be good English, and its label stays the original's.
    """

    stock = ablation_flip.AblationFlip()
    max_inputs = MAX_SHORTENED

    def config_spec(self) -> types.Spec:
        """LIT's controls, without the one for regression models."""
        return {name: type_ for name, type_ in super().config_spec().items() if name != ablation_flip.REGRESSION_THRESH_KEY}

    def settings(self, config: Mapping[str, Any], model: ProbeModel) -> tuple[Forward, dict[str, Any]]:
        """What is to be flipped, and the configuration as LIT's generator takes it."""
        heads = utils.find_spec_keys(model.output_spec(), types.MulticlassPreds)
        head = one_of(heads, fields.PROBE).of(config, ablation_flip.PREDICTION_KEY)
        layers = {fields.layer_probe_field(name): layer for layer, name in enumerate(model.vector_fields)}
        question = {"explain": MODEL} if head == fields.HEAD else {"explain": PROBE, "layer": layers.get(head, DEV_CHOSEN)}
        return explainer_of(model).forward(question_of(question)), {
            **{name: key.of(config, name) for name, key in _LIMITS.items()},
            ablation_flip.TOKENS_TO_IGNORE_KEY: words(config, ablation_flip.TOKENS_TO_IGNORE_KEY),
            ablation_flip.PREDICTION_KEY: PREDICTION,
            ablation_flip.FIELDS_TO_ABLATE_KEY: text_fields(config, ablation_flip.FIELDS_TO_ABLATE_KEY, model),
        }

    def edits(
        self, example: Mapping[str, Any], model: lit_model.Model, dataset: lit_dataset.Dataset, settings: Any
    ) -> list[Edit]:
        """The shortened texts, each with what it flips. A text of one word has none: nothing would be left."""
        text = example[fields.TEXT]
        if len(text.split()) < 2:
            return []
        forward, config = settings
        view = ForwardView(forward, probe_model(model).text_fields)
        (before,) = view.predict([example])
        edits = []
        for new in self.stock.generate(dict(example), view, dataset, config):
            shortened = view.text_of(new)
            flip = f"{forward.name}: {view.class_of(before)} → {view.class_of(new)}"
            edits.append(Edit(shortened, f"{difference(text, shortened)} ({flip})"))
        return edits
