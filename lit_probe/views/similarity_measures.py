"""How alike two layers are, from sums over the rows of both: no measure here holds a matrix of rows × rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

# Singular vector CCA keeps directions that hold this share of a layer's variance.
SVCCA_SHARE = 0.99
# Of the variance of a direction beside that of the widest one: what is less is rounding.
_LEAST_VARIANCE = 1e-10
# Of a dependence beside the largest that such vectors could have: what is less is rounding.
_LEAST_DEPENDENCE = 1e-12
# The unbiased estimate divides by n - 3.
LEAST_ROWS = 4


@dataclass(frozen=True, eq=False)
class Products:
    """Sums over the rows of two layers, both about their means.

    Attributes:
      cross: ``[width, other_width]``: Σ x yᵀ.
      norms: Σ |x|² |y|².
      n: the number of rows.
    """

    cross: NDArray[np.float64]
    norms: float
    n: int


@dataclass(frozen=True)
class Measure:
    """One way to say how alike two layers are.

    Attributes:
      title: what people call it.
      about: what it is, in a sentence or two for newcomers.
      source: the paper that it is from; empty where there is none.
      split: the split whose rows it is usually taken on.
      reads: whether a layer is its ``vectors``, or the ``probes``' scores of them.
      keeps: whether each layer is reduced to a number of directions, of which too many make any two layers alike.
      prepare: function from a layer's `Products` with itself to what is kept of it; None where nothing can be said of the layer.
      compare: function from what was kept of two layers, and their `Products`, to the similarity; None where it is not defined.
    """

    title: str
    about: str
    source: str
    split: Literal["train", "dev"]
    reads: Literal["vectors", "probes"]
    keeps: bool
    prepare: Callable[[Products], Any]
    compare: Callable[[Any, Any, Products], float | None]


@dataclass(frozen=True)
class Dependence:
    """What debiased CKA keeps of a layer.

    Attributes:
      squares: Σ |x|².
      own: the layer's dependence on itself, see `_dependence`.
    """

    squares: float
    own: float


def _dependence(products: Products, squares: float, other_squares: float) -> float:
    """The unbiased estimate of the Hilbert-Schmidt independence criterion of two linear kernels, times ``n (n - 3)``.

    Song et al. (2012, JMLR 13, equation 5) give it by the matrices K = X Xᵀ and L = Y Yᵀ without their diagonals K° and L°:
    tr(K° L°) + (1ᵀ K° 1)(1ᵀ L° 1) / ((n-1)(n-2)) - 2 (1ᵀ K° L° 1) / (n-2). Moving X or Y adds numbers of rows and of columns to
    the matrices, which it does not see; so X and Y may be centred. Then K 1 = L 1 = 0, a row of K° sums to -|x|², and the terms
    are |Xᵀ Y|² - Σ |x|² |y|², Σ |x|² Σ |y|² and Σ |x|² |y|²: sums over rows, in place of n × n numbers.
    """
    n = products.n
    shared = float(np.square(products.cross).sum())
    return shared - products.norms * n / (n - 2) + squares * other_squares / ((n - 1) * (n - 2))


def _prepare_cka(own: Products) -> Dependence | None:
    squares = float(np.trace(own.cross))
    dependence = _dependence(own, squares, squares)
    # As where all rows but one are the same.
    return Dependence(squares, dependence) if dependence > _LEAST_DEPENDENCE * squares**2 else None


def _cka(one: Dependence, other: Dependence, products: Products) -> float:
    # An inner product of U-centred matrices, so Cauchy and Schwarz hold; clipped for rounding alone.
    found = _dependence(products, one.squares, other.squares) / (np.sqrt(one.own) * np.sqrt(other.own))
    return float(np.clip(found, -1.0, 1.0))


@dataclass(frozen=True, eq=False)
class Directions:
    """What canonical correlations keep of a layer: orthogonal directions, the widest first.

    Attributes:
      basis: ``[width, n_kept]``.
      sizes: ``[n_kept]``: how wide the rows spread along each.
    """

    basis: NDArray[np.float64]
    sizes: NDArray[np.float64]


def _directions(share: float) -> Callable[[Products], Directions]:
    def prepare(own: Products) -> Directions:
        variances, basis = np.linalg.eigh(own.cross)
        variances, basis = variances[::-1], basis[:, ::-1]
        n_kept = int((variances > _LEAST_VARIANCE * variances[0]).sum())
        if share < 1:
            held = np.cumsum(variances[:n_kept]) / variances[:n_kept].sum()
            n_kept = int(np.searchsorted(held, share)) + 1
        return Directions(np.ascontiguousarray(basis[:, :n_kept]), np.sqrt(variances[:n_kept]))

    return prepare


def _canonical(
    one: Directions, other: Directions, products: Products
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Canonical correlations ``[n]``, the largest first, and the canonical vectors in the directions of each ``[n_kept, n]``."""
    whitened = (one.basis / one.sizes).T @ products.cross @ (other.basis / other.sizes)
    left, correlations, right = _svd(whitened)
    return left, np.clip(correlations, 0.0, 1.0), right.T


