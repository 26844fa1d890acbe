"""Description length: how many bits the labels cost someone who has the activations. Counts effort as well as accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.check import CheckResult
from lit_probe.encoder.cache import Cache
from lit_probe.errors import ProbeError
from lit_probe.probing.layerwise import ActivationView
from lit_probe.probing.portions import PortionProbes, portion_probes
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.results import Result


@dataclass(frozen=True)
class LayerCode(Result):
    """The code length of the train labels with the probes of one layer.

    Attributes:
      layer: the layer's number.
      bits: the length of the online code, above 0.
      uniform_bits: the length of the uniform code, the same at each layer.
      prior_bits: the length of the label-prior code, the same at each layer.
      compression: ``uniform_bits / bits``; above 1 also where classes are unequal and the activations tell nothing.
      compression_to_prior: ``prior_bits / bits``; above 1 the activations make the code shorter.
    """

    layer: int
    bits: float
    uniform_bits: float
    prior_bits: float
    compression: float
    compression_to_prior: float


@dataclass(frozen=True)
class DescriptionLength(CheckResult):
    """The answer of `description_length`.

    Attributes:
      portions: ``[n_portions]`` the ends of the blocks, in labels.
      n: the number of labels.
      n_uniform: the number of labels that are sent with the uniform code.
      layers: ``[n_layers]`` the code lengths.
      notes: sentences for the reader.
    """

    portions: tuple[int, ...]
    n: int
    n_uniform: int
    layers: tuple[LayerCode, ...]
    notes: tuple[str, ...]


def description_length(study: LayerStudy, cache: Cache | None = None, progress: Progress = no_progress) -> DescriptionLength:
    """The online (prequential) code of the train labels at every layer (Voita & Titov 2020, https://arxiv.org/abs/2003.12298).

    Train is put into a random order with the rows of each class at even distances and cut into blocks, which end where the
    portions of `portions.Portions` end, at sizes ``n_1 < … < n_S = n``. Sender and receiver both have the activations. The first
    block is sent with the uniform code; each later one with the probe fitted on everything sent before it, its regularisation
    chosen by cross-validation there:

        bits = n_1 log2 K − Σ_{s=1}^{S−1} Σ_{i = n_s + 1}^{n_{s+1}} log2 p_s(y_i | x_i)

    where ``K`` is the number of classes and ``p_s`` the probe of the first ``n_s`` rows. While some class has fewer than 2
    examples among these, there is no probe and the block is sent with the uniform code. A label costs at most 52 bits:
    probabilities below the rounding of float64 count as that. Groups are never split between the rows fitted and the rows sent.

    Two codes that read no activations stand for comparison. The *uniform* code takes ``n log2 K`` bits. The *label-prior* code is
    the same online code, block by block, with ``p_s(y)`` the frequency of ``y`` among the first ``n_s`` labels: what the
    ``majority`` probe would take. It pays the same for the blocks without a probe, so the compression against it is owed to the
    activations alone; the compression against the uniform code also rises when classes are unequal.

    Args:
      study: what is probed; only its train split is read.
      cache: where the fits are kept, which `learning_curve` uses too.
      progress: called with the work done and all the work; an error that it raises ends the computation.

    Raises:
      ProbeError: train is so small, or so unequal, that no block can be sent with a probe.
    """
    fits = portion_probes(study, cache, progress)
    n_train = len(study.splits.train)
    if all(probe is None for probe in fits.probes[:-1]):
        raise ProbeError(
            "The description length needs a portion of train, smaller than all of it, with 2 or more examples of each class; "
            f"the portions of these {n_train:,} examples have {', '.join(f'{size:,}' for size in fits.portions.sizes)}. "
            "Add examples or, where rows are grouped, groups."
        )
    *by_layer, prior_bits = _bits(study, fits)
    uniform_bits = n_train * float(np.log2(len(study.splits.label_names)))
    return DescriptionLength(
        portions=fits.portions.sizes,
        n=n_train,
        n_uniform=_n_uniform(fits),
        layers=tuple(
            LayerCode(layer, bits, uniform_bits, prior_bits, uniform_bits / bits, prior_bits / bits)
            for layer, bits in enumerate(by_layer)
        ),
        notes=(
            f"The first {_n_uniform(fits):,} of {n_train:,} labels are sent with the uniform code, "
            f"each later block with the {study.layerwise.kind} probe fitted on all labels before it.",
            *fits.notes(),
        ),
    )


def _bits(study: LayerStudy, fits: PortionProbes) -> list[float]:
    """The code length with each layer's probes, then that of the label-prior code ``[n_layers + 1]``."""
    labels, n_classes = study.splits.train.labels, len(study.splits.label_names)
    n_layers = study.layerwise.n_layers
    bits = np.full(n_layers + 1, _n_uniform(fits) * np.log2(n_classes))
    for index, probe in enumerate(fits.probes[:-1]):
        if probe is None:
            continue
        sent = fits.portions.added(index + 1)
        known = labels[fits.portions.rows(index)]
        prior = np.bincount(known, minlength=n_classes) / len(known)
        of_layers = probe.predict_proba(ActivationView(study.activations["train"], sent))
        of_prior = np.broadcast_to(prior, (len(sent), 1, n_classes))
        bits += _block_bits(np.concatenate([of_layers, of_prior], axis=1), labels[sent])
    return [float(value) for value in bits]


def _n_uniform(fits: PortionProbes) -> int:
    """How many labels are sent with the uniform code: the first block, and each block that no probe precedes."""
    without = (index for index, probe in enumerate(fits.probes[:-1]) if probe is None)
    return fits.portions.sizes[0] + sum(len(fits.portions.added(index + 1)) for index in without)


def _block_bits(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """``[n_codes]`` bits for one block, from ``probabilities`` ``[n_block, n_codes, n_classes]`` and ``labels`` ``[n_block]``."""
    of_label = probabilities[np.arange(len(labels)), :, labels]
    bits: NDArray[np.float64] = -np.log2(np.maximum(of_label, np.finfo(np.float64).eps)).sum(axis=0)
    return bits
