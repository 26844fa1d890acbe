"""What a language model's own head makes of each layer of a text: the logit lens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.families import MASKED, NEXT
from lit_probe.encoder.head_readings import HeadReadings, language_head, read_language_head
from lit_probe.encoder.memory import in_gb
from lit_probe.encoder.tokens import KEEPS, EncodedText, written
from lit_probe.errors import LitProbeError
from lit_probe.progress import Progress, no_progress
from lit_probe.results import Result

# So many tokens are read off: more rows than that nobody reads, and each costs as much as the vocabulary is wide.
MAX_TOKENS = 128
MAX_WATCHED = 5
MAX_TOP = 20
DEFAULT_TOP = 3

# What stands beside the numbers wherever they are shown.
IN_WORDS = (
    "The head was trained to read the last layer alone. What it makes of an earlier one shows how far that layer is already "
    "written in the head's terms, not what the model knows there: a probe may find what the head cannot read yet, and early "
    "layers often look like noise."
)


@dataclass(frozen=True)
class WatchedWord(Result):
    """A word whose rank is followed through layers and tokens.

    Attributes:
      word: the word as it was asked for.
      token: the token that stands for it; None where the vocabulary cannot spell it.
      pieces: the tokens that spell it after a space, where the vocabulary knows that difference.
      note: what a reader must know of the choice, or an empty string.
      ranks: ``[n_tokens, n_layers]`` 1 for the likeliest token; empty without a token.
      probabilities: ``[n_tokens, n_layers]`` 0 to 1; empty without a token.
    """

    word: str
    token: str | None
    pieces: tuple[str, ...]
    note: str
    ranks: NDArray[np.int64]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True)
class TokenLens(Result):
    """What the head says at each token of a text and each layer.

    Attributes:
      encoder: the encoder's name.
      task: ``masked``: what stands in the token's place; ``next``: what comes after it.
      tokens: ``[n_tokens]`` the tokens that were read off, in the text's order, with the space before a word where the vocabulary
        holds it.
      special: ``[n_tokens]`` True for special tokens and those of a template.
      n_read: how many tokens the encoder reads of the text, of which these are some.
      truncated: whether the text is longer than the encoder reads.
      layer_names: ``[n_layers]``.
      n_vocabulary: how many tokens the head chooses among.
      tied: whether the head's matrix is that of the word embeddings.
      head_bytes: how much memory the head takes beside the encoder.
      top: ``[n_tokens, n_layers, n_top]`` the likeliest tokens, the likeliest first.
      probabilities: ``[n_tokens, n_layers, n_top]`` theirs, 0 to 1.
      entropy: ``[n_tokens, n_layers]`` of the whole distribution in bits: 0 where the head is certain, log2 of ``n_vocabulary``
        where it knows nothing.
      targets: ``[n_tokens]`` what does stand there: the token itself, or the next one; None at a mask and after the last token.
      target_ranks: ``[n_tokens, n_layers]`` the rank of it, 1 for the likeliest; 0 where there is none.
      target_probabilities: ``[n_tokens, n_layers]``.
      watched: the words that were asked for.
      notes: what a reader must know, in sentences.
    """

    encoder: str
    task: str
    tokens: tuple[str, ...]
    special: tuple[bool, ...]
    n_read: int
    truncated: bool
    layer_names: tuple[str, ...]
    n_vocabulary: int
    tied: bool
    head_bytes: int
    top: tuple[tuple[tuple[str, ...], ...], ...]
    probabilities: NDArray[np.float64]
    entropy: NDArray[np.float64]
    targets: tuple[str | None, ...]
    target_ranks: NDArray[np.int64]
    target_probabilities: NDArray[np.float64]
    watched: tuple[WatchedWord, ...]
    notes: tuple[str, ...]

    def table(self) -> str:
        """The likeliest token of each layer at each token, as text."""
        rows = [["token", *self.layer_names]]
        rows += [
            [shown(token), *(shown(layer[0]) for layer in layers)] for token, layers in zip(self.tokens, self.top, strict=True)
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def shown(token: str) -> str:
    """A token for people: white space is visible.

    >>> shown(" film"), shown("\\n")
    ('␣film', '⏎')
    """
    return token.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")


def lens(
    encoder: Encoder,
    text: str,
    *,
    watch: Sequence[str] = (),
    top: int = DEFAULT_TOP,
    max_tokens: int = MAX_TOKENS,
    progress: Progress = no_progress,
) -> TokenLens:
    """What the encoder's own language-model head makes of each layer of a text, token by token.

    The logit lens (nostalgebraist 2020,
    https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens): the head reads every layer as if it were
    the last one; where a norm comes before it, the layer passes that norm. The last layer is what the model says. A masked
    language model is asked for the token in each place, which it sees unless the text holds the mask token there; a decoder for
    the one after it.

    The head is loaded when it is first asked for, and shares the encoder's weights.

    Args:
      encoder: of a checkpoint with such a head, as `load_encoder` gives it.
      text: any text.
      watch: words whose rank is followed, up to `MAX_WATCHED`. Of one that the vocabulary spells in several tokens, the first.
      top: how many of the likeliest tokens are told, 1 to `MAX_TOP`.
      max_tokens: how many tokens are read off; of a longer text the part that the encoder's ``keep`` names.
      progress: hears how many layers are done.

    Raises:
      EncoderError: there is no such head, it cannot be loaded or run alone, or gives no finite numbers.
      LitProbeError: the text has no token, or ``watch``, ``top`` or ``max_tokens`` make no sense.

    >>> lens(load_encoder("smollm2"), "The capital of France is").top[-1][-1][0]  # doctest: +SKIP
    ' Paris'
    """
    words = _checked(encoder, watch, top, max_tokens)
    [encoded] = encoder.encode([text], with_tokens=True)
    if all(encoded.special):
        raise LitProbeError("The text is empty, so there is nothing to read off. Write a word.")
    task = str(encoder.language_task)
    n_read = len(encoded.ids)
    places = list(range(n_read)) if n_read <= max_tokens else KEEPS[encoder.keep](n_read, max_tokens)
    spelling = _Spelling(encoder)
    targets = _targets(encoded, task, spelling.mask)
    watched = [spelling.token_for(word) for word in words]
    asked = [[targets[place], *(-1 if one is None else one for one, _, _ in watched)] for place in places]
    found = read_language_head(encoder, encoded, places, np.array(asked, dtype=np.int64), n_top=top, progress=progress)
    head = language_head(encoder.at_layers)
    return TokenLens(
        encoder=encoder.name,
        task=task,
        tokens=tuple(spelling.of(encoded.ids[place]) for place in places),
        special=tuple(encoded.special[place] for place in places),
        n_read=n_read,
        truncated=encoded.truncated,
        layer_names=encoder.at_layers.layer_names,
        n_vocabulary=found.n_vocabulary,
        tied=head.tied,
        head_bytes=head.n_bytes,
        top=tuple(tuple(tuple(map(spelling.of, layer)) for layer in token) for token in found.top.tolist()),
        probabilities=found.top_probability.astype(np.float64),
        entropy=found.entropy.astype(np.float64),
        targets=tuple(None if targets[place] < 0 else spelling.of(targets[place]) for place in places),
        target_ranks=found.ranks[:, :, 0],
        target_probabilities=found.probabilities[:, :, 0].astype(np.float64),
        watched=tuple(_watched(word, *one, found, i + 1) for i, (word, one) in enumerate(zip(words, watched, strict=True))),
        notes=tuple(_notes(encoder, encoded, places, task, head.n_bytes, head.tied)),
    )


def why_no_lens(encoder: Encoder) -> str | None:
    """Why an encoder has neither a lens nor a class lens, and what to load instead; None where it has one."""
    if encoder.why_no_language_model is None or encoder.head_label_names is not None:
        return None
    return (
        f"{encoder.why_no_language_model} Load a checkpoint that has a head, such as distilbert-base-uncased (a masked language "
        "model), smollm2 (a decoder) or a fine-tuned …ForSequenceClassification."
    )


def _checked(encoder: Encoder, watch: Sequence[str], top: int, max_tokens: int) -> list[str]:
    """The words to watch, each once.

    Raises:
      LitProbeError: there is no lens, or a value makes no sense.
    """
    if encoder.why_no_language_model:
        raise LitProbeError(why_no_lens(encoder) or f"{encoder.why_no_language_model} Ask class_lens for what its head says.")
    if isinstance(watch, str) or not all(isinstance(word, str) for word in watch):
        first = watch if isinstance(watch, str) else next(word for word in watch if not isinstance(word, str))
        raise LitProbeError(f"The words to watch are a list of words, as in watch=[{str(first)!r}].")
    words = list(dict.fromkeys(word for word in watch if word.strip()))
    if len(words) > MAX_WATCHED:
        raise LitProbeError(f"{MAX_WATCHED} words can be watched at a time; {len(words)} were named.")
    if top not in range(1, MAX_TOP + 1):
        raise LitProbeError(f"top is {top}; give a whole number from 1 to {MAX_TOP}.")
    if max_tokens < 1 or max_tokens != int(max_tokens):
        raise LitProbeError(f"max_tokens is {max_tokens}; give a whole number, 1 or more.")
    return words


def _targets(encoded: EncodedText, task: str, mask: int | None) -> list[int]:
    """``[n_tokens]`` the id that does stand in or after each place; -1 where there is none."""
    if task == NEXT:
        return [*encoded.ids[1:], -1]
    return [-1 if one == mask else one for one in encoded.ids]


class _Spelling:
    """How an encoder's vocabulary is written for people."""

    def __init__(self, encoder: Encoder):
        self._tokenizer = encoder.tokenizer
        self._name = encoder.name
        self.mask: int | None = self._tokenizer.mask_token_id
        self._known: dict[int, str] = {}

    def of(self, token: int) -> str:
        """The token as text, with the space before it; as the vocabulary writes it where it is no whole character."""
        if token not in self._known:
            self._known[token] = written(self._tokenizer, token)
        return self._known[token]

    def token_for(self, word: str) -> tuple[int | None, tuple[str, ...], str]:
        """The token that stands for a word, its pieces, and what is to be known of that."""
        spellings = [pieces for one in (f" {word.strip()}", word) if (pieces := self._pieces(one))]
        if not spellings:
            return None, (), f"The vocabulary of {self._name} cannot spell “{word}”, so it has no rank."
        pieces = next((one for one in spellings if len(one) == 1), spellings[0])
        named = tuple(map(self.of, pieces))
        if len(pieces) == 1:
            return pieces[0], named, ""
        parts = " + ".join(map(shown, named))
        return (
            pieces[0],
            named,
            f"“{word}” is {len(pieces)} tokens ({parts}); the rank is that of the first, “{shown(named[0])}”.",
        )

    def _pieces(self, text: str) -> list[int]:
        """The tokens of a text, without those of spaces alone before it; none where one of them is unknown."""
        pieces = self._tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        while len(pieces) > 1 and not self.of(pieces[0]).strip():
            pieces = pieces[1:]
        return [] if self._tokenizer.unk_token_id in pieces else list(pieces)


