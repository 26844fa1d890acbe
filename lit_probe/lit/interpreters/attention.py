"""Which tokens each attention head looks at in one text, and in an edited one beside it."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD
from lit_probe.encoder.attention import MAX_TOKENS, Attention, attention, check_head
from lit_probe.encoder.attention_rollout import read_by_pooling, rollout_by_token
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.queries_keys import queries_and_keys
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import one_of, whole_number
from lit_probe.lit.host.pending_checks import NotReadyError
from lit_probe.lit.interpreters.probe_interpreter import Part, ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.once import Memo
from lit_probe.progress import Progress
from lit_probe.views.attention_heads import aligned_tokens, head_changes, head_shares, small_pictures

MAX_TEXTS = 2
# Cells of a small picture on a side; a page shows hundreds of them.
_SIDE = 24
# What a weight is rounded to on its way to the page: far below what can be seen.
_DECIMALS = 5
_HEADS = "heads"
# Any text: the first pass of an encoder loads it.
_ANY_TEXT = "An edit."


# The weights of a text and its edit, by the encoder's fingerprint and the text: who walks from head to head waits for no pass.
_LAST: Memo[tuple[str, str], Attention] = Memo(MAX_TEXTS)


def _attention_of(question: Question) -> list[Attention]:
    encoder = question.probes.encoder.at_layers
    return [_LAST.get((encoder.fingerprint, text), partial(attention, encoder, text)) for text in question.texts]


def _rounded(values: NDArray[np.floating[Any]]) -> list[Any]:
    found: list[Any] = np.round(values.astype(np.float64), _DECIMALS).tolist()
    return found


def _heads(question: Question) -> dict[str, Any]:
    encoder = question.probes.encoder
    found = _attention_of(question)
    aligned = aligned_tokens(*found) if len(found) == MAX_TEXTS else None
    changes = None if aligned is None else head_changes(found[0], found[1], aligned)
    return {
        "n_blocks": found[0].n_blocks,
        "n_heads": found[0].n_heads,
        "encoder": encoder.name,
        "max_length": encoder.max_length,
        "max_tokens": MAX_TOKENS,
        "is_decoder": encoder.is_decoder,
        "best_layer": question.study.best_layer,
        "pooling": question.study.pooling,
        "examples": [_example(one, text, question) for one, text in zip(found, question.texts, strict=True)],
        "aligned": None if aligned is None else list(aligned),
        "changes": None if changes is None else _rounded(changes),
        "places": _places_of_heads(question, found[0]),
    }


def _example(of: Attention, text: str, question: Question) -> dict[str, Any]:
    pictures = small_pictures(of, _SIDE)
    shares = head_shares(of)
    return {
        "tokens": list(of.tokens),
        "special": list(of.special),
        "seam": of.seam,
        "truncated": of.truncated,
        "side": pictures.shape[-1],
        "pictures": base64.b64encode(pictures.tobytes()).decode(),
        "to_itself": _rounded(shares.to_itself),
        "to_previous": _rounded(shares.to_previous),
        "to_next": _rounded(shares.to_next),
        "to_special": _rounded(shares.to_special),
        "entropy": _rounded(shares.entropy),
        # A word's vector is one of many in its text.
        "rollout": _rounded(_rollout(of, text, question)) if question.probes.unit == TEXT else None,
        "between": None if shares.between is None else _rounded(shares.between),
    }


def _rollout(of: Attention, text: str, question: Question) -> NDArray[np.float64]:
    encoder = question.probes.encoder.at_layers
    [encoded] = encoder.encode([text])
    # Probes that weigh tokens themselves name no pooling.
    pooling = question.study.pooling if question.study.pooling in POOLINGS else "mean"
    return rollout_by_token(of, read_by_pooling(encoder, encoded, pooling))


def _places_of_heads(question: Question, of: Attention) -> list[list[int | None]] | None:
    """By block and head, at which of the probes' places the head is read; None where probes read no heads."""
    number = {site.name: place for place, site in enumerate(question.probes.encoder.sites) if site.family == "heads"}
    if not number:
        return None
    return [[number.get(f"head {block}.{head}") for head in range(of.n_heads)] for block in range(1, of.n_blocks + 1)]


