"""The probe that learns which tokens to read: attention in place of pooling, then a linear layer.

A token's weight is the softmax over its text of ``query · h``; the text's vector is the weighted mean of its tokens' vectors: a
self-attentive pooling by one learnt vector (Lee et al. 2017, https://aclanthology.org/D17-1018), which edge probing uses
(Tenney et al. 2019, https://openreview.net/forum?id=SJzSgnRcKX).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.options import ProbeOptions
from lit_probe.probing.probes.training_data import check_labels, row_weights, standardisation

PENALTY = 1.0
MAX_EPOCHS = 200
LEARNING_RATE = 0.01
BATCH_SIZE = 64
# Training ends once the loss on train has not fallen by this in so many passes.
_LEAST_FALL, _PATIENCE = 1e-4, 10
# Adam's, as its authors have them (Kingma & Ba 2015, https://arxiv.org/abs/1412.6980).
_BETAS, _EPSILON = (0.9, 0.999), 1e-8


@dataclass(frozen=True, eq=False)
class TokenStates:
    """The vectors of the tokens of some texts, one text after the other.

    Attributes:
      values: ``[n_tokens, d_model]`` float32.
      starts: ``[n_texts + 1]`` where each text begins, and the end of the last; no text is empty.
    """

    values: NDArray[np.float32]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True, eq=False)
class AttentionProbe:
    """A fitted probe of one layer.

    Attributes:
      query: ``[d_model]`` float64, by which standardised vectors of tokens are weighed.
      head: the linear probe of the weighted means; its ``mean`` and ``scale`` are those of the tokens of train.
    """

    query: NDArray[np.float64]
    head: FittedProbe

    def weights(self, states: TokenStates) -> NDArray[np.float64]:
        """``[n_tokens]`` how much of its text's vector each token makes; those of a text add up to 1."""
        raw = np.divide(self.query, self.head.scale)
        scores = np.einsum("ni,i->n", states.values - self.head.mean, raw)
        return _softmax(scores, states.starts)

    def pooled(self, states: TokenStates) -> NDArray[np.float32]:
        """``[n_texts, d_model]`` the weighted means, which the head reads."""
        weighted = states.values * self.weights(states)[:, None]
        return np.add.reduceat(weighted, states.starts[:-1], axis=0).astype(np.float32)


def fit_attention(
    states: TokenStates,
    labels: ArrayLike,
    n_classes: int,
    seed: int = 0,
    *,
    penalty: float = PENALTY,
    class_weight: str | None = None,
    max_epochs: int = MAX_EPOCHS,
    learning_rate: float = LEARNING_RATE,
    batch_size: int = BATCH_SIZE,
    after_epoch: Callable[[int, int], None] = lambda done, total: None,
) -> AttentionProbe:
    """Fits query and head together by Adam, on vectors standardised over the tokens of these texts.

    Both begin at 0, where all tokens weigh alike: at mean pooling. Nothing is held out, so groups do not matter here.

    Args:
      states: the tokens of the texts of train.
      labels: ``[n_texts]`` class indices in 0..n_classes-1.
      n_classes: the number of classes; each needs 2 texts or more.
      seed: the seed of the order of the batches.
      penalty: on the squares of query and head, beside the summed log-loss; larger is stronger.
      class_weight: ``"balanced"`` lets every class count alike; None every text.
      max_epochs: passes over train. When the loss still falls after these, ``converged`` is False.
      learning_rate: the size of Adam's steps.
      batch_size: the number of texts for each step.
      after_epoch: hears how many of the passes are done, of at most how many.

    Raises:
      ProbeError: a class has fewer than 2 texts, or an option is out of range.
    """
    ProbeOptions(regularisation=penalty, class_weight=class_weight)
    classes = check_labels(labels, [f"class {index}" for index in range(n_classes)])
    mean, scale = standardisation(states.values)
    scaled = ((states.values - mean.astype(np.float32)) / scale.astype(np.float32)).astype(np.float32, copy=False)
    width, n_texts = scaled.shape[1], len(states)
    counts = row_weights(classes) if class_weight is not None else np.ones(n_texts)
    random = np.random.default_rng([*b"attention", seed])
    numbers = np.zeros(width + n_classes * (width + 1))
    first, second = np.zeros_like(numbers), np.zeros_like(numbers)
    best, waited, n_steps, losses = np.inf, 0, 0, list[float]()
    with fitting_scope:
        while len(losses) < max_epochs and waited < _PATIENCE:
            loss = 0.0
            order = random.permutation(n_texts)
            for start in range(0, n_texts, batch_size):
                texts = order[start : start + batch_size]
                batch = _batch(scaled, states.starts, texts)
                of_batch, gradient = _loss(numbers, batch, classes[texts], counts[texts], n_classes, penalty / n_texts)
                loss += of_batch * len(texts) / n_texts
                n_steps += 1
                first = _BETAS[0] * first + (1 - _BETAS[0]) * gradient
                second = _BETAS[1] * second + (1 - _BETAS[1]) * gradient**2
                size = learning_rate * np.sqrt(1 - _BETAS[1] ** n_steps) / (1 - _BETAS[0] ** n_steps)
                numbers = numbers - size * first / (np.sqrt(second) + _EPSILON)
            losses.append(loss)
            best, waited = (loss, 0) if loss < best - _LEAST_FALL else (best, waited + 1)
            after_epoch(len(losses), max_epochs)
    query, weight, bias = _parts(numbers, width, n_classes)
    settings: dict[str, Any] = {
        "weight_penalty": penalty,
        **({} if class_weight is None else {"class_weight": class_weight}),
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "seed": seed,
        "n_train": n_texts,
        "n_tokens": len(scaled),
        "n_epochs": len(losses),
        "max_epochs": max_epochs,
        "train_loss": losses,
    }
    head = FittedProbe("attention", np.arange(n_classes), mean, scale, ((weight, bias),), waited >= _PATIENCE, settings)
    return AttentionProbe(query, head)


