"""Two patterns of units that stand above their mean together: non-negative matrix factorisation of the vectors of one layer.

Lee and Seung 1999, https://doi.org/10.1038/44565. Feed-forward neurons, which are factorised by `neurons`, have 0 for "off"; the
vectors of a layer have no such zero, and what all rows have in common would fill both patterns. So what is factorised is how far
each unit stands above its mean over the fitted rows, and 0 where it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAX_ITERATIONS = 300
# Patterns that differ by less point the same way.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class NmfPlane:
    """How much of two patterns each row has.

    Attributes:
      mean: ``[width]`` of each unit over the fitted rows.
      patterns: ``[2, width]``, 0 or more; 1 of a pattern is as much as any fitted row has of it.
    """

    mean: NDArray[np.float64]
    patterns: NDArray[np.float64]

    def above(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """``[n, width]`` how far units stand above their mean."""
        return np.maximum(np.asarray(x, dtype=np.float64) - self.mean, 0.0)

    def place(self, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """``[n, 2]`` the amounts, 0 or more, of which the patterns add up to a row with the least squares."""
        # As of principal components: a row gets the same digits alone.
        dots = np.einsum("nd,kd->nk", self.above(x), self.patterns)
        products = self.patterns @ self.patterns.T
        squares = np.diag(products)
        alone = np.divide(dots, squares, out=np.zeros_like(dots), where=squares > 0)
        # Of two amounts the best is inside, or on the better of two edges: the first where rounding alone tells them apart.
        gained = alone * dots
        second = gained[:, 1] > gained[:, 0] * (1 + _ROUNDING)
        edge = np.where(np.column_stack([~second, second]), alone, 0.0)
        determinant = squares[0] * squares[1] - products[0, 1] ** 2
        if determinant <= _ROUNDING * squares[0] * squares[1]:
            return edge
        both = (dots * squares[::-1] - dots[:, ::-1] * products[0, 1]) / determinant
        found: NDArray[np.float64] = np.where((both >= 0).all(axis=1, keepdims=True), both, edge)
        return found


@dataclass(frozen=True, eq=False)
class FittedNmf:
    """Two patterns with what they make of the rows that they were fitted to.

    Attributes:
      plane: places rows.
      shares: ``[2]`` of what the patterns put together, 0 to 1.
      explained: the share of the sum of squares of what stands above the mean that they reproduce, at most 1.
      of_fitted: ``[n, 2]`` the amounts of the fitted rows.
    """

    plane: NmfPlane
    shares: NDArray[np.float64]
    explained: float
    of_fitted: NDArray[np.float64]


def fit_nmf_plane(x: NDArray[np.float64], seed: int, before: NDArray[np.float64] | None) -> FittedNmf:
    """Factorises rows ``[n, width]`` that are not all the same. To be called within the `fitting_scope`.

    Args:
      x: the rows.
      seed: of the random part of the start (``nndsvda``).
      before: ``[n, 2]`` the amounts of the same rows at the layer before: each pattern goes along the axis of the one that it is
        more like. Without them the one that puts more together goes across.
    """
    from sklearn.decomposition import NMF

    raw = NmfPlane(x.mean(axis=0), np.zeros((2, x.shape[1])))
    above = raw.above(x)
    # Numbers of any size: the factorisation adds small ones of its own.
    size = float(above.max())
    model = NMF(2, init="nndsvda", random_state=seed, max_iter=_MAX_ITERATIONS)
    # A unit alone has no two patterns; an idle one beside it changes nothing.
    model.fit(np.pad(above / size, ((0, 0), (0, max(0, 2 - x.shape[1])))))
    patterns = np.asarray(model.components_, dtype=np.float64)[:, : x.shape[1]]
    amounts = NmfPlane(raw.mean, patterns * size).place(x)
    largest = amounts.max(axis=0)
    patterns = patterns * size * largest[:, None]
    mass = np.divide(amounts, largest, out=np.zeros_like(amounts), where=largest > 0).sum(axis=0) * patterns.sum(axis=1)
    order = np.argsort(-mass, kind="stable")
    if before is not None and _alike(amounts[:, order[::-1]], before) > _alike(amounts[:, order], before):
        order = order[::-1]
    plane = NmfPlane(raw.mean, patterns[order])
    placed = plane.place(x)
    left = float(np.square(above - placed @ plane.patterns).sum())
    shares = mass[order] / (mass.sum() or 1.0)
    return FittedNmf(plane, shares, 1.0 - left / float(np.square(above).sum()), placed)


def _alike(amounts: NDArray[np.float64], before: NDArray[np.float64]) -> float:
    """How well the amounts of two patterns go with those before, axis by axis."""
    centred, others = amounts - amounts.mean(axis=0), before - before.mean(axis=0)
    spread = np.sqrt(np.square(centred).sum(axis=0) * np.square(others).sum(axis=0))
    return float(np.divide((centred * others).sum(axis=0), spread, out=np.zeros(2), where=spread > 0).sum())
