"""By mutual information between activation and class, each class's activations taken as Gaussian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lit_probe.errors import LitProbeError
from lit_probe.neurons.rankings.contract import RankedLayer, RankingOptions, UnitScores

# Covariances between neurons are shrunk as if this many further rows of each class showed none.
PRIOR_ROWS = 10
# Added to each variance, in units of the neuron's own: a neuron that is constant within a class has a density too.
LEAST_VARIANCE = 1e-4
# The joint choice reads at most this many rows.
GREEDY_ROWS = 10_000

_CHUNK_UNITS = 64


def rank_by_information(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """Class entropy less the cross-entropy of the classes given the activation, in bits, on train.

    Torroba Hennigen et al. 2020, https://doi.org/10.18653/v1/2020.emnlp-main.15. Each neuron is scored for itself. With
    ``options.greedy`` = m the first m places go to the neurons that one by one add most information to those before them; their
    scores stay those of each for itself, and ``facts`` holds the bits known after each. Where a Gaussian fits badly, a score
    can be negative.

    Raises:
      LitProbeError: ``greedy`` exceeds the number of neurons.
    """
    if options.greedy > layer.n_units:
        raise LitProbeError(
            f"{options.greedy} neurons cannot be chosen jointly: layer {layer.layer} has {layer.n_units} that vary. Choose fewer."
        )
    values = layer.standardised
    gaussians = ClassGaussians.fit(values, layer.labels, layer.n_classes)
    scores = np.empty(layer.n_units)
    class_scores = np.empty((layer.n_classes, layer.n_units))
    for start in range(0, layer.n_units, _CHUNK_UNITS):
        chunk = slice(start, start + _CHUNK_UNITS)
        residuals = values[None, :, chunk] - gaussians.means[:, None, chunk]
        log_joint = gaussians.log_priors[:, None, None] + _log_density(residuals, gaussians.variances[:, None, chunk])
        scores[chunk], class_scores[:, chunk] = _information(log_joint, layer.labels)
    others = gaussians.means.sum(axis=0) - gaussians.means
    signs = np.where(gaussians.means * (layer.n_classes - 1) >= others, 1, -1)
    first, bits = _greedy(values, layer.labels, layer.n_classes, options)
    facts = {"greedy_bits": bits} if first else {}
    return UnitScores(scores, class_scores * signs, tuple(first), facts)


@dataclass(frozen=True, eq=False)
class ClassGaussians:
    """One Gaussian per class.

    Attributes:
      log_priors: ``[n_classes]`` log of the share of each class.
      means: ``[n_classes, n_units]``.
      variances: ``[n_classes, n_units]``.
      keep: ``[n_classes]`` the part of each covariance between two neurons that shrinkage leaves.
    """

    log_priors: NDArray[np.float64]
    means: NDArray[np.float64]
    variances: NDArray[np.float64]
    keep: NDArray[np.float64]

    @classmethod
    def fit(cls, values: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int) -> ClassGaussians:
        """Fits ``values`` ``[n_examples, n_units]``, which are standardised."""
        counts = np.bincount(labels, minlength=n_classes).astype(np.float64)
        parts = [values[labels == c] for c in range(n_classes)]
        return cls(
            np.log(counts / len(labels)),
            np.stack([part.mean(axis=0) for part in parts]),
            np.stack([part.var(axis=0) for part in parts]) + LEAST_VARIANCE,
            counts / (counts + PRIOR_ROWS),
        )

    def log_joint(self, values: NDArray[np.float64], labels: NDArray[np.int64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """``[n_rows, n_classes]`` log of share times joint density of all neurons (up to a constant) at ``rows``.

        ``values`` ``[n_examples, n_units]`` and ``labels`` are what was fitted: covariances are worked out here, where all
        neurons are wanted together.
        """
        found = np.empty((len(rows), len(self.means)))
        for c, mean in enumerate(self.means):
            centred = values[labels == c] - mean
            covariance = self.keep[c] * (centred.T @ centred) / len(centred)
            np.fill_diagonal(covariance, self.variances[c])
            factor = np.linalg.cholesky(covariance)
            z = np.linalg.solve(factor, (rows - mean).T)
            found[:, c] = self.log_priors[c] - np.log(np.diag(factor)).sum() - (z**2).sum(axis=0) / 2
        return found


def _log_density(residuals: NDArray[np.float64], variances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of the Gaussian density, up to a constant that all classes share."""
    density: NDArray[np.float64] = -(np.log(variances) + residuals**2 / variances) / 2
    return density


