"""LIT's generators of counterfactuals, as far as they work with texts and layer probes."""

from __future__ import annotations

from lit_nlp.api import components
from lit_nlp.components import word_replacer

from lit_probe.lit.generators.ablation_flip import AblationFlip
from lit_probe.lit.generators.scrambler import Scrambler

# The names are LIT's own. Its Hotflip needs the gradients of tokens, which our models do not put into LIT's cache.
GENERATORS: dict[str, components.Generator] = {
    "Ablation Flip": AblationFlip(),
    "Scrambler": Scrambler(),
    "Word Replacer": word_replacer.WordReplacer(),
}
