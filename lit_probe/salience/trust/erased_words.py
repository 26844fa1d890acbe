"""One text with words erased by a ranking: what that does to the prediction, and the most that any ranking could do.

Comprehensiveness and sufficiency are those of DeYoung et al. 2020 (ERASER, https://aclanthology.org/2020.acl-main.408), as areas
over five shares of the words. Words are erased as token ids; special tokens always stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lit_probe.probing.probe_forward import Forward, Target
from lit_probe.salience.methods.perturbations import PerturbedText
from lit_probe.salience.trust.judged_texts import JudgedText, without_rounding
from lit_probe.salience.trust.ranking_limits import BEAM_WIDTH, EXHAUSTIVE_WORDS, Chain, Sets, ValueOf, highest_chain

# Per cent of a text's words, rounded up to whole words.
SHARES = (10, 20, 30, 40, 50)


@dataclass(frozen=True, eq=False)
class RankingQuality:
    """What one ranking of a text's words is worth.

    Attributes:
      comprehensiveness: mean fall of the explained number when the top words are erased; high is good.
      sufficiency: mean fall when all but the top words are erased; low is good.
      tau_loo: Kendall's τ (b) between the scores and how far the number falls without each word alone, -1..1; NaN where all
        scores or all falls are equal.
      logits: ``[n_shares, n_classes]`` with the top words erased.
    """

    comprehensiveness: float
    sufficiency: float
    tau_loo: float
    logits: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RankingLimits:
    """The best and the worst that a ranking could do on one text.

    Attributes:
      comprehensiveness: best (highest) and worst.
      sufficiency: best (lowest) and worst.
      logits: the logits with the top words erased in the order of best and of worst comprehensiveness, each
        ``[n_shares, n_classes]``.
      exhaustive: whether all rankings were tried; otherwise a greedy search found these.
    """

    comprehensiveness: tuple[float, float]
    sufficiency: tuple[float, float]
    logits: tuple[NDArray[np.float64], NDArray[np.float64]]
    exhaustive: bool


def top_sizes(n_words: int) -> list[int]:
    """How many words each of `SHARES` is, 1 or more.

    >>> top_sizes(2), top_sizes(19)
    ([1, 1, 1, 1, 1], [2, 4, 6, 8, 10])
    """
    return [-(-n_words * share // 100) for share in SHARES]


class ErasedWords:
    """A text whose words can be erased, for one explained class: the predicted one.

    Attributes:
      n_words: the number of words the text has.
      class_index: the class predicted for the full text.
      full_logits: ``[n_classes]`` of the full text.
    """

    def __init__(self, forward: Forward, text: JudgedText, replace: str, scalar: str, map_scalar: str):
        """What falls in comprehensiveness and sufficiency is ``scalar``; for `RankingQuality.tau_loo` it is ``map_scalar``.

        Raises:
          LitProbeError: see `PerturbedText.of`.
        """
        self._forward = forward
        self._perturbed = PerturbedText.of(forward, text.encoded, text.words, replace)
        self.n_words = text.n_words
        self.full_logits: NDArray[np.float64] = forward.logits_of([text.encoded])[0]
        self.class_index = int(forward.decided(self.full_logits))
        self._target, self._map_target = Target(self.class_index, scalar), Target(self.class_index, map_scalar)
        self._sizes = top_sizes(self.n_words)

    def leave_one_out(self) -> NDArray[np.float64]:
        """``[n_words]`` how far the number that maps explain falls without each word."""
        return self._fall(~np.eye(self.n_words, dtype=bool), self._map_target)

    def quality(self, scores: NDArray[np.float64], random: np.random.Generator) -> RankingQuality:
        """What the ranking by ``scores`` ``[n_words]``, highest first, is worth; ``random`` orders words of equal score."""
        scores = without_rounding(scores)
        order = np.lexsort((random.permutation(self.n_words), -scores))
        tops = np.argsort(order) < np.array(self._sizes)[:, None]
        return RankingQuality(
            float(self._without(tops).mean()),
            float(self._with_only(tops).mean()),
            _kendall(scores, without_rounding(self.leave_one_out())),
            self._logits(~tops),
        )

    def limits(self) -> RankingLimits:
        """The best and the worst that was found over rankings: all of them for few words."""
        most, least = self._highest(self._without), self._highest(lambda sets: -self._without(sets))
        loose, tight = self._highest(self._with_only), self._highest(lambda sets: -self._with_only(sets))
        return RankingLimits(
            (most.value, -least.value),
            (-tight.value, loose.value),
            (self._logits(~most.sets), self._logits(~least.sets)),
            self.n_words <= EXHAUSTIVE_WORDS,
        )

    def _highest(self, value_of: ValueOf) -> Chain:
        return highest_chain(self.n_words, self._sizes, value_of, None if self.n_words <= EXHAUSTIVE_WORDS else BEAM_WIDTH)

    def _without(self, tops: Sets) -> NDArray[np.float64]:
        return self._fall(~tops, self._target)

    def _with_only(self, tops: Sets) -> NDArray[np.float64]:
        return self._fall(tops, self._target)

    def _fall(self, kept: Sets, target: Target) -> NDArray[np.float64]:
        full = self._forward.scalar_of(self.full_logits[None], target)
        fall: NDArray[np.float64] = full - self._forward.scalar_of(self._logits(kept), target)
        return fall

    def _logits(self, kept: Sets) -> NDArray[np.float64]:
        return self._forward.logits_of(self._perturbed.rows(kept))


def _kendall(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    from scipy.stats import kendalltau  # slow to import

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(kendalltau(one, other).statistic)
