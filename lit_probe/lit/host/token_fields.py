"""Token embeddings and gradients as fields of a model, for LIT's own salience maps, TCAV and HotFlip; by a flag.

LIT keeps every field of every example for ever, and these are as long as the text is, so they are off unless they are asked for,
and refused where they would take more memory than allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import dropwhile
from typing import Any

import numpy as np
from lit_nlp.api import types
from numpy.typing import NDArray

from lit_probe.encoder.activations import pooled_block
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.memory import GB, MemoryBudget, in_gb
from lit_probe.encoder.tokens import EncodedText
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.host.pooled_texts import PooledBatch, pooled_text
from lit_probe.probing.probe_forward import Forward, forward_of_probe, pooled_gradients, word_embeddings

TOKEN_EMBEDDINGS = "token_embeddings"
TOKEN_GRADIENTS = "token_gradients"
GRADIENTS = f"{fields.CHOSEN}_gradients"
PREDICTED = "predicted_class"

# What they may take where nobody has set a budget: a page with more of them is slow long before the memory is full.
_USUAL_GB = 4.0
# Embeddings and gradients, each a float32 for every token and unit.
_BYTES_PER_TOKEN_AND_UNIT = 2 * 4
_SHORTEST = 3


@dataclass(frozen=True)
class TokenInput:
    """What the encoder is to read of one example.

    Attributes:
      encoded: its tokens.
      embeddings: ``[n_tokens, d_embedding]`` what stands in place of their word embeddings, or None.
      changed: whether tokens or embeddings are others than those of the example's text.
    """

    encoded: EncodedText
    embeddings: NDArray[np.float32] | None
    changed: bool


class TokenFields:
    """The fields of one model.

    ``token_embeddings`` are the word embeddings of all tokens that the encoder reads, special tokens included, as the embedding
    module hands them over. ``token_gradients`` are those of the dev-chosen layer's probe with respect to them: of the logit of
    the class that the example's label names, or of the predicted class where it names none. LIT writes another class into the
    label to have that explained. ``chosen_layer_gradients`` is the gradient of the predicted class's logit at the pooled vector.

    An example may bring token embeddings of its own, or tokens; they are read in place of those of its text. Tokens count only
    while they are the words of the text, as LIT's HotFlip writes it: somebody may have edited the text since.

    Args:
      study: the probes, which may still be in the making.
      text: the name of the field of text; None where there are several, which no list of tokens can replace.
      label: the name of the field of the label.
      label_names: the classes as the data set writes them.
    """

    def __init__(self, study: PendingStudy, text: str | None, label: str, label_names: Sequence[str]):
        self._study = study
        self._encoder = study.encoder
        self._text = text
        self._label = label
        self._label_names = list(label_names)

    def input_spec(self) -> types.Spec:
        """What an example may bring; a data set needs none of it."""
        spec: types.Spec = {TOKEN_EMBEDDINGS: types.TokenEmbeddings(align=fields.TOKENS, required=False)}
        if self._text is not None:
            spec[fields.TOKENS] = types.Tokens(parent=self._text, required=False)
        return spec

    def output_spec(self) -> types.Spec:
        """The fields, and the classes that the gradients are of: LIT's components read them under the names given here."""
        of_class = types.CategoryLabel(vocab=self._label_names)
        return {
            TOKEN_EMBEDDINGS: types.TokenEmbeddings(align=fields.TOKENS),
            TOKEN_GRADIENTS: types.TokenGradients(
                align=fields.TOKENS, grad_for=TOKEN_EMBEDDINGS, grad_target_field_key=self._label
            ),
            self._label: of_class,
            # A field of its own: LIT's TCAV writes the prediction of the last of several heads into the label.
            GRADIENTS: types.Gradients(align=fields.PROBE, grad_for=fields.CHOSEN, grad_target_field_key=PREDICTED),
            PREDICTED: of_class,
        }

    def read(self, examples: Sequence[Mapping[str, Any]], encoded: Sequence[EncodedText]) -> list[TokenInput]:
        """What is read of each example.

        Args:
          examples: as LIT sends them.
          encoded: the tokens of their texts.

        Raises:
          LitProbeError: tokens or embeddings are given that cannot be read.
        """
        return [self._read(example, own) for example, own in zip(examples, encoded, strict=True)]

    def _read(self, example: Mapping[str, Any], own: EncodedText) -> TokenInput:
        tokens, values = example.get(fields.TOKENS), example.get(TOKEN_EMBEDDINGS)
        words = [] if tokens is None else [str(token) for token in tokens]
        text = "" if self._text is None else str(example.get(self._text))
        is_text = bool(words) and " ".join(words).split() == text.split()
        encoded = self._of_tokens(words) if is_text else own
        if values is None:
            return TokenInput(encoded, None, encoded.ids != own.ids)
        try:
            embeddings = np.asarray(values, dtype=np.float32)
        except (TypeError, ValueError):
            raise LitProbeError(
                f"{TOKEN_EMBEDDINGS!r} of an example holds no array of numbers. Leave it out, or give one row for each token."
            ) from None
        # Of no token there is nothing to replace.
        return TokenInput(encoded, embeddings, bool(encoded.ids))

    def _of_tokens(self, tokens: list[str]) -> EncodedText:
        """The text of these tokens, which begin and end with special ones where the tokenizer adds some."""
        tokenizer = self._encoder.tokenizer
        if len(tokens) > self._encoder.max_length:
            raise LitProbeError(f"{len(tokens)} tokens were given, but {self._encoder.name} reads {self._encoder.max_length}.")
        vocabulary = tokenizer.get_vocab()
        ids = [vocabulary.get(token, tokenizer.unk_token_id) for token in tokens]
        if None in ids:
            raise LitProbeError(f"{self._encoder.name} has no token {tokens[ids.index(None)]!r}. Give tokens of its vocabulary.")
        if self._encoder.template is not None or self._encoder.chat is not None:
            return self._within_template(tokens, ids)
        ends = {tokenizer.cls_token, tokenizer.sep_token, tokenizer.bos_token, tokenizer.eos_token} - {None}

        def is_end(token: str) -> bool:
            return token in ends

        n_first, n_last = (len(tokens) - len(list(dropwhile(is_end, way))) for way in (tokens, tokens[::-1]))
        special = [i < n_first or i >= len(tokens) - n_last for i in range(len(tokens))]
        return EncodedText(ids, special, tokens, [(0, 0)] * len(tokens), False)

    def _within_template(self, tokens: list[str], ids: list[int]) -> EncodedText:
        """The text of these tokens, among which those of the template stand where they stand around every text."""
        [sample] = self._encoder.encode(["a"])
        n_first, n_last = (way.index(False) for way in (sample.special, sample.special[::-1]))
        n_own = len(tokens) - n_first - n_last
        if n_own < 0:
            raise LitProbeError(f"{len(tokens)} tokens were given, but the template around the text has {n_first + n_last}.")

        def around(flags: list[bool]) -> list[bool]:
            return [*flags[:n_first], *[False] * n_own, *flags[len(flags) - n_last :]]

        special, template = around(sample.special), around(sample.template)
        return EncodedText(ids, special, tokens, [(0, 0)] * len(tokens), False, template=template)

    def pooled(self, given: Sequence[TokenInput], pooled: PooledBatch) -> PooledBatch:
        """The batch with the vectors of what is read in place of those of the texts, where these differ.

        Raises:
          LitProbeError: given embeddings do not fit the tokens.
        """
        changed = [i for i, one in enumerate(given) if one.changed]
        if not changed:
            return pooled
        study = self._study.result()
        pooling, dtype = study.pooling, study.kept_as
        texts = list(pooled.texts)
        for i in changed:
            if given[i].embeddings is None:
                texts[i] = pooled_text(pooled_block(self._encoder, [given[i].encoded], pooling).kept_as(dtype), 0)
        with_embeddings = [(i, given[i].encoded, values) for i in changed if (values := given[i].embeddings) is not None]
        if with_embeddings:
            places, encoded, embeddings = zip(*with_embeddings, strict=True)
            for i, (block, row) in zip(places, self._forward.pooled_at(encoded, embeddings, pooling), strict=True):
                texts[i] = pooled_text(block.kept_as(dtype), row)
        return replace(pooled, texts=texts)

    def values(
        self, given: Sequence[TokenInput], classes: Sequence[int | None], pooled: PooledBatch, probabilities: NDArray[np.float64]
    ) -> list[dict[str, Any]]:
        """The fields of each example.

        Args:
          given: what is read of them.
          classes: ``[n]`` the class that each one's label names, or None.
          pooled: their pooled vectors.
          probabilities: ``[n, n_classes]`` of the dev-chosen layer's probe.

        Raises:
          LitProbeError: given embeddings do not fit the tokens, or the model passes no gradient to its word embeddings.
        """
        study = self._study.result()
        predicted = study.decision.classes(probabilities)
        wanted = [int(decided) if named is None else named for named, decided in zip(classes, predicted, strict=True)]
        tokens = self._forward.token_gradients([one.encoded for one in given], wanted, [one.embeddings for one in given])
        vectors = pooled.layer(study.best_layer)
        slopes = pooled_gradients(study.layerwise.probes[study.best_layer], vectors, predicted)
        names = self._label_names
        return [
            {
                # JSON has no NaN, and one of an encoder that overflows would take LIT's page down.
                TOKEN_EMBEDDINGS: np.nan_to_num(one.embeddings),
                TOKEN_GRADIENTS: np.nan_to_num(_but_for_template(one.gradients, own.encoded)),
                self._label: names[explained],
                GRADIENTS: np.nan_to_num(slope),
                PREDICTED: names[decided],
            }
            for own, one, explained, slope, decided in zip(given, tokens, wanted, slopes, predicted.tolist(), strict=True)
        ]

    @cached_property
    def embedding_table(self) -> tuple[list[str], NDArray[np.float32]]:
        """``n`` tokens that may be put into a text, special ones not, and their word embeddings ``[n, d_embedding]``."""
        tokenizer = self._encoder.tokenizer
        never = set(tokenizer.all_special_tokens)
        known = sorted((number, token) for token, number in tokenizer.get_vocab().items() if token not in never)
        rows = word_embeddings(self._encoder, [number for number, _ in known])
        return [token for _, token in known], rows.float().cpu().numpy()

    @cached_property
    def _forward(self) -> Forward:
        """The probe of the layer that was chosen on dev."""
        study = self._study.result()
        layer = study.best_layer
        probe = study.layerwise.probes[layer]
        return forward_of_probe(self._encoder, study.pooling, layer, probe, self._label_names, study.decision)