def _parts(numbers: NDArray[np.float64], width: int, n_classes: int) -> tuple[NDArray[np.float64], ...]:
    """Query ``[d_model]``, weight ``[n_classes, d_model]`` and bias ``[n_classes]``."""
    return numbers[:width], numbers[width:-n_classes].reshape(n_classes, width), numbers[-n_classes:]


def _batch(values: NDArray[np.float32], starts: NDArray[np.int64], texts: NDArray[np.int64]) -> TokenStates:
    """The tokens of some texts."""
    lengths = starts[texts + 1] - starts[texts]
    begins = np.r_[0, np.cumsum(lengths)]
    places = np.arange(begins[-1]) + np.repeat(starts[texts] - begins[:-1], lengths)
    return TokenStates(values[places], begins)


def _softmax(scores: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    """``[n_tokens]`` the softmax of each text's scores."""
    lengths = np.diff(starts)
    powers = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts[:-1]), lengths))
    shares: NDArray[Any] = powers / np.repeat(np.add.reduceat(powers, starts[:-1]), lengths)
    return shares


def _loss(
    numbers: NDArray[np.float64],
    batch: TokenStates,
    labels: NDArray[np.int64],
    counts: NDArray[np.float64],
    n_classes: int,
    penalty: float,
) -> tuple[float, NDArray[np.float64]]:
    """The mean loss of a batch with its penalty, and the gradient."""
    values, starts = batch.values, batch.starts
    lengths, rows, width = np.diff(starts), np.arange(len(labels)), values.shape[1]
    query, weight, bias = _parts(numbers, width, n_classes)
    shares = _softmax(values @ query.astype(np.float32), starts)
    pooled = np.add.reduceat(values * shares[:, None], starts[:-1], axis=0).astype(np.float64)
    logits = pooled @ weight.T + bias
    norm = np.logaddexp.reduce(logits, axis=1)
    value = float((counts * (norm - logits[rows, labels])).mean())
    errors = np.exp(logits - norm[:, None])
    errors[rows, labels] -= 1.0
    errors *= counts[:, None] / len(labels)
    towards = np.repeat((errors @ weight).astype(np.float32), lengths, axis=0)
    by_token = np.einsum("ni,ni->n", values, towards)
    by_score = shares * (by_token - np.repeat(np.add.reduceat(shares * by_token, starts[:-1]), lengths))
    on_weight = errors.T @ pooled
    gradient = np.concatenate([by_score @ values, on_weight.ravel(), errors.sum(axis=0)]).astype(np.float64)
    squared = numbers[:-n_classes]
    gradient[:-n_classes] += penalty * squared
    return value + penalty / 2 * float(squared @ squared), gradient