def _one_head(question: Question) -> dict[str, Any]:
    block, head = question["block"], question["head"]
    return {"block": block, "head": head, "weights": [_rounded(one.head(block, head)) for one in _attention_of(question)]}


def _units(question: Question) -> dict[str, Any]:
    block, head, token = question["block"], question["head"], question["token"]
    if len(question.texts) != 1:
        raise LitProbeError(f"Queries and keys are shown of one text; {len(question.texts)} were sent.")
    found, of = queries_and_keys(question.probes.encoder, question.texts[0], block)
    check_head(of, block, head)
    if token >= len(of.tokens):
        raise LitProbeError(f"The text has {len(of.tokens)} tokens, so there is none at place {token}.")
    return {
        "block": block,
        "head": head,
        "token": token,
        "query": _rounded(found.queries[head, token]),
        "keys": _rounded(found.keys[head]),
        "products": _rounded(found.products(head, token)),
        "weights": _rounded(of.head(block, head)[token]),
        "scale": found.scale,
        "largest_error": found.largest_error,
    }


_OF_A_HEAD = {"block": whole_number(1, 10_000), "head": whole_number(0, 10_000)}
_BOTH = (TEXT, WORD)
ATTENTION_PARTS = {
    _HEADS: Part({}, _heads, _BOTH),
    "head": Part(_OF_A_HEAD, _one_head, _BOTH),
    "units": Part({**_OF_A_HEAD, "token": whole_number(0, 1_000_000)}, _units, _BOTH),
}


class AttentionInterpreter(ProbeInterpreter):
    """What do the attention heads look at in a text, and what does an edit turn elsewhere? One pass for each text."""

    needs = "its attention weights"
    keys = {"part": one_of(ATTENTION_PARTS, _HEADS)}
    by = "part"
    further = {name: part.keys for name, part in ATTENTION_PARTS.items()}
    reads_texts = True
    units = _BOTH
    targets = (CLASSES, NUMBER)

    def check(self, question: Question) -> None:
        """Refuses other numbers of texts than can be shown side by side."""
        if not 1 <= len(question.inputs) <= MAX_TEXTS:
            raise LitProbeError(f"Attention is shown of one text, or of two side by side; {len(question.inputs)} were sent.")

    def answer(self, question: Question) -> dict[str, Any]:
        """The part's answer about one text, or about a text and its edit.

        Returns:
          Of ``heads``: for each text its ``tokens``, what `HeadShares` says of each head, ``pictures``, the bytes of
          `small_pictures` in base64, and ``rollout``, see `rollout_by_token`; for two texts ``aligned`` and ``changes``, see
          `head_changes`; and ``places``, by block and head, where the probes read heads. Of ``head``: ``weights``, for each text
          ``[n_tokens, n_tokens]``. Of ``units``: what `QueriesKeys` says of one token of one head, ``products`` as of
          `QueriesKeys.products`.
        """
        _at_hand(question)
        return ATTENTION_PARTS[question["part"]].answer(question)


def _at_hand(question: Question) -> None:
    """Loads the encoder in the background, so that no request waits for that.

    Raises:
      NotReadyError: it is not there yet.
    """
    encoder = question.probes.encoder

    def load(progress: Progress) -> dict[str, Any]:
        return {"n_tokens": len(attention(encoder, _ANY_TEXT).tokens)}

    status = question.probes.checks.ask(
        ("attention at hand", encoder.name), f"Loading {encoder.name}", load, quick=True, asker=question.asker
    )
    if status["status"] != "ready":
        raise NotReadyError(status)