def _but_for_template(gradients: NDArray[np.float32], encoded: EncodedText) -> NDArray[np.float32]:
    """The gradients with 0 for the tokens of a template, which LIT's maps and HotFlip would else take for words."""
    if not encoded.template:
        return gradients
    return np.where(np.array(encoded.template)[:, None], np.float32(0), gradients)


def check_memory(models: Sequence[tuple[Encoder, Sequence[str]]], budget: MemoryBudget, beside: int = 0) -> None:
    """That token embeddings and gradients of these texts fit into memory; reads tokenizers, no weights.

    First every text is taken to be as long as the encoder reads. Where that is too much, the tokens are counted. Word embeddings
    are taken to be as wide as the layers, which they are at most.

    Args:
      models: each encoder with the texts that LIT may keep its predictions of.
      budget: how much memory there is; where nobody has said so, they may take 4 GB of it.
      beside: the bytes that encoders and activations take of it.

    Raises:
      LitProbeError: they do not fit.
    """
    room = max(0.0, budget.n_bytes - beside)
    words = f"{budget.words}, of which weights and activations take {in_gb(beside)}" if beside else budget.words
    if not budget.given and room > _USUAL_GB * GB:
        room, words = _USUAL_GB * GB, f"the usual limit is {_USUAL_GB:g} GB"
    at_most = sum(encoder.max_length * len(texts) * _per_token(encoder) for encoder, texts in models)
    if at_most <= room:
        return
    lengths = [np.array([len(text.ids) for text in encoder.encode(texts)], dtype=np.int64) for encoder, texts in models]
    widths = [_per_token(encoder) for encoder, _ in models]

    def needed(longest: int) -> float:
        return sum(float(np.minimum(n, longest).sum()) * width for n, width in zip(lengths, widths, strict=True))

    whole = needed(max(encoder.max_length for encoder, _ in models))
    if whole <= room:
        return
    n_texts = sum(map(len, lengths))
    mean = sum(int(n.sum()) for n in lengths) / n_texts
    fitting = [f"about {int(n_texts * room / whole):,} examples fit"]
    shorter = [n for n in range(_SHORTEST, max(encoder.max_length for encoder, _ in models)) if needed(n) <= room]
    if shorter:
        fitting.append(f"all of them with max_length={shorter[-1]}")
    raise LitProbeError(
        f"Token fields of {n_texts:,} examples of {mean:.0f} tokens on average would take {in_gb(whole)}, and {words}: "
        f"{', or '.join(fitting)}, or raise the memory budget."
    )


def _per_token(encoder: Encoder) -> int:
    """Bytes that one token takes."""
    return encoder.d_model * _BYTES_PER_TOKEN_AND_UNIT
