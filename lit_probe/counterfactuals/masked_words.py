"""Words that a masked language model puts in place of a text's own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from lit_probe.counterfactuals.word_swaps import SwapWords, one_token_words
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.tokens import EncodedText
from lit_probe.errors import EncoderError


@dataclass(frozen=True)
class MaskedWord:
    """A text in which a masked language model filled one place.

    Attributes:
      text: the text with the other word.
      word: the word that stood there.
      replacement: the word that stands there now.
      probability: the probability of the replacement in that place, as the model's head says.
    """

    text: str
    word: str
    replacement: str
    probability: float


def masked_words(
    encoder: Encoder, text: str, *, only: Collection[str] = (), per_word: int = 3, at_most: int = 10
) -> list[MaskedWord]:
    """The likeliest replacements of single words, the most probable first.

    Each word is hidden behind one mask token, in turn, and the checkpoint's own head says what stands there. Only whole words are
    taken, see ``one_token_words``, so that what comes out is a text.

    Args:
      encoder: the encoder of a checkpoint with a masked-language-model head.
      text: any text; one without words has no replacements.
      only: the words to replace, whatever their case; by default all but ``LITTLE_WORDS``.
      per_word: the largest number of replacements of a word.
      at_most: the largest number of texts.

    Raises:
      EncoderError: the checkpoint has no such head.
    """
    if encoder.why_no_masked_lm:
        raise EncoderError(encoder.why_no_masked_lm)
    words = SwapWords.of(encoder, text)
    wanted = {word.casefold() for word in only}
    places = [
        place
        for place, word in enumerate(words.words)
        if (word.isalpha() and word.casefold() in wanted if wanted else place in words.swappable)
    ]
    if not places:
        return []
    known = one_token_words(encoder)
    probabilities = encoder.fill_mask([_masked(words, place, encoder.tokenizer.mask_token_id) for place in places])
    found = []
    for place, row in zip(places, probabilities[:, list(known.ids)], strict=True):
        word = words.words[place]
        # One more than wanted, since the word itself is mostly among them.
        best = [i for i in np.argsort(-row, kind="stable")[: per_word + 1] if known.words[i] != word.casefold()][:per_word]
        found += [MaskedWord(words.swapped({place: known.words[i]}), word, known.words[i], float(row[i])) for i in best]
    return sorted(found, key=lambda one: -one.probability)[:at_most]


def _masked(words: SwapWords, place: int, mask_id: int) -> EncodedText:
    """The text's tokens with one mask token in place of all that belong to one word."""
    first = words.of_token.index(place)
    kept = [i for i, word in enumerate(words.of_token) if word != place or i == first]
    masked = words.encoded.without_names().only(kept)
    return replace(masked, ids=[mask_id if i == first else words.encoded.ids[i] for i in kept])