def _svd(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    try:
        return np.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:
        # LAPACK's quick way does not end on some matrices that are all but the identity, as of a layer beside itself.
        from scipy.linalg import svd

        left, sizes, right = svd(matrix, full_matrices=False, lapack_driver="gesvd")
        return left, sizes, right


def _svcca(one: Directions, other: Directions, products: Products) -> float:
    return float(_canonical(one, other, products)[1].mean())


def _pwcca(one: Directions, other: Directions, products: Products) -> float:
    left, correlations, right = _canonical(one, other, products)

    def weighted(layer: Directions, vectors: NDArray[np.float64]) -> float:
        # How much of each unit a canonical vector holds: |<h, x>| summed over units.
        weights = np.abs((vectors.T * layer.sizes) @ layer.basis.T).sum(axis=1)
        return float(weights @ correlations / weights.sum())

    return (weighted(one, left) + weighted(other, right)) / 2


def _score_lengths(own: Products) -> NDArray[np.float64]:
    """``[n_outputs]``: how wide the scores of each class spread."""
    lengths: NDArray[np.float64] = np.sqrt(np.diag(own.cross))
    return lengths


def _probe_cosine(one: NDArray[np.float64], other: NDArray[np.float64], products: Products) -> float | None:
    lengths = one * other
    told = lengths > 0
    if not told.any():
        return None
    return float(np.clip((np.diag(products.cross)[told] / lengths[told]).mean(), -1.0, 1.0))


MEASURES: Mapping[str, Measure] = {
    "cka": Measure(
        "CKA",
        "Do the same rows lie near one another in both layers? 1: the same picture, turned or stretched as a whole; 0: no more "
        "in common than by chance. An unbiased estimate takes chance off, so that few rows or wide layers do not look alike.",
        "Kornblith et al. 2019, debiased as in Nguyen et al. 2021 with the estimate of Song et al. 2012",
        "train",
        "vectors",
        False,
        _prepare_cka,
        _cka,
    ),
    "svcca": Measure(
        "SVCCA",
        "How well can the widest directions of one layer, those of 99 % of its variance, be computed from those of the other? "
        "The mean of their canonical correlations. It grows by chance with the number of directions: few rows make it 1.",
        "Raghu et al. 2017",
        "train",
        "vectors",
        True,
        _directions(SVCCA_SHARE),
        _svcca,
    ),
    "pwcca": Measure(
        "PWCCA",
        "As SVCCA, but with all directions, each counted by how much of the layer's units it holds; the mean of the weights of "
        "both layers. It grows by chance with the width of the layers: few rows make it 1.",
        "Morcos et al. 2018",
        "train",
        "vectors",
        True,
        _directions(1.0),
        _pwcca,
    ),
    "probe_cosine": Measure(
        "Probe directions",
        "Do the probes of both layers look along the same direction? The cosine of their weights, a class at a time and then the "
        "mean, in the space of both layers side by side, whitened: 1 the same direction, 0 at right angles, -1 opposite. It is "
        "the correlation of the probes' scores, so two good probes of one concept are alike, wherever they read it.",
        "",
        "dev",
        "probes",
        False,
        _score_lengths,
        _probe_cosine,
    ),
}
