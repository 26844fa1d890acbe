"""What one neuron does: its activations by class over a data set, and on every token of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import LabelledTexts, SplitName
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.token_states import check_units, token_states
from lit_probe.encoder.words import words_of
from lit_probe.errors import LitProbeError
from lit_probe.probing.study import LayerStudy
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.scores.auroc import auroc, auroc_interval
from lit_probe.scores.intervals import group_units

N_BINS = 30


@dataclass(frozen=True, eq=False)
class ClassActivations(Result):
    """A neuron's activations in one class, beside all rows of the other classes; None where there are too few rows.

    Attributes:
      label: name of the class.
      n: the number of rows it has.
      counts: ``[n_bins]`` how many of them lie in each bin.
      mean: mean activation.
      std: its standard deviation.
      overlap: area that the two histograms share, 0 to 1; it grows with wider bins.
      auroc: chance that a row of the class has the larger activation, 0 to 1; ties count half.
      auroc_low: lower end of its 95 % interval.
      auroc_high: upper end.
    """

    label: str
    n: int
    counts: NDArray[np.int64]
    mean: float | None
    std: float | None
    overlap: float | None
    auroc: float | None
    auroc_low: float | None
    auroc_high: float | None


@dataclass(frozen=True, eq=False)
class ActivationDistribution(Result):
    """How one neuron's pooled activations are spread over a split.

    Attributes:
      layer: layer of the neuron.
      unit: its index in the layer.
      name: ``layer:unit``.
      split: ``train``, ``dev`` or ``test``.
      pooling: name of the pooling.
      n: the number of rows.
      mean: mean activation.
      std: its standard deviation.
      edges: ``[n_bins + 1]`` ends of the bins, which all classes share.
      classes: ``[n_classes]``.
    """

    layer: int
    unit: int
    name: str
    split: SplitName
    pooling: str
    n: int
    mean: float
    std: float
    edges: NDArray[np.float64]
    classes: tuple[ClassActivations, ...]


def activation_distribution(
    study: LayerStudy, layer: int, unit: int, split: SplitName = "dev", *, n_bins: int = N_BINS
) -> ActivationDistribution:
    """How one neuron's pooled activations are spread in each class of a split.

    Args:
      study: the probes and the activations.
      layer: 0 (embeddings) to n_layers-1.
      unit: 0 to d_model-1.
      split: ``train``, ``dev`` or ``test``.
      n_bins: the number of bins of equal width from the smallest to the largest value; all classes share them.

    Raises:
      UnknownNameError: there is no such layer, neuron or split.
      LitProbeError: a value is NaN or infinite, or there is no row or no bin.
    """
    check_units(study.encoder, layer, [unit])
    if n_bins < 1:
        raise LitProbeError(f"A histogram has one bin or more; got {n_bins}.")
    splits: dict[str, LabelledTexts] = dict(study.splits.items())
    rows = lookup(splits, split, "split")
    activations = study.activations[split]
    # Block by block: of a mapped layer only one column is read into memory.
    values = activations.unit(layer, unit).astype(np.float64)
    n_bad = int((~np.isfinite(values)).sum())
    if n_bad or not len(values):
        what = f"{n_bad} of {len(values)} {split} activations are NaN or infinite" if n_bad else f"{split} has no row"
        raise LitProbeError(f"Neuron {layer}:{unit}: {what}, so there is no distribution to show.")
    edges = np.histogram_bin_edges(values, bins=n_bins)
    units = group_units(rows.groups)
    return ActivationDistribution(
        layer=layer,
        unit=unit,
        name=f"{layer}:{unit}",
        split=split,
        pooling=study.pooling,
        n=len(values),
        mean=float(values.mean()),
        std=float(values.std()),
        edges=edges,
        classes=tuple(
            _beside_the_rest(label, values, rows.labels == c, edges, units) for c, label in enumerate(rows.label_names)
        ),
    )


def _beside_the_rest(
    label: str,
    values: NDArray[np.float64],
    mine: NDArray[np.bool_],
    edges: NDArray[np.float64],
    units: NDArray[np.int64] | None,
) -> ClassActivations:
    inside, outside = values[mine], values[~mine]
    counts = np.histogram(inside, bins=edges)[0]
    mean, std = (float(inside.mean()), float(inside.std())) if len(inside) else (None, None)
    overlap, area, low, high = None, None, None, None
    if len(inside) and len(outside):
        rest = np.histogram(outside, bins=edges)[0]
        overlap = float(np.minimum(counts / len(inside), rest / len(outside)).sum())
        scores, labels = np.stack([-values, values], axis=1), mine.astype(np.int64)
        area = auroc(scores, labels, 2)
        low, high = auroc_interval(scores, labels, 2, units) or (None, None)
    return ClassActivations(label, len(inside), counts, mean, std, overlap, area, low, high)


@dataclass(frozen=True, eq=False)
class TokenActivations:
    """What some neurons of a layer do on every token of one text.

    Attributes:
      layer: the layer of the neurons.
      units: ``[n_units]`` their indices.
      tokens: ``[n_tokens]`` as the encoder reads them, special tokens included.
      special: ``[n_tokens]`` True for special tokens.
      words: ``[n_tokens]`` index of the word that each token belongs to; None for special tokens.
      word_texts: ``[n_words]`` the words.
      words_beyond_limit: the words of a longer text that the encoder did not read.
      values: ``[n_units, n_tokens]`` float32.
    """

    layer: int
    units: tuple[int, ...]
    tokens: tuple[str, ...]
    special: tuple[bool, ...]
    words: tuple[int | None, ...]
    word_texts: tuple[str, ...]
    words_beyond_limit: tuple[str, ...]
    values: NDArray[np.float32]

    def to_json(self) -> dict[str, Any]:
        """The same as lists; ``neurons`` holds ``unit``, ``name`` (``layer:unit``) and ``values`` ``[n_tokens]`` of each."""
        return {
            "layer": self.layer,
            "tokens": list(self.tokens),
            "special": list(self.special),
            "words": list(self.words),
            "word_texts": list(self.word_texts),
            "words_beyond_limit": list(self.words_beyond_limit),
            "neurons": [
                {"unit": unit, "name": f"{self.layer}:{unit}", "values": values.tolist()}
                for unit, values in zip(self.units, self.values, strict=True)
            ],
        }


def token_activations(encoder: Encoder, texts: str | Sequence[str], layer: int, units: Sequence[int]) -> list[TokenActivations]:
    """The activations of some neurons of a layer on every token of each text, for heat maps. Later blocks are not run.

    Args:
      encoder: the frozen encoder.
      texts: one text or several, such as an original and its edit.
      layer: 0 (embeddings) to n_layers-1.
      units: one or more neurons of it, in the order in which they come back.

    Returns:
      One for each text, in their order. A text without any token has no columns.

    Raises:
      UnknownNameError: there is no such layer or neuron.
      LitProbeError: there is no text or no neuron, or a value is NaN or infinite.
    """
    texts, chosen = [texts] if isinstance(texts, str) else list(texts), [int(unit) for unit in units]
    check_units(encoder, layer, chosen)
    if not texts or not chosen:
        raise LitProbeError(f"There is no {'neuron' if texts else 'text'} to show the activations of. Choose one or more.")
    encoded = encoder.encode(texts, with_tokens=True)
    values = [np.zeros((len(chosen), len(text.ids)), dtype=np.float32) for text in encoded]
    for indices, rows in token_states(encoder, encoded, layer):
        ends = np.cumsum([len(encoded[i].ids) for i in indices])
        for i, part in zip(indices, np.split(rows[:, chosen], ends[:-1]), strict=True):
            values[i] = part.T
    found = []
    for text, one, mine in zip(texts, encoded, values, strict=True):
        words = words_of(text, one)
        found.append(
            TokenActivations(
                layer, tuple(chosen), tuple(one.tokens), tuple(one.special), words.of_token, words.texts, words.beyond_limit, mine
            )
        )
    return found
