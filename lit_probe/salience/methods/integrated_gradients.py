"""How a change of the number from a baseline to the text is shared among its tokens, along a straight path of embeddings."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.salience.methods.baselines import baseline_of
from lit_probe.salience.methods.completeness import TOLERANCE, share_missed, shared_out
from lit_probe.salience.methods.explained import ExplainedText
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import MethodScores

if TYPE_CHECKING:
    from torch import Tensor

# Points on a half, as a share of those on the whole path: enough for a smooth stretch, and few where there is a kink.
_POINTS_OF_HALF = 0.2


@dataclass(frozen=True, eq=False)
class _Stretch:
    """A part of the path: where it starts and ends (0..1), the number there, and ``[n_tokens]`` its scores."""

    start: float
    end: float
    value_at_start: float
    value_at_end: float
    scores: NDArray[np.float64]

    @property
    def gap(self) -> float:
        return abs(float(self.scores.sum()) - (self.value_at_end - self.value_at_start))


def compute(explained: ExplainedText, options: SalienceOptions) -> Generator[None, None, MethodScores]:
    """``[n_tokens]`` integrated gradients by Gauss-Legendre quadrature (Sundararajan et al. 2017, arXiv 1703.01365).

    Their sum should be the change from the baseline to the text; ``completeness_gap`` is how far it is from that. ``steps``
    points do for a smooth function. A margin has a kink where the runner-up changes, and an encoder without position embeddings
    rises steeply next to zeros. So while the gap is too large, the stretch of the path that misses most is halved, and its halves
    are integrated anew: that closes in on a kink in few passes, while more points on the whole path would hardly help.

    Returns:
      Scores; diagnostics ``change``, ``completeness_gap``, ``gap_share`` (see `share_missed`) and ``n_used`` (points, at most
      ``growth`` times ``steps``).
    """
    baseline = baseline_of(explained, options.baseline)
    change = float(explained.change_from(baseline)[0])
    path = _Path(explained, baseline)
    scores = yield from path.scores(0.0, 1.0, options.steps)
    stretches, n_used = [_Stretch(0.0, 1.0, explained.value - change, explained.value, scores)], options.steps
    n_half = max(1, round(options.steps * _POINTS_OF_HALF))
    while share_missed(float(scores.sum()), change) > TOLERANCE and n_used + 2 * n_half <= options.growth * options.steps:
        worst = max(stretches, key=lambda one: one.gap)
        stretches.remove(worst)
        middle = (worst.start + worst.end) / 2
        yield
        value = path.value(middle)
        first = yield from path.scores(worst.start, middle, n_half)
        second = yield from path.scores(middle, worst.end, n_half)
        stretches += [
            _Stretch(worst.start, middle, worst.value_at_start, value, first),
            _Stretch(middle, worst.end, value, worst.value_at_end, second),
        ]
        n_used += 2 * n_half
        scores = np.sum([one.scores for one in stretches], axis=0)
    return shared_out(scores, change, n_used, "steps", "more growth, or another baseline")


class _Path:
    """The straight way from a baseline ``[1, n_tokens, d_embedding]`` (at 0) to the text (at 1)."""

    def __init__(self, explained: ExplainedText, baseline: Tensor):
        self._explained = explained
        self._baseline = baseline
        self._difference = explained.embeddings.detach() - baseline

    def value(self, at: float) -> float:
        """The explained number at a point."""
        import torch

        with torch.no_grad():
            return float(self._explained(self._baseline + at * self._difference)[0])

    def scores(self, start: float, end: float, n_points: int) -> Generator[None, None, NDArray[np.float64]]:
        """``[n_tokens]`` each token's share of the change between two points."""
        import torch

        # From [-1, 1] to the stretch. captum has the same points, but takes all its passes in one go.
        rule: Any = np.polynomial.legendre.leggauss
        nodes, weights = (torch.as_tensor(one, device=self._difference.device)[:, None, None] for one in rule(n_points))
        nodes, weights = start + (1 + nodes) / 2 * (end - start), weights / 2 * (end - start)
        total = torch.zeros_like(self._difference[0], dtype=torch.float64)
        for part in self._explained.parts(n_points):
            yield
            rows = self._baseline + nodes[part].to(self._difference.dtype) * self._difference
            total += (weights[part] * self._explained.gradients(rows)).sum(dim=0)
        found: NDArray[np.float64] = (total * self._difference[0]).sum(dim=1).cpu().numpy()
        return found