def _watched(word: str, token: int | None, pieces: tuple[str, ...], note: str, found: HeadReadings, column: int) -> WatchedWord:
    if token is None:
        return WatchedWord(word, None, pieces, note, np.zeros((0, 0), dtype=np.int64), np.zeros((0, 0)))
    probabilities: NDArray[Any] = found.probabilities[:, :, column].astype(np.float64)
    return WatchedWord(word, pieces[0], pieces, note, found.ranks[:, :, column], probabilities)


def _notes(encoder: Encoder, encoded: EncodedText, places: Sequence[int], task: str, n_bytes: int, tied: bool) -> list[str]:
    notes = []
    if len(places) < len(encoded.ids):
        part = {"head": "the first", "tail": "the last"}.get(encoder.keep, "both ends:")
        notes.append(
            f"{encoder.name} reads {len(encoded.ids):,} tokens of this text, of which {part} {len(places):,} are shown here."
        )
    if encoded.truncated:
        notes.append(f"The text is longer than the {encoder.max_length:,} tokens that {encoder.name} reads.")
    mask = encoder.tokenizer.mask_token
    if task == MASKED and mask and encoder.tokenizer.mask_token_id not in encoded.ids:
        notes.append(f"The model sees every token that it is asked for. Write {mask} in place of a word to hide it.")
    if tied and task == NEXT:
        notes.append("The head's matrix is that of the word embeddings, so at layer 0 it mostly names the token that it reads.")
    if n_bytes:
        notes.append(f"The head was loaded beside the encoder; it takes {in_gb(n_bytes)} of memory.")
    return notes