def _information(log_joint: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bits about the classes ``[n_units]``, and about each class against the rest ``[n_classes, n_units]``.

    ``log_joint`` is ``[n_classes, n_examples, n_units]``.
    """
    log_posterior = log_joint - np.logaddexp.reduce(log_joint, axis=0)
    own = log_posterior[labels, np.arange(len(labels))]
    shares = np.bincount(labels, minlength=len(log_joint)) / len(labels)
    bits = -(shares * np.log(shares)).sum() + own.mean(axis=0)
    of_class = np.empty((len(log_joint), log_joint.shape[2]))
    for c, share in enumerate(shares):
        rest = np.log(np.maximum(-np.expm1(log_posterior[c]), np.finfo(np.float64).tiny))
        known = np.where((labels == c)[:, None], log_posterior[c], rest).mean(axis=0)
        of_class[c] = known - share * np.log(share) - (1 - share) * np.log(1 - share)
    return bits / np.log(2), of_class / np.log(2)


def _greedy(
    values: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int, options: RankingOptions
) -> tuple[list[int], list[float]]:
    """The first ``options.greedy`` neurons by joint information, and the bits known after each.

    Every class's activations are kept as residuals given the neurons chosen so far (a Cholesky factor that grows by a row), so
    a candidate costs one pass over the rows however many were chosen before.
    """
    if not options.greedy:
        return [], []
    if len(values) > GREEDY_ROWS:
        kept = np.sort(np.random.default_rng(options.seed).permutation(len(values))[:GREEDY_ROWS])
        values, labels = values[kept], labels[kept]
    gaussians = ClassGaussians.fit(values, labels, n_classes)
    means, keep = gaussians.means, gaussians.keep
    variances = gaussians.variances.copy()
    residuals = values[None] - means[:, None]
    parts = [residuals[c][labels == c] for c in range(n_classes)]
    factors: list[list[NDArray[np.float64]]] = [[] for _ in range(n_classes)]
    log_joint = np.broadcast_to(gaussians.log_priors[:, None], residuals.shape[:2]).copy()
    chosen: list[int] = []
    bits: list[float] = []
    for _ in range(options.greedy):
        known = np.empty(values.shape[1])
        for start in range(0, len(known), _CHUNK_UNITS):
            chunk = slice(start, start + _CHUNK_UNITS)
            candidates = log_joint[:, :, None] + _log_density(residuals[:, :, chunk], variances[:, None, chunk])
            known[chunk] = _information(candidates, labels)[0]
        known[chosen] = -np.inf
        best = int(np.argmax(known))
        chosen.append(best)
        bits.append(float(known[best]))
        for c in range(n_classes):
            log_joint[c] += _log_density(residuals[c, :, best], variances[c, best])
            # The covariance of the new neuron with all, less what the earlier ones explain of it.
            row = keep[c] * (parts[c].T @ parts[c][:, best]) / len(parts[c])
            row[best] = gaussians.variances[c, best]
            for factor in factors[c]:
                row -= factor[best] * factor
            row /= np.sqrt(variances[c, best])
            residuals[c] -= np.outer(residuals[c, :, best] / np.sqrt(variances[c, best]), row)
            variances[c] = np.maximum(variances[c] - row**2, LEAST_VARIANCE * 1e-3)
            factors[c].append(row)
    return chosen, bits
