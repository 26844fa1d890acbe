"""Generators of counterfactuals: LIT's own, as far as they work with texts and layer probes, and ours."""

from __future__ import annotations

from collections.abc import Sequence

from lit_nlp.api import components

from lit_probe.lit.generators.ablation_flip import AblationFlip
from lit_probe.lit.generators.hotflip import HotFlip
from lit_probe.lit.generators.masked_words import MaskedWords
from lit_probe.lit.generators.scrambler import Scrambler
from lit_probe.lit.generators.templates import Templates
from lit_probe.lit.generators.word_replacer import WordReplacer
from lit_probe.lit.host.model import ProbeModel


def generators_for(models: Sequence[ProbeModel]) -> dict[str, components.Generator]:
    """All generators, in the order in which LIT lists them. LIT's own have its names.

    Args:
      models: those that are loaded: their layers can be chosen, and what keeps one from a generator is said.
    """
    return {
        "Ablation Flip": AblationFlip(),
        "HotFlip": HotFlip(max((model.encoder.n_layers for model in models), default=0)),
        "Masked Words": MaskedWords([model.encoder for model in models]),
        "Negation and Contrast": Templates(),
        "Scrambler": Scrambler(),
        "Word Replacer": WordReplacer(),
    }
