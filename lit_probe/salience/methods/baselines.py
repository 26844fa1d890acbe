"""What stands in a text's place where a path of embeddings begins. Special tokens keep their own embeddings.

So the path leads over content tokens alone, special tokens get exactly 0, and the scores still add up to the change.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from lit_probe.encoder.encoder import filler_id
from lit_probe.errors import LitProbeError
from lit_probe.registry import lookup
from lit_probe.salience.methods.explained import ExplainedText

if TYPE_CHECKING:
    from torch import Tensor


class NoSuchBaselineError(LitProbeError):
    """What should stand for words, and cannot with this tokenizer."""


def _zero(explained: ExplainedText) -> Tensor:
    import torch

    return torch.zeros_like(explained.embeddings[0])


def _mean(explained: ExplainedText) -> Tensor:
    return explained.forward.mean_embedding().expand_as(explained.embeddings[0])


def _token(kind: str) -> Callable[[ExplainedText], Tensor]:
    def embedded(explained: ExplainedText) -> Tensor:
        tokenizer = explained.forward.encoder.tokenizer
        token_id = filler_id(tokenizer) if kind == "pad" else getattr(tokenizer, f"{kind}_token_id")
        if token_id is None:
            raise NoSuchBaselineError(
                f"The tokenizer of {explained.forward.encoder.checkpoint.model_id!r} has no {kind} token; choose another "
                "baseline (zero and mean always work)."
            )
        return explained.forward.embeddings(replace(explained.text, ids=[token_id] * len(explained.text.ids)))

    return embedded


# An explained text -> [n_tokens, d_embedding].
INPUT_BASELINES: dict[str, Callable[[ExplainedText], Tensor]] = {
    "pad": _token("pad"),
    "mask": _token("mask"),
    "zero": _zero,
    "mean": _mean,
}


def baseline_of(explained: ExplainedText, name: str) -> Tensor:
    """``[1, n_tokens, d_embedding]`` the text with its content tokens' embeddings replaced by a baseline's.

    Raises:
      NoSuchBaselineError: the tokenizer lacks the token.
      UnknownNameError: there is no such baseline.
    """
    import torch

    replaced = lookup(INPUT_BASELINES, name, "baseline")(explained)
    return torch.where(explained.content, replaced, explained.embeddings[0].detach()).unsqueeze(0)


def all_baselines(explained: ExplainedText) -> dict[str, Tensor]:
    """`baseline_of` for every baseline that the tokenizer has a token for, by name."""
    found = {}
    for name in INPUT_BASELINES:
        with suppress(NoSuchBaselineError):
            found[name] = baseline_of(explained, name)
    return found
