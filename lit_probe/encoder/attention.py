"""Which tokens of one text each attention head looks at: the weights that the model itself computes with, of every block.

The usual pass of a model makes no such weights: they are a by-product of the plain ("eager") form of attention alone. So a second
model of the same weights makes them. It shares the memory of the first, which stays as it is, and is made once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data import text_pairs
from lit_probe.data.labelled_texts import clean_text
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.in_memory import sharing_weights
from lit_probe.encoder.memory import MemoryBudget, in_gb
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import EncodedText, written
from lit_probe.encoder.vector_encoder import needs_network
from lit_probe.errors import EncoderError, UnknownNameError
from lit_probe.once import once_per_object
from lit_probe.results import Result

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

MAX_TOKENS = 512
"""Of a longer text no weights are computed: they grow with the square of its tokens."""

# The model's own, and the copy that is handed out.
_COPIES = 2
# How far the numbers of a plain pass may be from those of the usual one, beside the largest: both add in another order.
_ROUNDING = {"float32": 1e-3, "bfloat16": 1e-1, "float16": 2e-2}
_SOME_TEXT = "It is a short text, with a few words."
_EMPTY = "The text is empty: there is no token of its own that could attend to another. Give some words."


@dataclass(frozen=True)
class Attention(Result):
    """The attention weights of one text.

    Attributes:
      tokens: ``[n_tokens]`` the tokens that the encoder read, each with the space before it; as the vocabulary writes it where a
        token is no whole character.
      special: ``[n_tokens]`` whether the tokenizer, or a template, added it.
      seam: of a pair of texts, the first token of the second one; None for a single text.
      truncated: whether tokens of the text were left out.
      weights: ``[n_blocks, n_heads, n_tokens, n_tokens]`` float32, 0 to 1: how much of what a token (third axis) takes in comes
        from which token (last axis). They add up to 1 over the last axis, but in architectures that let attention go to none.
    """

    tokens: tuple[str, ...]
    special: tuple[bool, ...]
    seam: int | None
    truncated: bool
    weights: NDArray[np.float32]

    @property
    def n_blocks(self) -> int:
        """How many blocks there are."""
        return self.weights.shape[0]

    @property
    def n_heads(self) -> int:
        """How many heads each block has."""
        return self.weights.shape[1]

    def head(self, block: int, head: int) -> NDArray[np.float32]:
        """``[n_tokens, n_tokens]`` the weights of one head, called as its site is: ``head 4.7`` is block 4, head 7.

        Args:
          block: from 1, as layers are numbered.
          head: from 0.

        Raises:
          UnknownNameError: there is none.
        """
        check_head(self, block, head)
        found: NDArray[np.float32] = self.weights[block - 1, head]
        return found


def attention(encoder: Encoder, text: str) -> Attention:
    """What every head of an encoder or decoder attends to in one text: one pass, of which nothing is kept.

    What a head attends to is not what it carries: a weight says how much of a token's values is taken in, not what is in them,
    nor what later blocks make of it (Jain & Wallace 2019, https://aclanthology.org/N19-1357; Wiegreffe & Pinter 2019,
    https://aclanthology.org/D19-1002).

    Args:
      encoder: the encoder; at whatever places it is read.
      text: the text, or a pair of texts joined by `text_pairs.joined`.

    Raises:
      EncoderError: the text has no token of its own or more than `MAX_TOKENS`, the model is known by vectors alone or has no
        attention weights for each pair of tokens in each block, some are NaN, or there is no memory for them.

    >>> attention(encoder, "a very good film").weights.sum(axis=-1).round(3).min()  # doctest: +SKIP
    1.0
    """
    return on_encoder_thread(pass_over, encoder, text)[0]


def pass_over(
    encoder: Encoder, text: str, watching: Callable[[int], AbstractContextManager[Any]] = lambda n_tokens: nullcontext()
) -> tuple[Attention, Any]:
    """The pass of `attention`, within a context that may watch it. To be called on the encoder thread.

    Args:
      encoder: as of `attention`.
      text: as of `attention`.
      watching: makes the context, of the number of tokens.

    Returns:
      The weights, and what the context gave.
    """
    _check_network(encoder)
    text = clean_text(text)
    [encoded] = encoder.encode([text], with_tokens=True)
    if not any(one.strip() for one in text_pairs.segments(text)):
        raise EncoderError(_EMPTY)
    return _pass(encoder, encoded, _seam(text, encoded), watching)


def attention_of_tokens(encoder: Encoder, encoded: EncodedText) -> Attention:
    """The same of a text that the encoder has read already, without a seam.

    Raises:
      EncoderError: as `attention`.
    """
    _check_network(encoder)
    return on_encoder_thread(_pass, encoder, encoded, None, lambda n_tokens: nullcontext())[0]


def _pass(
    encoder: Encoder, encoded: EncodedText, seam: int | None, watching: Callable[[int], AbstractContextManager[Any]]
) -> tuple[Attention, Any]:
    _check_tokens(encoder, encoded)
    _check_memory(encoder, len(encoded.ids), encoder.model.base_model.config)
    plain = _plain(encoder.at_layers)
    with watching(len(encoded.ids)) as seen:
        output = _run(encoder, plain, encoded)
    encoder.check_unchanged()
    weights = _checked(encoder, getattr(output, "attentions", None), len(encoded.ids))
    tokens = tuple(written(encoder.tokenizer, one) for one in encoded.ids)
    return Attention(tokens, tuple(encoded.special), seam, encoded.truncated, weights), seen


def check_head(of: Attention, block: int, head: int) -> None:
    """Does nothing if there is such a head.

    Raises:
      UnknownNameError: there is none.
    """
    if not 1 <= block <= of.n_blocks or not 0 <= head < of.n_heads:
        raise UnknownNameError(
            f"Unknown head {block}.{head}. There are blocks 1 to {of.n_blocks}, each with heads 0 to {of.n_heads - 1}."
        )


@once_per_object
def _plain(encoder: Encoder) -> Module:
    """The encoder's weights in a model that computes attention plainly; its own one stays as it is.

    Raises:
      EncoderError: in a short text it ends up with other numbers than the encoder, so what it attends to is another matter.
    """
    import torch

    plain = sharing_weights(encoder.model.base_model)
    # Not by `set_attn_implementation`, which leaves models of an older form as they are.
    for module in plain.modules():
        config: Any = getattr(module, "config", None)
        if hasattr(config, "_attn_implementation"):
            config._attn_implementation = "eager"
    [encoded] = encoder.encode([_SOME_TEXT])
    own, other = encoder.forward([encoded]).layers[-1].float(), _run(encoder, plain, encoded)[0].float()
    finite = own.isfinite() & other.isfinite()
    own, other = own[finite], other[finite]
    near = _ROUNDING[encoder.dtype] * float(own.abs().max()) if own.numel() else 0.0
    if not torch.allclose(own, other, rtol=0.0, atol=near):
        raise EncoderError(
            f"{encoder.checkpoint.model_id!r} ends up with other numbers when it computes attention plainly, so the weights of "
            "that way are not those behind its vectors, and there is no attention to show."
        )
    return plain


def _run(encoder: Encoder, model: Any, encoded: EncodedText) -> Any:
    """What a model returns of a text, with attention weights if it makes them."""
    import torch

    try:
        with torch.inference_mode():
            return model(**encoder.padded([encoded]).model_inputs, output_attentions=True)
    # A model of another kind takes no such wish, in as many ways as there are models.
    except (AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise EncoderError(f"{encoder.checkpoint.model_id!r} gives no attention weights: {error}") from error


def _check_network(encoder: Encoder) -> None:
    if not encoder.has_network:
        raise EncoderError(needs_network(encoder, "its attention weights"))


def _check_tokens(encoder: Encoder, encoded: EncodedText) -> None:
    if all(encoded.special):
        raise EncoderError(_EMPTY)
    if len(encoded.ids) > MAX_TOKENS:
        raise EncoderError(
            f"The text has {len(encoded.ids):,} tokens as {encoder.name} reads it, and attention is computed for {MAX_TOKENS} at "
            f"most: its weights grow with their square. Give a shorter text, or load the encoder with max_length={MAX_TOKENS}."
        )


def _check_memory(encoder: Encoder, n_tokens: int, config: Any) -> None:
    n_heads = getattr(config, "num_attention_heads", None) or 1
    needed = _COPIES * 4 * (encoder.at_layers.n_layers - 1) * n_heads * n_tokens**2
    free = MemoryBudget.of(None)
    if needed > free.n_bytes:
        raise EncoderError(
            f"The attention weights of {n_tokens} tokens take {in_gb(needed)}, and {free.words}. Give a shorter text."
        )


def _checked(encoder: Encoder, found: tuple[Tensor | None, ...] | None, n_tokens: int) -> NDArray[np.float32]:
    """``[n_blocks, n_heads, n_tokens, n_tokens]`` what the model gave, if that is what it is."""
    name, n_blocks = repr(encoder.checkpoint.model_id), encoder.at_layers.n_layers - 1
    given = [one for one in found or () if one is not None]
    if not given:
        raise EncoderError(
            f"{name} gives no attention weights: its blocks mix tokens in another way, as recurrent and convolutional ones do, "
            "so there is no attention to show."
        )
    if len(given) != n_blocks:
        raise EncoderError(
            f"{name} gives attention weights for {len(given)} of its {n_blocks} blocks, so the others mix tokens in another way, "
            "and lit_probe cannot number the heads."
        )
    shapes = {tuple(one.shape) for one in given}
    if len(shapes) > 1 or given[0].ndim != 4 or given[0].shape[0] != 1 or set(given[0].shape[2:]) != {n_tokens}:
        listed = " and ".join(str(list(one)) for one in sorted(shapes))
        raise EncoderError(
            f"{name} gives no attention weights that could be shown: what it returns in their place for {n_tokens} tokens has "
            f"the shape {listed}, and not one number for each two tokens of each head."
        )
    weights: NDArray[np.float32] = np.stack([one[0].float().cpu().numpy() for one in given])
    bad = ~np.isfinite(weights).all(axis=(1, 2, 3))
    if bad.any():
        raise EncoderError(f"The attention weights of {name} are NaN from block {int(np.argmax(bad)) + 1} on: check its weights.")
    # Some return the scores before the softmax (SqueezeBERT).
    if weights.min() < 0 or weights.max() > 1 + _ROUNDING[encoder.dtype]:
        raise EncoderError(
            f"{name} gives numbers from {weights.min():.2g} to {weights.max():.2g} where weights from 0 to 1 belong, so there is "
            "no attention to show."
        )
    return weights


def _seam(text: str, encoded: EncodedText) -> int | None:
    """The first token of the second text of a pair; None of a single one, or where no token of the second was read."""
    if not text_pairs.is_pair(text):
        return None
    begins = len(text_pairs.segments(text)[0]) + len(text_pairs.SEPARATOR)
    places = enumerate(zip(encoded.special, encoded.offsets, strict=True))
    return next((place for place, (special, (start, _)) in places if not special and start >= begins), None)
