"""Ways from the vectors of one layer to two dimensions: each is fitted to some rows and then places any row, by itself.

PCA (Pearson 1901; Hotelling 1933). t-SNE (van der Maaten and Hinton 2008) by openTSNE (Poličar, Stražar and Zupan 2024,
https://doi.org/10.18637/jss.v109.i03), which places new points in a picture that is there. UMAP (McInnes et al. 2018,
https://arxiv.org/abs/1802.03426). The probe's plane: the direction that the layer's probe reads, and what varies most beside it.
NMF: two patterns of units that stand above their mean together, see `nmf_plane`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, TargetKind
from lit_probe.errors import LitProbeError, ProbeError
from lit_probe.probing.probes import FittedProbe
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.training_data import standardised
from lit_probe.progress import Progress, no_progress
from lit_probe.views.nmf_plane import fit_nmf_plane
from lit_probe.views.umap_door import FEWEST_ROWS, umap_is_installed, umap_turn

PERPLEXITY = 30.0
N_NEIGHBORS = 15
# t-SNE and UMAP look for neighbours among so many principal components, as is usual: it takes noise away, and time.
N_COMPONENTS = 50

# Steps of t-SNE: the first ones with neighbours pulled together, as openTSNE does by itself.
_EARLY, _STEPS, _REPORT_EVERY = 250, 500, 25
# A new point minds fewer neighbours, as openTSNE has it by itself: it is to stand among the nearest.
_PLACING_PERPLEXITY = 5.0
# The spread of the start, in which t-SNE wants its points close together and UMAP wants them wide apart.
_TSNE_SPREAD, _UMAP_WIDTH, _UMAP_NOISE = 1e-4, 10.0, 1e-4
# An axis with less of the variance than this is rounding.
_LEAST_SHARE = 1e-12


class Plane(Protocol):
    """What a way was fitted to, ready to place rows."""

    def place(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """``[n, 2]`` where rows ``[n, width]`` stand. A row stands where it would alone."""


@dataclass(frozen=True, eq=False)
class FittedPlane:
    """One layer's fitted plane, with what is to be said of it.

    Attributes:
      plane: places rows.
      axes: what the two axes are, in words; None where they mean nothing.
      explained: the share of the variance of the rows it was fitted to that the plane holds, 0 to 1; of NMF, of the squares of
        what stands above the mean; None where not defined.
      of_fitted: ``[n, 2]`` where the rows stand that it was fitted to.
    """

    plane: Plane
    axes: tuple[str, str] | None
    explained: float | None
    of_fitted: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FitQuestion:
    """What one layer's plane is fitted to.

    Attributes:
      x: ``[n, width]`` vectors.
      probe: the layer's probe.
      target: what the probe gives.
      label_names: the classes; empty for a number.
      seed: the seed of everything random.
      perplexity: how many neighbours t-SNE minds, bounded by a third of the rows.
      before: ``[n, 2]`` where the same rows stood at the layer before, so that a picture is not mirrored without need.
      progress: hears how far the fit is.
    """

    x: NDArray[np.float64]
    probe: FittedProbe | None = None
    target: TargetKind = CLASSES
    label_names: Sequence[str] = ()
    seed: int = 0
    perplexity: float = PERPLEXITY
    before: NDArray[np.float64] | None = None
    progress: Progress = no_progress


@dataclass(frozen=True)
class Way:
    """An entry of the registry of projections.

    Attributes:
      title: the name people read.
      fit: from the vectors of a layer to its plane.
      max_rows: it is fitted to so many rows at most.
      quick: whether it takes about a second for all layers.
      keeps_neighbours: whether neighbours are all that its pictures keep, so that trustworthiness is measured.
      reading: how to read its pictures, and how not to: a sentence or two.
      share_of: of what ``explained`` is the share, in words.
    """

    title: str
    fit: Callable[[FitQuestion], FittedPlane]
    max_rows: int
    quick: bool
    keeps_neighbours: bool
    reading: str
    share_of: str = "the variance"


def checked_rows(x: NDArray[Any], what: str = "rows") -> NDArray[np.float64]:
    """Vectors ``[n, width]`` as float64, once there is something to draw.

    Raises:
      LitProbeError: they hold NaN or infinity, there are fewer than two, or all are the same.

    >>> checked_rows(np.ones((3, 2)))
    Traceback (most recent call last):
    ...
    lit_probe.errors.LitProbeError: All 3 rows have the same vector here, so there is nothing to draw.
    """
    values = np.asarray(x, dtype=np.float64)
    check_finite(values, what)
    if len(values) < 2:
        raise LitProbeError(f"A picture is fitted to two {what} or more, and there {'is 1' if len(values) else 'are none'}.")
    if not (np.ptp(values, axis=0) > 0).any():
        raise LitProbeError(f"All {len(values):,} {what} have the same vector here, so there is nothing to draw.")
    return values


def check_finite(values: NDArray[np.floating[Any]], what: str = "rows") -> None:
    """That vectors ``[n, width]`` can be placed.

    Raises:
      LitProbeError: some hold NaN or infinity.
    """
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise LitProbeError(f"The vectors of {int((~finite).sum()):,} of {len(values):,} {what} hold NaN or infinity here.")


@dataclass(frozen=True, eq=False)
class Principal:
    """The directions in which some rows vary most.

    Attributes:
      mean: ``[width]``.
      axes: ``[k, width]`` orthonormal, the widest first; zeros where nothing varies any more.
      shares: ``[k]`` of the variance, 0 to 1.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    shares: NDArray[np.float64]

    def place(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """``[n, k]`` coordinates of rows."""
        # einsum adds in an order that does not depend on the number of rows: a row gets the same digits alone.
        placed: NDArray[np.float64] = np.einsum("nd,kd->nk", np.asarray(x, dtype=np.float64) - self.mean, self.axes)
        return placed

    def first(self, k: int) -> Principal:
        """The first ``k`` of them."""
        return Principal(self.mean, self.axes[:k], self.shares[:k])

    def turned_like(self, x: NDArray[np.float64], before: NDArray[np.float64] | None) -> Principal:
        """Each axis turned so that rows stand on the sides they stood on before; without a before, by its largest entry."""
        here = self.place(x)
        if before is None:
            signs = np.sign(self.axes[np.arange(len(self.axes)), np.abs(self.axes).argmax(axis=1)])
        else:
            k = min(here.shape[1], before.shape[1])
            signs = np.ones(len(self.axes))
            signs[:k] = np.sign((here[:, :k] * (before[:, :k] - before[:, :k].mean(axis=0))).sum(axis=0))
        return Principal(self.mean, self.axes * np.where(signs == 0, 1.0, signs)[:, None], self.shares)


def principal(x: NDArray[np.float64], k: int) -> Principal:
    """The ``k`` directions of most variance of ``x`` ``[n, width]``; fewer where there are not so many."""
    from scipy.linalg import eigh

    mean = x.mean(axis=0)
    centred = x - mean
    total = float((centred**2).sum())
    n, width = x.shape
    k_there = min(k, n, width)
    by_units = width <= n
    square = centred.T @ centred if by_units else centred @ centred.T
    sizes, vectors = eigh(square, subset_by_index=[len(square) - k_there, len(square) - 1])
    sizes, vectors = np.clip(sizes[::-1], 0, None), vectors[:, ::-1]
    shares = sizes / total
    axes = vectors.T if by_units else (centred.T @ vectors).T / np.sqrt(np.where(sizes > 0, sizes, 1.0))[:, None]
    axes = np.where((shares > _LEAST_SHARE)[:, None], axes, 0.0)
    missing = max(0, min(k, 2) - k_there)
    return Principal(mean, np.vstack([axes, np.zeros((missing, width))]), np.append(shares, np.zeros(missing)))


def fit_pca(question: FitQuestion) -> FittedPlane:
    """The two directions of most variance."""
    with fitting_scope:
        found = principal(question.x, 2).turned_like(question.x, question.before)
    axes = (f"{_ordinal(i)} principal component ({share:.0%} of the variance)" for i, share in enumerate(found.shares))
    first, second = axes
    return FittedPlane(found, (first, second), float(found.shares.sum()), found.place(question.x))


def _ordinal(index: int) -> str:
    return ("first", "second")[index]


def fit_probe_plane(question: FitQuestion) -> FittedPlane:
    """The direction that the layer's probe reads, and the direction of most variance among all that it does not.

    Both are directions of standardised units, as the probe reads them. Of two classes, 0 on the first axis is where the probe
    gives both the same probability, and the second class lies to the right. Of more, the first axis is the direction along which
    the probe's logits vary most over the rows; of a number it is that of larger ones.

    Raises:
      ProbeError: the probe is not linear, or it reads nothing.
    """
    probe = question.probe
    assert probe is not None
    if len(probe.layers) != 1:
        raise ProbeError(
            f"A probe of kind {probe.kind!r} has no plane: it is not linear, so it reads no one direction. Choose PCA."
        )
    [(weight, bias)] = probe.layers
    x = standardised(question.x, probe.mean, probe.scale)
    two_classes = probe.n_classes == 2
    with fitting_scope:
        if two_classes or not probe.n_classes:
            # What the two rows of a binary probe have in common changes no probability.
            direction = weight[-1] - weight[0] if two_classes else weight[0]
            offset = bias[1] - bias[0] if two_classes else None
        else:
            logits = x @ (weight - weight.mean(axis=0)).T
            logits -= logits.mean(axis=0)
            _, mixes = np.linalg.eigh(logits.T @ logits)
            mix = mixes[:, -1]
            direction, offset = (mix * np.sign(mix[np.abs(mix).argmax()])) @ (weight - weight.mean(axis=0)), None
        length = float(np.linalg.norm(direction))
        if not length:
            raise ProbeError("The probe reads no direction here: all its weights are 0.")
        unit = direction / length
        along = x @ unit
        left = x - np.outer(along, unit)
        if (np.ptp(left, axis=0) > 1e-12).any():
            beside = principal(left, 1).turned_like(left, None)
            second, share = beside.axes[0] - (beside.axes[0] @ unit) * unit, float(beside.shares[0])
        else:
            second, share = np.zeros_like(unit), 0.0
    total = float(x.var(axis=0).sum())
    plane = ProbePlane(
        probe.mean,
        probe.scale,
        np.stack([unit, second]),
        np.array([float(along.mean()) if offset is None else -offset / length, float((x @ second).mean())]),
    )
    names = question.label_names
    first = (
        f"direction of the probe, {names[1]!r} to the right"
        if two_classes and names
        else "direction along which the probe’s logits vary most"
        if probe.n_classes
        else "direction of the probe, larger numbers to the right"
    )
    explained = float(along.var() + (x @ second).var()) / total if total else None
    return FittedPlane(
        plane, (first, f"widest direction beside it ({share:.0%} of what is left)"), explained, plane.place(question.x)
    )


@dataclass(frozen=True, eq=False)
class ProbePlane:
    """Two directions of units as a probe standardises them.

    Attributes:
      mean: ``[width]`` of the probe.
      scale: ``[width]`` of the probe; infinite for units that it does not read.
      axes: ``[2, width]`` orthonormal.
      zero: ``[2]`` what is taken off.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    axes: NDArray[np.float64]
    zero: NDArray[np.float64]

    def place(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """``[n, 2]`` coordinates of rows."""
        placed: NDArray[np.float64] = (
            np.einsum("nd,kd->nk", standardised(np.asarray(x), self.mean, self.scale), self.axes) - self.zero
        )
        return placed


def fit_tsne(question: FitQuestion) -> FittedPlane:
    """t-SNE from a start by PCA; new rows are placed among those it was fitted to, which stay where they are.

    Raises:
      LitProbeError: there are fewer than 5 rows.
    """
    from openTSNE import TSNE

    n = len(question.x)
    if n < FEWEST_ROWS:
        raise LitProbeError(f"t-SNE is fitted to {FEWEST_ROWS} rows or more, and there are {n}. Choose PCA.")
    with fitting_scope:
        components = principal(question.x, min(N_COMPONENTS, n - 1)).turned_like(question.x, question.before)
        reduced = components.place(question.x)
        start = _two(reduced)
        start *= _TSNE_SPREAD / start[:, 0].std()
        n_heard = 0

        def heard(step: int, error: float, points: NDArray[np.float64]) -> bool:
            nonlocal n_heard
            n_heard += _REPORT_EVERY
            question.progress(min(n_heard, _EARLY + _STEPS), _EARLY + _STEPS)
            return False

        perplexity = bounded_perplexity(question.perplexity, n)
        fit = TSNE(
            perplexity=perplexity,
            initialization=start,
            random_state=question.seed,
            n_jobs=1,
            neighbors="exact",
            negative_gradient_method="bh",
            early_exaggeration_iter=_EARLY,
            n_iter=_STEPS,
            callbacks=heard,
            callbacks_every_iters=_REPORT_EVERY,
        ).fit(reduced)
    return FittedPlane(
        _TsnePlane(components, fit, min(_PLACING_PERPLEXITY, perplexity)), None, None, np.array(fit, dtype=np.float64)
    )


def bounded_perplexity(perplexity: float, n: int) -> float:
    """The perplexity that so many rows allow: a third of the others at most.

    >>> bounded_perplexity(30, 40), bounded_perplexity(30, 1_000)
    (13.0, 30.0)
    """
    return float(min(perplexity, (n - 1) / 3))


@dataclass(frozen=True, eq=False)
class _TsnePlane:
    components: Principal
    fit: Any
    perplexity: float

    def place(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        if not len(x):
            return np.zeros((0, 2))
        with fitting_scope:
            placed = self.fit.transform(self.components.place(x), perplexity=self.perplexity)
        return np.array(placed, dtype=np.float64)


def fit_umap(question: FitQuestion) -> FittedPlane:
    """UMAP from a start by PCA; a new row is placed at the mean of its neighbours' places, weighted by UMAP's memberships.

    UMAP's own placing of new points goes on from there by random steps that depend on which other points come along; without them
    a row stands where it would alone.

    Raises:
      LitProbeError: it is not installed, or there are fewer than 5 rows.
    """
    n = len(question.x)
    if not umap_is_installed():
        raise LitProbeError("UMAP is not installed. Install it with pip install 'lit-probe[umap]', or choose t-SNE.")
    if n < FEWEST_ROWS:
        raise LitProbeError(f"UMAP is fitted to {FEWEST_ROWS} rows or more, and there are {n}. Choose PCA.")
    with umap_turn, fitting_scope:
        from umap import UMAP

        components = principal(question.x, min(N_COMPONENTS, n - 1)).turned_like(question.x, question.before)
        reduced = components.place(question.x)
        start = _two(reduced)
        start = start * (_UMAP_WIDTH / np.abs(start).max())
        # As UMAP does with starts of its own making: rows on one line or place would never leave it.
        start += np.random.default_rng(question.seed).normal(scale=_UMAP_NOISE, size=start.shape)
        fit = UMAP(
            n_components=2,
            n_neighbors=min(N_NEIGHBORS, n - 1),
            init=start.astype(np.float32),
            random_state=question.seed,
            n_jobs=1,
            transform_mode="embedding",
        ).fit(reduced)
    places = np.array(fit.embedding_, dtype=np.float64)
    return FittedPlane(_UmapPlane(components, fit, places), None, None, places)


@dataclass(frozen=True, eq=False)
class _UmapPlane:
    components: Principal
    fit: Any
    places: NDArray[np.float64]

    def place(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        if not len(x):
            return np.zeros((0, 2))
        reduced = self.components.place(x)
        with umap_turn, fitting_scope:
            self.fit.transform_mode = "graph"
            # The very rows that it was fitted to it answers with another graph, of these alone; one more row prevents that.
            graph = self.fit.transform(np.vstack([reduced, reduced[:1]])).tocsr()[: len(reduced)]
        weights = graph.multiply(1 / graph.sum(axis=1)).tocsr()
        return np.array(weights @ self.places, dtype=np.float64)


def _two(reduced: NDArray[np.float64]) -> NDArray[np.float64]:
    """A start in two dimensions; rows that vary in one direction only stand on a line."""
    if reduced.shape[1] >= 2:
        return reduced[:, :2].copy()
    return np.column_stack([reduced[:, 0], np.zeros(len(reduced))])


def fit_nmf(question: FitQuestion) -> FittedPlane:
    """How much each row has of two patterns of units that stand above their mean together."""
    with fitting_scope:
        found = fit_nmf_plane(question.x, question.seed, question.before)
    first, second = (
        f"{name} pattern ({share:.0%} of what both put together)"
        for name, share in zip(("one", "the other"), found.shares, strict=True)
    )
    return FittedPlane(found.plane, (first, second), found.explained, found.of_fitted)


WAYS: dict[str, Way] = {
    "pca": Way(
        "PCA",
        fit_pca,
        max_rows=5_000,
        quick=True,
        keeps_neighbours=False,
        reading="Distances are true as far as the two directions of most variance go. What a probe reads may lie in others: "
        "classes that lie over one another here may well be decodable.",
    ),
    "tsne": Way(
        "t-SNE",
        fit_tsne,
        max_rows=2_000,
        quick=False,
        keeps_neighbours=True,
        reading="Neighbours are kept, and nothing else: the distance between groups, their size and their density mean nothing. "
        "Groups may appear where there are none, and classes that lie over one another may well be decodable.",
    ),
    "umap": Way(
        "UMAP",
        fit_umap,
        max_rows=2_000,
        quick=False,
        keeps_neighbours=True,
        reading="Neighbours are kept, and hardly anything else: the distance between groups, their size and their density mean "
        "little. Groups may appear where there are none, and classes that lie over one another may well be decodable.",
    ),
    "probe": Way(
        "Probe’s plane",
        fit_probe_plane,
        max_rows=5_000,
        quick=True,
        keeps_neighbours=False,
        reading="The one picture that shows what the probe sees: its own direction from left to right, and what varies most "
        "beside it upwards. It was fitted to the labels of train, so train rows stand apart more than they should: look at dev.",
    ),
    "nmf": Way(
        "NMF",
        fit_nmf,
        max_rows=2_000,
        quick=False,
        keeps_neighbours=False,
        share_of="what stands above the mean (its squares)",
        reading="How much each row has of two patterns: units that stand above their mean together. At the lower left is what "
        "has little of either. What units below their mean say is not seen, and another number of patterns would give others.",
    ),
}
