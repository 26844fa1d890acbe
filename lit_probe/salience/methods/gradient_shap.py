"""Integrated gradients without the choice of a baseline: at random points on the ways from several of them to the text."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from lit_probe.salience.methods.baselines import all_baselines
from lit_probe.salience.methods.completeness import TOLERANCE, share_missed, shared_out
from lit_probe.salience.methods.explained import ExplainedText
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import MethodScores


def compute(explained: ExplainedText, options: SalienceOptions) -> Generator[None, None, MethodScores]:
    """``[n_tokens]`` GradientSHAP (Lundberg & Lee 2017, arXiv 1705.07874) over all baselines that the tokenizer knows.

    Every baseline gets equally many points (``noise_samples``, rounded up to that), one at random in each of as many equal parts
    of its way. In expectation that is what independent draws give, too, but those leave a far larger error to chance. The scores
    add up to the mean change from the baselines to the text, but for the ``completeness_gap``. While that is too large, every
    part is halved, and the half that has no point yet gets one.

    Returns:
      Scores; diagnostics ``baselines``, ``change``, ``completeness_gap``, ``gap_share`` (see `share_missed`) and ``n_used``
      (points of all baselines, at most ``growth`` times as many as at first).
    """
    import torch

    named = all_baselines(explained)
    baselines = torch.cat(list(named.values()))
    change = float(explained.change_from(baselines).mean())
    random = np.random.default_rng(options.seed)
    text = explained.embeddings.detach()
    total = torch.zeros_like(text[0], dtype=torch.float64)
    scores = np.zeros(len(total))
    points = np.zeros((len(baselines), 0))
    n_first = -(-options.noise_samples // len(baselines))
    new = stratified(random, len(baselines), n_first)
    while True:
        points = np.sort(np.concatenate([points, new], axis=1))
        which, at = np.repeat(np.arange(len(baselines)), new.shape[1]), new.ravel()
        for part in explained.parts(len(at)):
            yield
            ends = baselines[which[part]]
            point = torch.as_tensor(at[part], dtype=text.dtype, device=text.device)[:, None, None]
            total += ((text - ends) * explained.gradients(point * text + (1 - point) * ends)).sum(dim=0)
        scores = (total.sum(dim=1) / points.size).cpu().numpy()
        if share_missed(float(scores.sum()), change) <= TOLERANCE or 2 * points.shape[1] > options.growth * n_first:
            break
        new = in_empty_halves(random, points)
    found = shared_out(scores, change, points.size, "noisy copies", "more growth")
    return MethodScores(found.scores, {"baselines": ", ".join(named), **found.diagnostics}, found.warning)


def stratified(random: np.random.Generator, n_rows: int, n: int) -> NDArray[np.float64]:
    """``[n_rows, n]`` points in 0..1, ascending: one in each of n equal parts."""
    points: NDArray[np.float64] = (np.arange(n) + random.random((n_rows, n))) / n
    return points


def in_empty_halves(random: np.random.Generator, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """As many points again as ``points`` ``[n_rows, n]``, which are ascending, one in each of n equal parts.

    Each part is halved, and its half without a point gets one: then there is one in each of 2n equal parts.

    >>> in_empty_halves(np.random.default_rng(0), np.array([[0.1, 0.9]])).round(2).tolist()
    [[0.41, 0.57]]
    """
    n = points.shape[1]
    is_right = (points * n - np.arange(n)) >= 0.5
    halves = 2 * np.arange(n) + ~is_right
    new: NDArray[np.float64] = (halves + random.random(points.shape)) / (2 * n)
    return new
