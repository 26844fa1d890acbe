"""Many logistic regressions on the rows of one matrix at once: all folds and all strengths of the penalty in one product.

A product of the rows with one vector waits for memory; with a vector for each regression it costs hardly more. And L-BFGS
(Liu & Nocedal 1989, https://doi.org/10.1007/BF01589116) needs a tenth of the steps where it starts from the curvature that the
regressions have at their class shares, before they know anything: the Gram matrix of the rows, times (shares less their outer
product), plus the penalty (Böhning 1992, https://doi.org/10.1007/BF00048682, bounds the curvature by a like product). In the
eigenbasis of the Gram matrix its inverse is a division and, for many classes, a correction of rank one (Sherman & Morrison 1950).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.probing.probes.training_data import BLOCK

_MEMORY = 10
# A step that lowers the objective by this share of what its slope promises is taken; others are halved.
_SUFFICIENT = 1e-4
_MOST_HALVINGS = 20
# So many columns of logits at a time: enough for a fast product, few enough to take less memory than the rows.
_COLUMNS = 64


@dataclass(frozen=True, eq=False)
class Basis:
    """The eigenbasis of the Gram matrix of standardised rows, divided by their number.

    Attributes:
      values: ``[n_values]`` eigenvalues, above 0; the others are 0.
      vectors: ``[width, n_values]`` their eigenvectors.
    """

    values: NDArray[np.float64]
    vectors: NDArray[np.float64]

    @classmethod
    def of(cls, rows: NDArray[np.float32]) -> Basis:
        """The basis of ``rows`` ``[n_rows, width]``. Where rows are fewer than units, their products decide."""
        n_rows, width = rows.shape
        gram = (rows @ rows.T if n_rows < width else rows.T @ rows).astype(np.float64) / n_rows
        values, vectors = np.linalg.eigh(gram)
        # What is less is rounding, and nothing may be divided by it.
        large = values > values[-1] * np.finfo(np.float32).eps
        values, vectors = values[large], vectors[:, large]
        if n_rows < width:
            vectors = rows.T.astype(np.float64) @ vectors / np.sqrt(values * n_rows)
        return cls(values, vectors)


@dataclass(frozen=True, eq=False)
class Regressions:
    """Logistic regressions on the same rows, each with a standardisation, weights of rows and a penalty of its own.

    Each minimises the weighted log-loss plus ``penalty / 2 · |w|²``, the intercept free; multinomial for three classes or more.

    Attributes:
      rows: ``[n_rows, width]`` float32 or float64.
      labels: ``[n_rows]`` class indices.
      n_classes: the number of classes.
      mean: ``[n_parts, width]`` float64, subtracted from the rows.
      inverse: ``[n_parts, width]`` float64, multiplied with next; 0 leaves a unit out.
      weights: ``[n_rows, n_parts]`` float64 what each row counts; each part's add up to 1.
      part: ``[n_regressions]`` which standardisation and weights each regression takes.
      penalty: ``[n_regressions]`` above 0.
      dtype: the type that products are worked out in. Rows of another are cast block by block, so no copy of all is made.
    """

    rows: NDArray[Any]
    labels: NDArray[np.int64]
    n_classes: int
    mean: NDArray[np.float64]
    inverse: NDArray[np.float64]
    weights: NDArray[np.float64]
    part: NDArray[np.int64]
    penalty: NDArray[np.float64]
    dtype: type[np.floating[Any]]

    @property
    def n_outputs(self) -> int:
        """How many vectors of weights each regression has: one for two classes, else one for each."""
        return 1 if self.n_classes == 2 else self.n_classes

    def some_at_a_time(self) -> Iterator[NDArray[np.int64]]:
        """The indices of all regressions, so many at a time as logits of rows are held at once."""
        n_at_once = max(1, _COLUMNS // self.n_outputs)
        for first in range(0, len(self.part), n_at_once):
            yield np.arange(first, min(first + n_at_once, len(self.part)))

    def among(self, which: NDArray[Any]) -> Regressions:
        """Some of the regressions."""
        return replace(self, part=self.part[which], penalty=self.penalty[which])

    def shares(self) -> NDArray[np.float64]:
        """``[n_parts, n_classes]`` the share of each class in the weights of each part."""
        shares = np.zeros((self.weights.shape[1], self.n_classes))
        for label in range(self.n_classes):
            shares[:, label] = self.weights[self.labels == label].sum(axis=0)
        return shares

    def row_weights(self) -> NDArray[Any]:
        """``[n_rows, n_regressions]`` what each row counts in each regression."""
        return np.ascontiguousarray(self.weights.astype(self.dtype)[:, self.part])

    def blocks(self) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Rows in the type of the products, some at a time."""
        for start in range(0, len(self.rows), BLOCK):
            rows = slice(start, start + BLOCK)
            yield rows, self.rows[rows].astype(self.dtype, copy=False)

    def logits(self, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> NDArray[Any]:
        """``[n_rows, n_regressions, n_outputs]`` of weights ``[n_regressions, n_outputs, width]`` and their biases."""
        raw = (weight * self.inverse[self.part][:, None, :]).astype(self.dtype)
        shift = bias - np.einsum("pkd,pd->pk", raw, self.mean[self.part])
        columns = raw.reshape(-1, raw.shape[-1]).T
        logits = np.empty((len(self.rows), columns.shape[1]), dtype=self.dtype)
        for rows, block in self.blocks():
            np.matmul(block, columns, out=logits[rows])
        logits += shift.reshape(-1).astype(self.dtype)
        return logits.reshape(len(logits), *bias.shape)

    def gradient(self, errors: NDArray[Any], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """``[n_regressions, n_outputs, width + 1]`` that of weights and biases, from the errors of the logits."""
        flat = errors.reshape(len(errors), -1)
        products = np.zeros((flat.shape[1], self.rows.shape[1]))
        for rows, block in self.blocks():
            products += flat[rows].T @ block
        by_bias = errors.sum(axis=0, dtype=np.float64)
        by_weight = products.reshape(weight.shape) - by_bias[:, :, None] * self.mean[self.part][:, None, :]
        by_weight *= self.inverse[self.part][:, None, :]
        by_weight += self.penalty[:, None, None] * weight
        return np.concatenate([by_weight, by_bias[:, :, None]], axis=2)

    def row_losses(self, logits: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """``[n_rows, n_regressions]`` the log-loss of each row, and its gradient in ``logits``, of their shape."""
        if self.n_classes == 2:
            # The log-loss is log(1 + exp(wrong)), where wrong is how far the logit speaks for the other class.
            sign = np.where(self.labels, -1, 1).astype(self.dtype)[:, None]
            wrong = logits[:, :, 0] * sign
            small = np.exp(-np.abs(wrong))
            errors = np.where(wrong >= 0, sign, small * sign) / (1 + small)
            return np.log1p(small) + np.maximum(wrong, 0), errors[:, :, None]
        each = np.arange(len(logits))
        errors = logits - logits.max(axis=2, keepdims=True)
        of_label = errors[each, :, self.labels]
        np.exp(errors, out=errors)
        total = errors.sum(axis=2)
        errors /= total[:, :, None]
        errors[each, :, self.labels] -= 1
        return np.log(total) - of_label, errors

    def losses(self, logits: NDArray[Any], row_weights: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """``[n_regressions]`` the weighted log-losses, and their gradient in ``logits``, of their shape."""
        losses, errors = self.row_losses(logits)
        losses *= row_weights
        errors *= row_weights[:, :, None]
        return losses.sum(axis=0, dtype=np.float64), errors


@dataclass(frozen=True, eq=False)
class Solutions:
    """Where regressions ended.

    Attributes:
      weight: ``[n_regressions, n_outputs, width]`` on standardised units.
      bias: ``[n_regressions, n_outputs]``.
      n_iter: ``[n_regressions]`` how many steps each took.
      largest_gradient: ``[n_regressions]`` the largest entry of the objective's gradient.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    n_iter: NDArray[np.int64]
    largest_gradient: NDArray[np.float64]

    def among(self, which: NDArray[Any]) -> Solutions:
        """Some of them."""
        return Solutions(self.weight[which], self.bias[which], self.n_iter[which], self.largest_gradient[which])


def solve(asked: Regressions, basis: Basis, *, tolerance: float, max_iter: int, start: Solutions | None = None) -> Solutions:
    """The optimum of each regression, to a gradient of which no entry is larger than ``tolerance``.

    A regression that no step improves any more, in the type of its products, ends where it is. No digit of one depends on when
    the others end but through the order in which products add up.

    Args:
      asked: the regressions.
      basis: that of their rows, standardised in about the way each does it.
      tolerance: see above.
      max_iter: the largest number of steps.
      start: where each begins; with weights 0 and the log-odds of the class shares when None, or where it is worse than these.
    """
    ends = []
    for some in asked.some_at_a_time():
        ends.append(_Descent(asked.among(some), basis, None if start is None else start.among(some)).run(tolerance, max_iter))
    return Solutions(*(np.concatenate([getattr(end, name) for end in ends]) for name in Solutions.__dataclass_fields__))


class _Descent:
    """L-BFGS of several regressions in step; those that have ended leave."""

    def __init__(self, asked: Regressions, basis: Basis, start: Solutions | None) -> None:
        self.asked, self.basis = asked, basis
        # A class that no weighted row has would have an infinite log-odds.
        shares = np.maximum(asked.shares(), 1e-12)[asked.part]
        n, outputs = len(asked.part), asked.n_outputs
        odds = np.log(shares)
        self.at = np.zeros((n, outputs, asked.rows.shape[1] + 1))
        self.at[:, :, -1] = odds[:, 1:] - odds[:, :1] if outputs == 1 else odds - odds.mean(axis=1, keepdims=True)
        if start is not None:
            # The penalty alone costs more than knowing nothing does: so far off that logits would lose the digits they need.
            far = asked.penalty / 2 * np.square(start.weight).sum(axis=(1, 2)) > -(shares * odds).sum(axis=1)
            self.at[~far] = np.concatenate([start.weight, start.bias[:, :, None]], axis=2)[~far]
        self.curvature = (shares[:, :1] * shares[:, 1:])[:, :, None] if outputs == 1 else shares[:, :, None]
        self.steps: list[NDArray[np.float64]] = []
        self.changes: list[NDArray[np.float64]] = []

    def run(self, tolerance: float, max_iter: int) -> Solutions:
        asked = self.asked
        alive, stuck = np.arange(len(asked.part)), np.zeros(len(asked.part), dtype=bool)
        ends, n_iter, largest = np.empty_like(self.at), np.zeros(len(alive), dtype=np.int64), np.empty(len(alive))
        row_weights = asked.row_weights()
        logits = asked.logits(self.at[:, :, :-1], self.at[:, :, -1])
        losses, errors = asked.losses(logits, row_weights)
        gradient = asked.gradient(errors, self.at[:, :, :-1])
        for step in range(max_iter + 1):
            steepest = np.abs(gradient).max(axis=(1, 2))
            ends[alive], largest[alive], n_iter[alive] = self.at, steepest, step
            going = (steepest > tolerance) & ~stuck
            if not going.any():
                break
            if not going.all():
                alive, losses, gradient = alive[going], losses[going], gradient[going]
                logits, row_weights = np.ascontiguousarray(logits[:, going]), np.ascontiguousarray(row_weights[:, going])
                self._keep(going)
            del errors
            direction = self._direction(gradient)
            logits, losses, errors, size = self._step(logits, losses, direction, gradient, row_weights)
            taken = size[:, None, None] * direction
            self.at = self.at + taken
            stuck = size == 0
            before, gradient = gradient, self.asked.gradient(errors, self.at[:, :, :-1])
            self.steps = [*self.steps[1 - _MEMORY :], taken]
            self.changes = [*self.changes[1 - _MEMORY :], gradient - before]
        # What all classes share says nothing, and scikit-learn's solutions have none of it.
        if asked.n_outputs > 1:
            ends = ends - ends.mean(axis=1, keepdims=True)
        return Solutions(ends[:, :, :-1], ends[:, :, -1], n_iter, largest)

    def _keep(self, going: NDArray[np.bool_]) -> None:
        self.asked = self.asked.among(going)
        self.at, self.curvature = self.at[going], self.curvature[going]
        self.steps, self.changes = [step[going] for step in self.steps], [change[going] for change in self.changes]

    def _direction(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        """Downhill, by the two loops of L-BFGS around the curvature at the start."""
        rest, shares = gradient.copy(), []
        for step, change in zip(reversed(self.steps), reversed(self.changes), strict=True):
            share = _divided(_product(step, rest), _product(step, change))
            rest -= share * change
            shares.append(share)
        rest = self._preconditioned(rest)
        for step, change, share in zip(self.steps, self.changes, reversed(shares), strict=True):
            rest += (share - _divided(_product(change, rest), _product(step, change))) * step
        return -rest

    def _preconditioned(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient, divided by the curvature at weights 0."""
        values, vectors, penalty = self.basis.values, self.basis.vectors, self.asked.penalty[:, None, None]
        by_weight = gradient[:, :, :-1]
        turned = by_weight @ vectors
        outside = by_weight - turned @ vectors.T
        diagonal = self.curvature * values + penalty
        turned = turned / diagonal
        if self.asked.n_outputs > 1:
            # The curvature is (shares - shares ⊗ shares) x value + penalty for each eigenvalue.
            ratio = self.curvature / diagonal
            common = values * (self.curvature * turned).sum(axis=1, keepdims=True)
            turned += ratio * common / (penalty * ratio).sum(axis=1, keepdims=True)
        by_weight = turned @ vectors.T + outside / penalty
        return np.concatenate([by_weight, gradient[:, :, -1:] / self.curvature], axis=2)

    def _step(
        self,
        logits: NDArray[Any],
        losses: NDArray[np.float64],
        direction: NDArray[np.float64],
        gradient: NDArray[np.float64],
        row_weights: NDArray[Any],
    ) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any], NDArray[np.float64]]:
        """Logits, losses, errors and sizes of steps that lower each objective enough; a size of 0 where none does."""
        asked = self.asked
        along = asked.logits(direction[:, :, :-1], direction[:, :, -1])
        slope = _product(direction, gradient)[:, 0, 0]
        linear = asked.penalty * _product(self.at[:, :, :-1], direction[:, :, :-1])[:, 0, 0]
        square = asked.penalty / 2 * _product(direction[:, :, :-1], direction[:, :, :-1])[:, 0, 0]
        slack = 4 * np.finfo(asked.dtype).eps * np.abs(losses)
        size = np.ones(len(slope))
        reached = logits + along
        for halving in range(_MOST_HALVINGS + 1):
            new_losses, errors = asked.losses(reached, row_weights)
            fall = losses - new_losses - size * linear - size**2 * square
            # Written so that NaN is a step too far.
            too_far = ~(fall >= -_SUFFICIENT * size * slope - slack)
            if not too_far.any():
                break
            size[too_far] = 0 if halving == _MOST_HALVINGS - 1 else size[too_far] / 2
            reached[:, too_far] = logits[:, too_far] + size[too_far].astype(asked.dtype)[:, None] * along[:, too_far]
        return reached, new_losses, errors, size


def _product(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """``[n_regressions, 1, 1]`` the inner product of each."""
    products: NDArray[np.float64] = np.einsum("pkd,pkd->p", left, right)[:, None, None]
    return products


def _divided(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """``above / below``, 0 where ``below`` is not above 0: a step along which nothing bends says nothing."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
