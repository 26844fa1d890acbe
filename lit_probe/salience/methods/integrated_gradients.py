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

# Into how many parts the whole path is cut at most, and a stretch of it.
_PARTS_OF_PATH, _PARTS_OF_STRETCH = 10, 2


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
    rises steeply next to zeros. So while the gap is too large, the path is cut into ten parts (fewer where it has fewer points)
    that together have as many points as it had, and then the part that misses most into halves of as many points as it had
    each: that closes in on a kink in few passes, while more points on the whole path would hardly help. On the way the gap may
    rise; the scores with the smallest one are returned. So with more ``growth`` the gap is never larger.

    Returns:
      Scores; diagnostics ``change``, ``completeness_gap``, ``gap_share`` (see `share_missed`) and ``n_used`` (all points
      that were taken, at most ``growth`` times ``steps``).
    """
    baseline = baseline_of(explained, options.baseline)
    change = float(explained.change_from(baseline)[0])
    path = _Path(explained, baseline)
    best = yield from path.scores(0.0, 1.0, options.steps)
    stretches, n_used = [_Stretch(0.0, 1.0, explained.value - change, explained.value, best)], options.steps
    n_parts = max(_PARTS_OF_STRETCH, min(_PARTS_OF_PATH, options.steps))
    n_points = max(1, options.steps // n_parts)
    while share_missed(float(best.sum()), change) > TOLERANCE and n_used + n_parts * n_points <= options.growth * options.steps:
        worst = max(stretches, key=lambda one: one.gap)
        stretches.remove(worst)
        stretches += yield from path.parts(worst, n_parts, n_points)
        n_used, n_parts = n_used + n_parts * n_points, _PARTS_OF_STRETCH
        found = np.sum([one.scores for one in stretches], axis=0)
        best = min(best, found, key=lambda scores: share_missed(float(scores.sum()), change))
    return shared_out(best, change, n_used, "steps", "more growth, or another baseline")


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

    def parts(self, stretch: _Stretch, n_parts: int, n_points: int) -> Generator[None, None, list[_Stretch]]:
        """A stretch in equal parts, with so many points on each."""
        ends = np.linspace(stretch.start, stretch.end, n_parts + 1).tolist()
        values = [stretch.value_at_start]
        for end in ends[1:-1]:
            yield
            values.append(self.value(end))
        values.append(stretch.value_at_end)
        found = []
        for start, end, before, after in zip(ends, ends[1:], values, values[1:], strict=False):
            scores = yield from self.scores(start, end, n_points)
            found.append(_Stretch(start, end, before, after, scores))
        return found

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
