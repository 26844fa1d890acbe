"""What changes in the forward pass when neurons of a layer are switched off, scaled, or a direction is projected out.

A concept that is decodable from some neurons need not be read from them by the model. This is the check: the hidden states of one
layer are changed at every token, the pass goes on from there, and the later layers' probes and the model's own head answer again.
Earlier layers are not computed anew. Zero is off the distribution that the model knows, so the mean is the default
(Bau et al. 2019, https://arxiv.org/abs/1811.01157, switch off units of an encoder; on what to put in their place see
Antverg & Belinkov 2022, https://arxiv.org/abs/2110.07483).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.data.asked import CLASSES, TEXT, WORD, check_served
from lit_probe.data.seeds import checked_seed
from lit_probe.encoder.joining import Spans
from lit_probe.encoder.tokens import PaddedBatch
from lit_probe.errors import LitProbeError, ProbeError, UnknownNameError
from lit_probe.probing.layer_states import Change, LayerStates, TokenStatistics
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.study import LayerStudy
from lit_probe.registry import lookup
from lit_probe.results import Result

if TYPE_CHECKING:
    from torch import Tensor

# From the chosen neurons' values ``[b, n_tokens, n_units]`` to those that take their place.
_Replace = Callable[["Tensor", PaddedBatch, "TokenStatistics", "Ablation"], "Tensor"]

# Texts of train whose tokens say what is usual for a neuron.
_N_REFERENCE = 256
# A random set takes each of its neurons from so many whose change is closest in size to that of the one that it stands for.
_N_ALIKE = 20
N_RANDOM_SETS = 20
# Random sets that move the hidden states by another share than this of what the change does are no fair comparison.
_LIKE_SIZE = (0.8, 1.25)


def _zero(values: Tensor, batch: PaddedBatch, usual: TokenStatistics, ablation: Ablation) -> Tensor:
    return values.new_zeros(values.shape)


def _mean(values: Tensor, batch: PaddedBatch, usual: TokenStatistics, ablation: Ablation) -> Tensor:
    return values.new_tensor(usual.mean[list(ablation.units)]).expand_as(values)


def _resample(values: Tensor, batch: PaddedBatch, usual: TokenStatistics, ablation: Ablation) -> Tensor:
    donors = np.zeros(values.shape[:2], dtype=np.int64)
    for row, ids, attended in zip(donors, batch.ids.tolist(), batch.attention_mask.sum(dim=1).tolist(), strict=True):
        # Drawn by the text itself, so that a text gets the same donors alone as beside others.
        random = np.random.default_rng([*b"resample", ablation.seed, *ids[:attended]])
        row[:attended] = random.integers(len(usual.tokens), size=attended)
    return values.new_tensor(usual.tokens[donors][..., list(ablation.units)])


def _scale(values: Tensor, batch: PaddedBatch, usual: TokenStatistics, ablation: Ablation) -> Tensor:
    return values * ablation.factor


# What takes the place of a neuron's value, in reading order; the first is the default.
REPLACEMENTS: dict[str, _Replace] = {"mean": _mean, "zero": _zero, "resample": _resample, "scale": _scale}


@dataclass(frozen=True)
class Ablation:
    """Which neurons of one layer are changed at every token, and how.

    Attributes:
      layer: 0 (embeddings) to n_layers-1.
      units: indices of neurons, each once; none changes nothing.
      replacement: ``mean`` (of train's tokens), ``zero``, ``resample`` (the values of one random train token per token) or
        ``scale``.
      factor: the factor that ``scale`` multiplies with.
      seed: the seed of ``resample``.

    Raises:
      LitProbeError: a neuron is named twice, or the factor is no finite number.
      UnknownNameError: there is no such replacement.
    """

    layer: int
    units: tuple[int, ...]
    replacement: str = "mean"
    factor: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        lookup(REPLACEMENTS, self.replacement, "replacement")
        if len(set(self.units)) != len(self.units):
            raise LitProbeError("A neuron is named twice.")
        if not np.isfinite(self.factor):
            raise LitProbeError(f"The factor is {self.factor}; give a finite number.")
        object.__setattr__(self, "seed", checked_seed(self.seed))


def usual_tokens(study: LayerStudy, layer: int) -> TokenStatistics:
    """What is usual at a layer: the tokens of up to 256 train texts, drawn by the study's seed."""
    texts = study.splits.train.whole_texts
    chosen = np.sort(np.random.default_rng(study.seed).permutation(len(texts))[:_N_REFERENCE])
    some = [texts[i] for i in chosen]
    # No row is read of them, only their tokens.
    return LayerStates(study.encoder, some, layer, study.encoder.default_pooling).statistics()


def states_of(study: LayerStudy, texts: Sequence[str], layer: int, spans: Spans | None = None) -> LayerStates:
    """The hidden states of rows such as the study's: of texts, or of words and the texts in which they stand.

    Args:
      study: whose rows they are like.
      texts: ``[n_rows]``.
      layer: 0 (embeddings) to n_layers-1.
      spans: ``[n_rows, 2]`` where each word begins and ends in its text; None of whole texts.

    Raises:
      UnservedError: a number is asked for, or rows are words and texts were given, or the other way round.
      LitProbeError: see `LayerStates`.
    """
    asked, given = ("A question without spans", TEXT) if spans is None else ("A question with spans", WORD)
    check_served("Switching neurons off", study.splits.unit, study.splits.target, (TEXT, WORD), (CLASSES,))
    check_served(asked, study.splits.unit, CLASSES, (given,), (CLASSES,))
    return LayerStates(study.encoder, texts, layer, study.pooling, spans)


def changed_by(ablation: Ablation, usual: TokenStatistics) -> Change:
    """The change of hidden states ``[b, n_tokens, d_model]`` that the ablation makes.

    Raises:
      UnknownNameError: the layer has no such neuron.
    """
    d_model = usual.tokens.shape[1]
    strange = [unit for unit in ablation.units if not 0 <= unit < d_model]
    if strange:
        raise UnknownNameError(f"Unknown neuron {strange[0]}. Layer {ablation.layer} has neurons 0 to {d_model - 1}.")
    replace_by, units = REPLACEMENTS[ablation.replacement], list(ablation.units)

    def change(hidden: Tensor, batch: PaddedBatch) -> Tensor:
        if not units:
            return hidden
        changed = hidden.clone()
        changed[..., units] = replace_by(hidden[..., units], batch, usual, ablation)
        return changed

    return change


def probe_directions(probe: FittedProbe, usual: TokenStatistics) -> NDArray[np.float64]:
    """``[n_classes - 1, d_model]`` an orthonormal basis of the directions that a linear probe reads.

    They are directions in the space of the layer's tokens, each neuron divided by its ``usual.scale``. In the space of plain
    activations a neuron that hardly varies, by 1e-33 say, would be the whole direction: the probe standardises it too.

    Raises:
      ProbeError: the probe is not linear, or reads nothing.
    """
    if len(probe.layers) != 1:
        raise ProbeError(f"A probe of kind {probe.kind!r} has no directions: only a linear probe's can be projected out.")
    weight = probe.layers[0][0] * (usual.scale / probe.scale)
    # Adding the same to all classes changes no probability.
    _, sizes, basis = np.linalg.svd(weight - weight.mean(axis=0), full_matrices=False)
    directions: NDArray[np.float64] = basis[sizes > 1e-9 * max(sizes.max(), 1e-300)][: probe.n_classes - 1]
    if not len(directions):
        raise ProbeError("The probe reads no direction: all its weights are 0.")
    return directions


def without(directions: NDArray[np.float64], usual: TokenStatistics, as_far_as: NDArray[np.float64] | None = None) -> Change:
    """The change that sets every token's component along ``directions`` to its usual mean.

    Args:
      directions: ``[k, d_model]`` orthonormal, of standardised tokens; see `probe_directions`.
      usual: the usual tokens of the layer.
      as_far_as: ``[m, d_model]`` other directions: every token is moved as far as it would be without these.
    """

    def change(hidden: Tensor, batch: PaddedBatch) -> Tensor:
        import torch

        exact = hidden.double()
        scale = exact.new_tensor(usual.scale)
        standardised = (exact - exact.new_tensor(usual.mean)) / scale

        def step_along(basis: Tensor) -> Tensor:
            return ((standardised @ basis.T) @ basis) * scale

        step = step_along(exact.new_tensor(directions))
        if as_far_as is not None:
            lengths, wanted = (
                torch.linalg.vector_norm(one, dim=-1, keepdim=True) for one in (step, step_along(exact.new_tensor(as_far_as)))
            )
            step = step * (wanted / lengths.clamp_min(torch.finfo(torch.float64).tiny))
        return (exact - step).to(hidden.dtype)

    return change


def change_of(study: LayerStudy, layer: int, ablation: Ablation | None, usual: TokenStatistics) -> Change:
    """What the ablation does; without one, what takes away the directions that the layer's probe reads.

    Raises:
      LitProbeError: the layer has no such neuron, or its probe no direction.
    """
    if ablation is None:
        return without(probe_directions(study.layerwise.probes[layer], usual), usual)
    return changed_by(ablation, usual)


def random_changes(
    study: LayerStudy, states: LayerStates, ablation: Ablation | None, usual: TokenStatistics, n: int
) -> list[Change]:
    """``n`` random changes to hold `change_of` against: as many other neurons, or random directions, that move as much.

    Args:
      study: whose seed draws them.
      states: the states that are changed; neurons are alike if the ablation would move them by as much here.
      ablation: None for the directions that the layer's probe reads.
      usual: the usual tokens of the layer.
      n: how many.

    Raises:
      LitProbeError: there are too few other neurons, or the probe has no direction.
    """
    seeds = range(study.seed + 1, study.seed + 1 + n)
    if ablation is None:
        directions = probe_directions(study.layerwise.probes[states.layer], usual)
        sets = [_among_living(random_directions(len(directions), int(usual.alive.sum()), seed), usual) for seed in seeds]
        return [without(one, usual, as_far_as=directions) for one in sets]
    every_unit = replace(ablation, units=tuple(range(study.encoder.widths[states.layer])))
    size = states.sizes(changed_by(every_unit, usual))
    sets_of_units = [random_units(ablation.units, size, seed, usual.alive) for seed in seeds]
    return [changed_by(replace(ablation, units=units), usual) for units in sets_of_units]


def random_units(
    units: Sequence[int], size: NDArray[np.float64], seed: int, alive: NDArray[np.bool_] | None = None
) -> tuple[int, ...]:
    """As many other neurons, each drawn among those closest in ``size`` ``[d_model]`` to the one that it stands for.

    Args:
      units: the units that they are compared with.
      size: how far a change moves each neuron.
      seed: the seed of the draw.
      alive: ``[d_model]`` which neurons vary, and may be drawn; all when None.

    Raises:
      LitProbeError: the layer has too few other neurons.
    """
    others = np.setdiff1d(np.arange(len(size)) if alive is None else np.flatnonzero(alive), units)
    if len(others) < len(units):
        raise LitProbeError(
            f"{len(units)} of {len(size)} neurons are changed, so there are too few others to compare them with: "
            "choose at most half of the layer."
        )
    random, free, drawn = np.random.default_rng(seed), set(others.tolist()), []
    for unit in random.permutation(np.array(units, dtype=int)):
        left = np.array(sorted(free))
        alike = left[np.argsort(np.abs(size[left] - size[unit]), kind="stable")[:_N_ALIKE]]
        drawn.append(int(random.choice(alike)))
        free.remove(drawn[-1])
    return tuple(sorted(drawn))


def random_directions(n: int, d_model: int, seed: int) -> NDArray[np.float64]:
    """``[n, d_model]`` orthonormal directions in which nothing was sought."""
    basis: NDArray[np.float64] = np.linalg.qr(np.random.default_rng(seed).normal(size=(d_model, n)))[0].T
    return basis


def _among_living(directions: NDArray[np.float64], usual: TokenStatistics) -> NDArray[np.float64]:
    """``[n, d_model]`` directions ``[n, n_alive]`` of the neurons that vary; 0 for the others."""
    whole = np.zeros((len(directions), len(usual.alive)))
    whole[:, usual.alive] = directions
    return whole


@dataclass(frozen=True)
class Moved(Result):
    """How far a change moves the hidden states, and whether random changes move them about as far, as they must to be fair.

    Attributes:
      moved: share of the length of the hidden states by which the change moves them.
      random_moved: mean of the same share over the random changes; None where there are none.
      random_moved_low: the smallest of these shares.
      random_moved_high: the largest.
      moved_ratio: ``random_moved`` divided by ``moved``; None where either is missing or nothing is moved.
      matched: whether this ratio lies in 0.8 to 1.25.
      notes: sentences on why the comparison is not fair, or that nothing is moved.
    """

    moved: float
    random_moved: float | None
    random_moved_low: float | None
    random_moved_high: float | None
    moved_ratio: float | None
    matched: bool
    notes: tuple[str, ...]


def moved_by(moved: float, random: Sequence[float]) -> Moved:
    """Holds a change against random ones by how far each moves the hidden states.

    Args:
      moved: the distance by which the change moves them, as a share of the length of the hidden states.
      random: the same by each random change, if there are any.

    >>> moved_by(0.1, [0.09, 0.12]).matched, moved_by(0.1, [0.01]).notes  # doctest: +ELLIPSIS
    (True, ('The random changes move the hidden states 0.1 times as far as this one, ...',))
    """
    mean, low, high = (float(np.mean(random)), float(min(random)), float(max(random))) if len(random) else (None, None, None)
    ratio = None if mean is None or moved == 0 else mean / moved
    matched = ratio is not None and _LIKE_SIZE[0] <= ratio <= _LIKE_SIZE[1]
    notes: tuple[str, ...] = ()
    if moved == 0:
        notes = ("Nothing is changed: the hidden states stay as they are.",)
    elif ratio is not None and not matched:
        notes = (
            f"The random changes move the hidden states {ratio:.2g} times as far as this one, so it cannot be judged by them: "
            "the layer has too few other neurons of like size.",
        )
    return Moved(moved, mean, low, high, ratio, matched, notes)


def against_random(changes: ArrayLike) -> tuple[int, list[bool]]:
    """How many random changes are outdone by a change, in the reader that changes most.

    With several readers, some random change is outdone at one of them easily. Each change is therefore represented by its largest
    over the readers, each reader in units of what is usual there: if the change is like the random ones, it outdoes all of
    them with probability ``1 / (1 + n_random)`` at most.

    Args:
      changes: ``[1 + n_random, n_readers]``, 0 or more: how much each reader's answer changes; the change itself comes first.

    Returns:
      How many of the random changes have a smaller largest, and for each reader whether it changes more than any
      reader does by any random change.

    >>> against_random([[0.5, 0.1], [0.1, 0.1], [0.2, 0.1]])
    (2, [True, False])
    """
    values = np.asarray(changes, dtype=np.float64)
    usual = np.sqrt(np.square(values).mean(axis=0))
    relative = values / np.where(usual > 0, usual, 1.0)
    largest = relative.max(axis=1)
    return int((largest[1:] < largest[0]).sum()), (relative[0] > largest[1:].max()).tolist()


@dataclass(frozen=True, eq=False)
class AblatedHead(Result):
    """What the checkpoint's own head says before and after an ablation.

    Attributes:
      label_names: ``[n_head_classes]``.
      before: ``[n_rows, n_head_classes]`` probabilities, of a word those of its text.
      after: ``[n_rows, n_head_classes]`` probabilities.
    """

    label_names: tuple[str, ...]
    before: NDArray[np.float32]
    after: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ablated(Result):
    """What is said of some texts, or of words of them, before and after an ablation.

    Attributes:
      layers: the ablated layer and those after it.
      label_names: ``[n_classes]``.
      before: ``[n_rows, len(layers), n_classes]`` probabilities of the layers' probes.
      after: ``[n_rows, len(layers), n_classes]`` probabilities of the layers' probes.
      moved: ``[n_rows]`` share of the length of the text's hidden states by which they are moved.
      model: what the checkpoint's own head says; None where it has none.
    """

    layers: tuple[int, ...]
    label_names: tuple[str, ...]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    moved: NDArray[np.float64]
    model: AblatedHead | None


def ablate(
    study: LayerStudy,
    texts: Sequence[str],
    ablation: Ablation,
    usual: TokenStatistics | None = None,
    *,
    spans: Spans | None = None,
) -> Ablated:
    """What the probes from this layer on, and the model itself, say of each row before and after the ablation.

    Args:
      study: the probes.
      texts: one or more; of words ``[n_words]`` the text that each stands in, those of a text side by side.
      ablation: what is changed, at every token of each text.
      usual: the usual tokens of the layer, if it is known already; see `usual_tokens`.
      spans: ``[n_words, 2]`` where each word begins and ends in its text; None where the rows of the study are texts.

    Raises:
      LitProbeError: there is no text, layer or neuron such as these, or the pass cannot be entered at this layer.
    """
    states = states_of(study, texts, ablation.layer, spans)
    before = states.go_on()
    after = states.go_on(changed_by(ablation, usual or usual_tokens(study, ablation.layer)))
    probes, model = study.layerwise.probes, None
    if before.head_probabilities is not None and after.head_probabilities is not None:
        model = AblatedHead(tuple(study.encoder.head_label_names or ()), before.head_probabilities, after.head_probabilities)
    return Ablated(
        layers=before.layers,
        label_names=tuple(study.splits.label_names),
        before=before.probabilities(probes),
        after=after.probabilities(probes),
        moved=after.moved,
        model=model,
    )
