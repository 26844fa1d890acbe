"""One word of a text put in place of another: which words an encoder knows as one token, and what a swap makes of the text.

What a generator of edits shows must be a text that people can read. So words are swapped in the text itself, by their place in
it, and never by joining tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import clean_text
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import EncodedText
from lit_probe.encoder.words import words_of
from lit_probe.once import once_per_object
from lit_probe.probing.probe_forward import Forward, Target

_WORD_OR_SIGN = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")

# Words whose swap says little: of the likeliest replacements most are among them too.
LITTLE_WORDS = frozenset(
    """
    a an the this that these those it its of to in on at by for from with as and or i you he she we they me him her us them my
    your his our their is are was were be been am has have had do does did will would can could
    """.split()
)

# A word's token is looked for after this one: some tokenizers write the first word of a text in another way.
_BEFORE = "a "


@dataclass(frozen=True)
class SwapWords:
    """The words of a text that an encoder read, with their places.

    Attributes:
      text: the cleaned text.
      encoded: its tokens, with offsets.
      words: ``[n_words]`` as they stand in the text.
      spans: ``[n_words]`` (start, end) of each in the text, in characters.
      of_token: ``[n_tokens]`` index of the word that each token belongs to; None for special tokens.
    """

    text: str
    encoded: EncodedText
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    of_token: tuple[int | None, ...]

    @classmethod
    def of(cls, encoder: Encoder, text: str) -> SwapWords:
        """Divides a text into words, see `words_of`."""
        text = clean_text(text)
        (encoded,) = encoder.encode([text], with_tokens=True)
        words = words_of(text, encoded)
        spans: list[tuple[int, int]] = []
        for (start, end), word in zip(encoded.offsets, words.of_token, strict=True):
            if word == len(spans):
                if inside := text[start:end].lstrip():
                    # The word holds its first token's first visible character, and mostly begins with it.
                    visible = end - len(inside)
                    begin = text.rfind(words.texts[word], 0, visible + len(words.texts[word]))
                else:
                    # A token of spaces alone goes with the word after it.
                    begin = text.find(words.texts[word], end)
                spans.append((begin, begin + len(words.texts[word])))
        return cls(text, encoded, words.texts, tuple(spans), words.of_token)

    @property
    def swappable(self) -> list[int]:
        """The words of letters alone, without ``LITTLE_WORDS``: swapping a full stop, a price or an article breaks a text."""
        return [i for i, word in enumerate(self.words) if word.isalpha() and word.casefold() not in LITTLE_WORDS]

    def swapped(self, replacements: Mapping[int, str]) -> str:
        """The text with other words in some places; a capital or a word in capitals stays so.

        >>> words = SwapWords("Great film.", EncodedText([], [], [], [], False), ("Great", "film"), ((0, 5), (6, 10)), ())
        >>> words.swapped({0: "awful"})
        'Awful film.'
        """
        text = self.text
        for word in sorted(replacements, reverse=True):
            start, end = self.spans[word]
            text = text[:start] + in_case_of(self.words[word], replacements[word]) + text[end:]
        return text


@dataclass(frozen=True)
class OneTokenWords:
    """Lower-case words of two or more letters, each of which the encoder reads as one token.

    Attributes:
      words: ``[n]`` in the order of the vocabulary.
      ids: ``[n]`` their token ids.
    """

    words: tuple[str, ...]
    ids: tuple[int, ...]


@once_per_object
def one_token_words(encoder: Encoder) -> OneTokenWords:
    """All of them, found once per encoder (a second for 30,000 tokens): pieces of words are left out, and names in capitals."""
    backend = encoder.tokenizer.backend_tokenizer
    n = backend.get_vocab_size()
    decoded = (word.strip() for word in backend.decode_batch([[i] for i in range(n)], skip_special_tokens=True))
    words = [word for word in dict.fromkeys(decoded) if len(word) > 1 and word.isalpha() and word == word.lower()]
    # Without its space, which tokenizers that read bytes put into the token after it.
    alone = len(_content(encoder, [_BEFORE.rstrip()])[0])
    tokens = _content(encoder, [_BEFORE + word for word in words])
    unknown = encoder.tokenizer.unk_token_id
    found = {ids[-1]: word for word, ids in zip(words, tokens, strict=True) if len(ids) == alone + 1 and ids[-1] != unknown}
    return OneTokenWords(tuple(found[i] for i in sorted(found)), tuple(sorted(found)))


def _content(encoder: Encoder, texts: list[str]) -> list[list[int]]:
    encoded = encoder.encode(texts)
    return [[i for i, special in zip(text.ids, text.special, strict=True) if not special] for text in encoded]


def in_case_of(original: str, word: str) -> str:
    """``word`` with a capital, or in capitals, where ``original`` is so written.

    >>> in_case_of("Great", "awful"), in_case_of("GREAT", "awful"), in_case_of("great", "awful"), in_case_of("I", "we")
    ('Awful', 'AWFUL', 'awful', 'We')
    """
    if len(original) > 1 and original.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if original[:1].isupper() else word


def embedding_rows(forward: Forward, ids: tuple[int, ...]) -> NDArray[np.float32]:
    """``[n, d_embedding]`` the word embeddings of these tokens.

    Raises:
      EncoderError: the model names no word embeddings.
    """
    rows = forward.embeddings(EncodedText(list(ids), [False] * len(ids), [], [], False))
    found: NDArray[np.float32] = rows.float().cpu().numpy()
    return found


def word_gradients(forward: Forward, words: SwapWords, class_index: int) -> NDArray[np.float32]:
    """``[n_words, d_embedding]`` the gradient of a class's margin with respect to each word's embedding, summed over its tokens.

    Raises:
      EncoderError: the model names no word embeddings, or passes no gradient to them.
    """
    by_token = on_encoder_thread(_token_gradients, forward, words.encoded, class_index)
    gradients = np.zeros((len(words.words), by_token.shape[1]), dtype=np.float32)
    for row, word in zip(by_token, words.of_token, strict=True):
        if word is not None:
            gradients[word] += row
    return gradients


def _token_gradients(forward: Forward, text: EncodedText, class_index: int) -> NDArray[np.float32]:
    embeddings = forward.embeddings(text).unsqueeze(0).clone().requires_grad_()
    margin: Any = forward.scalar(text, Target(class_index, "margin"))(embeddings)
    margin.sum().backward()
    assert embeddings.grad is not None
    found: NDArray[np.float32] = embeddings.grad[0].float().cpu().numpy()
    return found


def difference(before: str, after: str) -> str:
    """What was done to the words of a text, for people.

    >>> difference("A great film, really!", "A very awful film!")
    'great → very awful; without: , really'
    """
    one, other = (_WORD_OR_SIGN.findall(text) for text in (before, after))
    parts = []
    for kind, start, end, new_start, new_end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        old, new = " ".join(one[start:end]), " ".join(other[new_start:new_end])
        if kind == "replace":
            parts.append(f"{old} → {new}")
        elif kind == "delete":
            parts.append(f"without: {old}")
        elif kind == "insert":
            parts.append(f"with: {new}")
    return "; ".join(parts)
