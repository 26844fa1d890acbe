"""LIT's HotFlip against the probe of one layer.

LIT's component wants a model whose tokens it can swap at will, and joins them with spaces. So it is given a view of the probe in
which a text's tokens are its words: the words that it swaps are swapped in the text itself, and the text is what the probe reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types
from lit_nlp.components import hotflip
from numpy.typing import NDArray

from lit_probe.counterfactuals.rules import Edit
from lit_probe.counterfactuals.word_swaps import (
    OneTokenWords,
    SwapWords,
    difference,
    embedding_rows,
    one_token_words,
    word_gradients,
)
from lit_probe.lit.generators.forward_view import PREDICTION, ForwardView
from lit_probe.lit.generators.generator import MAX_ASKING, EditGenerator
from lit_probe.lit.generators.stock_generator import words
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import DEV_CHOSEN, Keys, whole_number
from lit_probe.lit.host.explaining import explainer_of, question_of
from lit_probe.lit.host.model import ProbeModel
from lit_probe.probing.probe_forward import Forward

LAYER_KEY = "Layer"
_WORDS, _GRADIENTS = "words", "word_gradients"
_LIMITS: Keys = {
    hotflip.NUM_EXAMPLES_KEY: whole_number(1, 50, hotflip.NUM_EXAMPLES_DEFAULT),
    hotflip.MAX_FLIPS_KEY: whole_number(1, 5, hotflip.MAX_FLIPS_DEFAULT),
}


@dataclass(frozen=True)
class Settings:
    """What is asked of HotFlip.

    Attributes:
      forward: the probe.
      table: the words that may be put in.
      config: the rest, as LIT's component takes it.
      never: words that stay, in small letters.
    """

    forward: Forward
    table: EmbeddingTable
    config: dict[str, Any]
    never: frozenset[str]


class EmbeddingTable:
    """The words that may be put in, with their embeddings; those of plain ASCII apart, for texts that hold no others."""

    def __init__(self, forward: Forward):
        self._forward = forward

    def of(self, text: str) -> tuple[list[str], NDArray[np.float32]]:
        """``n`` words and ``[n, d_embedding]``."""
        return self._ascii if text.isascii() else self._all

    @cached_property
    def _all(self) -> tuple[list[str], NDArray[np.float32]]:
        return self._rows(one_token_words(self._forward.encoder))

    @cached_property
    def _ascii(self) -> tuple[list[str], NDArray[np.float32]]:
        known = one_token_words(self._forward.encoder)
        kept = [i for i, word in enumerate(known.words) if word.isascii()]
        return self._rows(OneTokenWords(tuple(known.words[i] for i in kept), tuple(known.ids[i] for i in kept)))

    def _rows(self, known: OneTokenWords) -> tuple[list[str], NDArray[np.float32]]:
        return list(known.words), embedding_rows(self._forward, known.ids)


class WordView(ForwardView):
    """The probe of one layer on one text, whose tokens are its words.

    Args:
      forward: the probe.
      words: the words of the text.
      table: the words that may be put in.
    """

    def __init__(self, forward: Forward, words: SwapWords, table: EmbeddingTable):
        super().__init__(forward)
        self._words = words
        self._table = table

    def input_spec(self) -> types.Spec:
        """The text and its words."""
        return super().input_spec() | {_WORDS: types.Tokens(parent=fields.TEXT, required=False)}

    def output_spec(self) -> types.Spec:
        """The probe's class probabilities, the words, and a gradient for each."""
        words = types.Tokens(parent=fields.TEXT, required=False)
        return super().output_spec() | {_WORDS: words, _GRADIENTS: types.TokenGradients(align=_WORDS, required=False)}

    def get_embedding_table(self) -> tuple[list[str], NDArray[np.float32]]:
        """The words that may be put in, ``n`` of them, and their embeddings ``[n, d_embedding]``."""
        return self._table.of(self._words.text)

    def text_with(self, words: Iterable[str]) -> str:
        """The text with other words in the places of its own."""
        pairs = enumerate(zip(self._words.words, words, strict=True))
        return self._words.swapped({i: other for i, (own, other) in pairs if own != other})

    def predict(self, inputs: Iterable[types.JsonDict], **kwargs: Any) -> list[dict[str, Any]]:
        """What the probe says: of the text itself with gradients, of the text with other words without."""
        return [self._of_text() if _WORDS not in example else self._of_words(example[_WORDS]) for example in inputs]

    def _of_words(self, words: Iterable[str]) -> dict[str, Any]:
        return {PREDICTION: self.probabilities([self.text_with(words)])[0]}

    def _of_text(self) -> dict[str, Any]:
        prediction = self._of_words(self._words.words)
        # HotFlip moves against the gradient: away from the class that is predicted, towards any other.
        gradients = word_gradients(self.forward, self._words, int(prediction[PREDICTION].argmax()))
        return prediction | {_WORDS: list(self._words.words), _GRADIENTS: gradients}


