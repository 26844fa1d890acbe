"""What encoders leave out of the shown texts: tokens over the limit, and words that no token spells.

A tokenizer is loaded with transformers and torch, which takes longer than much of the rest of a start. So what it said is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lit_probe.encoder.cache import Cache, text_hash
from lit_probe.encoder.checkpoint import Checkpoint, sha256_of
from lit_probe.encoder.encoder import Encoder
from lit_probe.results import Result


@dataclass(frozen=True)
class Unread(Result):
    """What one encoder, or several, leave out of texts.

    Attributes:
      truncated: ``[n_texts]`` whether only a part of it is read.
      unknown: ``[n_texts]`` the share of tokens that the vocabulary cannot spell, 0 to 1.
    """

    truncated: tuple[bool, ...]
    unknown: tuple[float, ...]


def unread_by_any(encoders: Sequence[Encoder], texts: Sequence[str], cache: Cache) -> list[tuple[bool, float]]:
    """Of each text, whether any of the encoders reads only a part of it, and the largest share of tokens that one cannot spell.

    Args:
      encoders: any number of them; without any, all is read.
      texts: any strings.
      cache: where it is kept.

    Raises:
      EncoderError: a tokenizer is missing, or cannot be loaded.
    """
    found = [unread(encoder, texts, cache) for encoder in encoders]
    return [
        (any(one.truncated[i] for one in found), max((one.unknown[i] for one in found), default=0.0)) for i in range(len(texts))
    ]


def unread(encoder: Encoder, texts: Sequence[str], cache: Cache) -> Unread:
    """What an encoder leaves out of texts, from the cache where it is there.

    Raises:
      EncoderError: its tokenizer is missing, or cannot be loaded.
    """

    def ask() -> Unread:
        encoded = encoder.encode(texts)
        return Unread(tuple(text.truncated for text in encoded), tuple(encoder.unknown(encoded)))

    source = encoder.checkpoint
    if not isinstance(source, Checkpoint):
        return ask()  # a model in memory has brought its tokenizer along
    facts = {**_of_tokenizer(source), "max_length": encoder.max_length, "keep": encoder.keep}
    facts |= {"template": encoder.template, "chat": encoder.chat, "texts": text_hash(texts)}
    return cache.result("unread", facts, ask, Unread)


def _of_tokenizer(source: Checkpoint) -> dict[str, Any]:
    """What decides which tokens it makes of a text."""
    files = [*source.tokenizer_files, source.folder / "config.json", *sorted(source.folder.glob("*.py"))]
    return {"files": {path.name: sha256_of(path) for path in files}}
