"""Texts to tokens: whole prompts are tokenised, pairs are joined, and what is too long is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lit_probe.data import text_pairs
from lit_probe.data.labelled_texts import clean_text
from lit_probe.encoder.template import Prompt
from lit_probe.encoder.tokens import KEEPS, EncodedText, shared_room
from lit_probe.errors import EncoderError


@dataclass(frozen=True)
class TextReader:
    """How an encoder reads texts.

    Attributes:
      tokenizer: the transformers tokenizer.
      model_id: what messages call the model.
      max_length: tokens kept per text, special tokens and a template's included.
      keep: which part of a longer text is kept, a name in ``KEEPS``.
      prompt: what stands around every text; None for the text alone.
    """

    tokenizer: Any
    model_id: str
    max_length: int
    keep: str
    prompt: Prompt | None

    def encode(self, texts: Sequence[str], with_tokens: bool) -> list[EncodedText]:
        """See ``Encoder.encode``."""
        backend = self.tokenizer.backend_tokenizer
        # The fast form leaves out the offsets.
        encode_batch = backend.encode_batch if with_tokens or self.prompt else backend.encode_batch_fast
        inputs = [text_pairs.segments(clean_text(text)) for text in texts]
        if self.prompt is not None:
            if any(len(one) > 1 for one in inputs):
                raise EncoderError(
                    "A template has a place for one text, and these are pairs of texts. Leave out the options template "
                    "and chat, or join the two columns in your table, with the words "
                    "between them that you would write into a template."
                )
            whole = [self.prompt.around(one) for (one,) in inputs]
            encodings = encode_batch(whole, add_special_tokens=self.prompt.adds_special)
            return [self._read(encoding, one, with_tokens) for encoding, one in zip(encodings, inputs, strict=True)]
        if any(len(one) > 1 for one in inputs) and not _joins_pairs(self.tokenizer):
            raise EncoderError(
                f"The tokenizer of {self.model_id!r} puts nothing between the two texts of a pair, so a model could "
                "not tell where the second begins. Join the two columns in your table, with a sign of yours between them."
            )
        encodings = encode_batch([one if len(one) > 1 else one[0] for one in inputs])
        return [self._read(encoding, one, with_tokens) for encoding, one in zip(encodings, inputs, strict=True)]

    def _read(self, encoding: Any, segments: tuple[str, ...], with_tokens: bool) -> EncodedText:
        """What is read of one text, or of the two of a pair."""
        tokens, offsets = (encoding.tokens, encoding.offsets) if with_tokens else ([], [])
        special, types = [bool(flag) for flag in encoding.special_tokens_mask], []
        if len(segments) > 1:
            types = encoding.type_ids
            # Each text's offsets count from its own beginning.
            begins = (0, len(segments[0]) + len(text_pairs.SEPARATOR))
            shifts = [begins[segment or 0] for segment in encoding.sequence_ids] if with_tokens else []
            offsets = [(start + by, end + by) for (start, end), by in zip(offsets, shifts, strict=True)]
        template: list[bool] = []
        if self.prompt is not None:
            spans = self.prompt.spans(encoding.offsets, len(segments[0]))
            template = [span is None and not added for span, added in zip(spans, special, strict=True)]
            special = [added or around for added, around in zip(special, template, strict=True)]
            offsets = [span or (0, 0) for span in spans] if with_tokens else []
        whole = EncodedText(encoding.ids, special, tokens, offsets, len(encoding.ids) > self.max_length, types, template)
        return whole.only(self._kept(whole, encoding.sequence_ids)) if whole.truncated else whole

    def _kept(self, whole: EncodedText, of_token: Sequence[int | None]) -> list[int]:
        """The places of the tokens that are kept of a text that is too long: all special ones, and content by `KEEPS`."""
        content = [i for i, flag in enumerate(whole.special) if not flag]
        room = max(0, self.max_length - (len(whole.ids) - len(content)))
        if whole.template and not room:
            raise EncoderError(
                f"The template takes {len(whole.ids) - len(content):,} tokens, special ones included, and max_length is "
                f"{self.max_length:,}, so no token of a text would be read. Shorten the template, or raise the option "
                "max_length."
            )
        parts, rooms = [content], [room]
        if whole.is_pair:
            parts = [[i for i in content if of_token[i] == segment] for segment in (0, 1)]
            rooms = list(shared_room(len(parts[0]), len(parts[1]), room))
        keep = KEEPS[self.keep]
        chosen = {part[i] for part, own in zip(parts, rooms, strict=True) for i in keep(len(part), own)}
        return [i for i, flag in enumerate(whole.special) if flag or i in chosen]


def _joins_pairs(tokenizer: Any) -> bool:
    """Whether the tokenizer puts a special token between two texts."""
    encoding = tokenizer.backend_tokenizer.encode("a", "a")
    places = [place for place, segment in enumerate(encoding.sequence_ids) if segment == 1]
    return not places or bool(encoding.special_tokens_mask[places[0] - 1])