class HotFlip(EditGenerator):
    """Swaps the fewest words that make the probe of one layer change its answer.

    The gradient at that layer's probe says which words to swap and for what (Ebrahimi et al. 2018,
    https://aclanthology.org/P18-2006); every swap is then tried on the text itself, and only those that flip the probe are
    shown. The words are chosen against the probe and not for their meaning: read them before you believe that a label changed.

    Args:
      n_layers: the number of layers of the deepest encoder that is loaded.
    """

    max_inputs = MAX_ASKING

    def __init__(self, n_layers: int = 0):
        self._n_layers = n_layers
        self._stock = hotflip.HotFlip()

    def description(self) -> str:
        """What it does."""
        return super().description().partition("\n\nArgs:")[0]

    def config_spec(self) -> types.Spec:
        """The layer, and LIT's own controls as far as they apply."""
        return {
            LAYER_KEY: types.CategoryLabel(required=False, vocab=[DEV_CHOSEN, *map(str, range(self._n_layers))]),
            **{name: key.control for name, key in _LIMITS.items()},
            hotflip.TOKENS_TO_IGNORE_KEY: types.Tokens(required=False, default=[]),
        }

    def settings(self, config: Mapping[str, Any], model: ProbeModel) -> Settings:
        """The probe of the layer that is named, and the rest as LIT's component takes it."""
        question = question_of({"layer": config.get(LAYER_KEY, DEV_CHOSEN)})
        checked = {
            **{name: key.of(config, name) for name, key in _LIMITS.items()},
            hotflip.PREDICTION_KEY: PREDICTION,
            hotflip.FIELDS_TO_HOTFLIP_KEY: [_WORDS],
        }
        never = frozenset(word.casefold() for word in words(config, hotflip.TOKENS_TO_IGNORE_KEY))
        forward = explainer_of(model).forward(question)
        return Settings(forward, EmbeddingTable(forward), checked, never)

    def edits(
        self, example: Mapping[str, Any], model: lit_model.Model, dataset: lit_dataset.Dataset, settings: Settings
    ) -> list[Edit]:
        """The texts that flip the probe, those with the fewest swaps first."""
        forward, text = settings.forward, SwapWords.of(settings.forward.encoder, example[fields.TEXT])
        free = {text.words[i] for i in text.swappable if text.words[i].casefold() not in settings.never}
        if not free:
            return []
        view = WordView(forward, text, settings.table)
        config = settings.config | {hotflip.TOKENS_TO_IGNORE_KEY: sorted(set(text.words) - free)}
        before = view.class_of(view.predict([{_WORDS: text.words}])[0])
        edits = []
        for found in self._stock.generate({fields.TEXT: text.text}, view, dataset, config):
            new = view.text_with(found[_WORDS])
            flip = f"{forward.name}: {before} → {view.class_of(found)}"
            edits.append(Edit(new, f"{difference(text.text, new)} ({flip})"))
        return edits
