"""A text with some of its words taken out: which of them (masks), as token ids (rows), and what the model says of each.

Shared by occlusion, LIME and KernelSHAP. Everything works on token ids: a text that is decoded and tokenised again may have
other tokens than before, also where no word was taken out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.tokens import EncodedText
from lit_probe.errors import LitProbeError
from lit_probe.salience.methods.baselines import NoSuchBaselineError
from lit_probe.salience.options import SalienceOptions

if TYPE_CHECKING:
    from lit_probe.encoder.encoder import Encoder
    from lit_probe.encoder.words import Words
    from lit_probe.probing.probe_forward import Forward, Target

Masks = NDArray[np.bool_]

# A unit may be taken out by a token that stands for anything, or by closing the gap. Name -> the tokenizer's token, if any.
_TOKEN_FOR: dict[str, str | None] = {"mask": "mask_token_id", "unk": "unk_token_id", "delete": None}


def fitting(options: SalienceOptions, encoder: Encoder) -> SalienceOptions:
    """The options as they can be followed: without a mask token, as decoders are, the unknown token stands for words taken out.

    Where a tokenizer has neither, words are left out. What is returned names what is done.
    """
    if options.replace != "mask" or encoder.tokenizer.mask_token_id is not None:
        return options
    return replace(options, replace="delete" if encoder.tokenizer.unk_token_id is None else "unk")


@dataclass(frozen=True, eq=False)
class PerturbedText:
    """A text whose units (words, or single tokens) can be taken out. Special tokens are never touched.

    Attributes:
      text: the text as the encoder reads it.
      unit_of_token: ``[n_tokens]`` 0..n_units-1, or -1 for special tokens.
      n_units: the number of units, 1 or more.
      replacement: the token id that stands for a token taken out, or None where the token is deleted.
      if_empty: the token id that stands alone where all are deleted and the tokenizer adds no special token.
    """

    text: EncodedText
    unit_of_token: NDArray[np.int64]
    n_units: int
    replacement: int | None
    if_empty: int | None = None

    @classmethod
    def of(cls, forward: Forward, text: EncodedText, words: Words, replace: str, unit: str = "word") -> PerturbedText:
        """The text with its words or tokens as units.

        Args:
          forward: whose tokenizer gives the replacement.
          text: the text as its encoder reads it.
          words: the words that were read, and each token's.
          replace: ``mask`` or ``unk`` (the tokenizer's mask or unknown token stands for each token taken out) or ``delete``.
          unit: ``word`` or ``token``.

        Raises:
          LitProbeError: there is no word.
          NoSuchBaselineError: the tokenizer has no such token, or nothing would be left after deletion.
        """
        unit_of_token = np.array([-1 if word is None else word for word in words.of_token], dtype=np.int64)
        content = unit_of_token >= 0
        if not content.any():
            raise LitProbeError("The text has no word to explain: the encoder reads nothing of it but special tokens.")
        tokenizer: Any = forward.encoder.tokenizer
        if_empty = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
        if replace == "delete" and content.all() and if_empty is None:
            raise NoSuchBaselineError(
                f"With every word deleted nothing is left to read: the tokenizer of {forward.encoder.name} adds no special "
                "tokens, and has none for the beginning or the end of a text. Choose mask or unk instead."
            )
        if unit == "token":
            unit_of_token[content] = np.arange(content.sum())
        return cls(text, unit_of_token, int(unit_of_token.max()) + 1, _replacement(forward, replace), if_empty)

    def rows(self, masks: Masks) -> list[EncodedText]:
        """One text per row of ``masks`` ``[n, n_units]``: True leaves the unit in. Tokens and offsets are not carried along."""
        # A last column for the special tokens, which -1 points at: always left in.
        left_in = np.column_stack([masks, np.ones(len(masks), dtype=bool)])[:, self.unit_of_token]
        plain = self.text.without_names()
        if self.replacement is None:
            nothing = EncodedText([] if self.if_empty is None else [self.if_empty], [True], [], [], plain.truncated)
            kept = [np.flatnonzero(keep).tolist() for keep in left_in]
            return [plain.only(places) if places else nothing for places in kept]
        return [replace(plain, ids=row) for row in np.where(left_in, np.array(self.text.ids), self.replacement).tolist()]

    def over_tokens(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """``[n_tokens]``: the score of each unit ``[n_units]`` in equal parts over its tokens, 0 for special tokens."""
        content = self.unit_of_token >= 0
        units = self.unit_of_token[content]
        tokens = np.zeros(len(self.unit_of_token))
        tokens[content] = (scores / np.bincount(units, minlength=self.n_units))[units]
        return tokens


@dataclass(frozen=True, eq=False)
class AskedText:
    """A text, and the model that can be asked for the explained number of any changed version of it.

    Attributes:
      forward: what is explained.
      encoded: the text as its encoder reads it.
      words: the words that were read, and each token's.
      target: the explained number.
      check: see `Forward.logits_of`.
    """

    forward: Forward
    encoded: EncodedText
    words: Words
    target: Target
    check: Callable[[], None] | None = None

    def perturbed(self, replace: str, unit: str = "word") -> PerturbedText:
        """The text whose units can be taken out; see `PerturbedText.of`."""
        return PerturbedText.of(self.forward, self.encoded, self.words, replace, unit)

    def values(self, perturbed: PerturbedText, masks: Masks) -> NDArray[np.float64]:
        """``[n]`` the explained number of each row of ``masks`` ``[n, n_units]``, by one call for all."""
        return self.forward.scalar_of(self.forward.logits_of(perturbed.rows(masks), self.check), self.target)


def _replacement(forward: Forward, replace: str) -> int | None:
    name = _TOKEN_FOR[replace]
    if name is None:
        return None
    tokenizer: Any = forward.encoder.tokenizer
    token_id: int | None = getattr(tokenizer, name)
    if token_id is None:
        others = [other for other, token in _TOKEN_FOR.items() if token is None or getattr(tokenizer, token) is not None]
        raise NoSuchBaselineError(
            f"The tokenizer of {forward.encoder.name} has no {replace} token to put in place of words. "
            f"Choose instead: {', '.join(others)}."
        )
    return token_id


def all_masks(n_units: int) -> Masks:
    """``[2 ** n_units, n_units]`` every choice of units, the full text first and the empty one last.

    >>> all_masks(2).astype(int).tolist()
    [[1, 1], [0, 1], [1, 0], [0, 0]]
    """
    numbers = np.arange(2**n_units)[::-1, None]
    masks: Masks = (numbers >> np.arange(n_units) & 1).astype(bool)
    return masks


def n_subsets(n_units: int, sizes: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """How many subsets of each size ``n_units`` units have, or ``limit`` where there are more.

    >>> n_subsets(100, np.array([0, 1, 2, 50, 99]), limit=1000).tolist()
    [1, 100, 1000, 1000, 100]
    """
    from scipy.special import comb

    # In floating point, infinite for the largest: exact up to 2^53, and what is larger is cut.
    found: NDArray[np.int64] = np.minimum(comb(n_units, sizes), limit).round().astype(np.int64)
    return found


def quotas(share: NDArray[np.float64], room: NDArray[np.int64], total: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Divides ``total`` draws among sizes in proportion to ``share``; what has no room goes to the others, as proportionally.

    Fractions are rounded by systematic sampling: up with a probability equal to the fraction, the sum kept.

    Args:
      share: ``[n_sizes]`` positive, of any sum.
      room: ``[n_sizes]`` the most that each can take.
      total: the number of draws; with less room, all of it is used.
      random: the source of chance for the rounding.

    >>> quotas(np.ones(3), np.array([1, 9, 9]), 9, np.random.default_rng(0)).tolist()
    [1, 4, 4]
    """
    total = min(total, int(room.sum()))
    wanted = room.astype(np.float64)
    open_ = np.ones(len(share), dtype=bool)
    while open_.any():
        scaled = share * (total - room[~open_].sum()) / share[open_].sum()
        over = open_ & (scaled >= room)
        if not over.any():
            wanted[open_] = scaled[open_]
            break
        open_ &= ~over
    ends = np.floor(np.cumsum([random.random(), *wanted]) + 1e-9)
    return np.minimum(np.diff(ends).astype(np.int64), room)


def draw_subsets(n_units: int, sizes: NDArray[np.int64], counts: NDArray[np.int64], random: np.random.Generator) -> Masks:
    """``[counts.sum(), n_units]`` subsets, no two equal: ``counts[i]`` of ``sizes[i]`` units, each as likely as any other.

    Args:
      n_units: the number of units to choose from.
      sizes: ``[n_sizes]`` different numbers, 0..n_units.
      counts: ``[n_sizes]`` how many subsets of each size, at most as many as there are.
      random: what draws them.
    """
    # Where a good part of all subsets is wanted, drawing until enough are different would take long: they are listed.
    listed = n_subsets(n_units, sizes, limit=4 * int(counts.sum()) + 1) <= 4 * counts
    parts = [
        random.permutation(_all_of_size(n_units, int(size)))[:count]
        for size, count in zip(sizes[listed], counts[listed], strict=True)
    ]
    missing = np.repeat(sizes[~listed], counts[~listed])
    drawn = np.zeros((0, n_units), dtype=bool)
    # Of each size at most a quarter is taken, so every pass finds at least three new ones in four, on average.
    while len(missing):
        drawn = np.concatenate([drawn, _random_subsets(n_units, missing, random)])
        first = np.sort(np.unique(np.packbits(drawn, axis=1), axis=0, return_index=True)[1])
        again = np.ones(len(drawn), dtype=bool)
        again[first] = False
        missing = drawn[again].sum(axis=1)
        drawn = drawn[first]
    return np.concatenate([*parts, drawn])


def _all_of_size(n_units: int, size: int) -> Masks:
    # Of a subset and its complement, the smaller one is listed.
    smaller = min(size, n_units - size)
    listed = list(combinations(range(n_units), smaller))
    chosen = np.array(listed, dtype=np.int64).reshape(len(listed), smaller)
    masks = np.zeros((len(chosen), n_units), dtype=bool)
    np.put_along_axis(masks, chosen, True, axis=1)
    return masks if smaller == size else ~masks


def _random_subsets(n_units: int, sizes: NDArray[np.int64], random: np.random.Generator) -> Masks:
    order = random.random((len(sizes), n_units)).argsort(axis=1)
    masks = np.zeros((len(sizes), n_units), dtype=bool)
    np.put_along_axis(masks, order, np.arange(n_units) < sizes[:, None], axis=1)
    return masks


def fit_quality(values: NDArray[np.float64], fitted: NDArray[np.float64], weights: NDArray[np.float64]) -> dict[str, float]:
    """How far a linear surrogate can be trusted.

    Args:
      values: ``[n]`` the explained number of each perturbed text.
      fitted: ``[n]`` what the surrogate makes of it.
      weights: ``[n]`` each one's weight in the fit, 0 or more.

    Returns:
      ``r2``: the weighted share of the variance that the surrogate tells, at most 1; 1 where nothing varies.
      ``effective_samples``: Kish's effective sample size, ``(Σw)² / Σw²``: 0 (no perturbed text) to n (equal weights)
      (Kish 1965, Survey Sampling).

    >>> fit_quality(np.array([0.0, 2.0]), np.array([0.0, 2.0]), np.array([1.0, 1.0]))
    {'r2': 1.0, 'effective_samples': 2.0}
    """
    if not weights.any():
        return {"r2": 1.0, "effective_samples": 0.0}
    spread = float(weights @ (values - np.average(values, weights=weights)) ** 2)
    missed = float(weights @ (values - fitted) ** 2)
    return {
        "r2": 1 - missed / spread if spread else 1.0,
        "effective_samples": float(weights.sum() ** 2 / (weights @ weights)),
    }
