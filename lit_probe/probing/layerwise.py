"""One probe per layer, and how good each of them is."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.data.asked import CLASSES, NUMBER, TEXT, TargetKind, check_served
from lit_probe.data.seeds import checked_seed
from lit_probe.encoder.memory import MemoryBudget
from lit_probe.errors import ProbeError, UnservedError
from lit_probe.probing.probes import DEFAULT_PROBES, PROBES, FittedProbe, ProbeOptions, serves
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.storage import read_arrays, write_arrays
from lit_probe.probing.probes.training_data import check_labels, check_numbers
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.scores.by_target import metrics_of, rows_of_target, trivial_key, trivial_score
from lit_probe.scores.decision import ARGMAX, Decision
from lit_probe.scores.metrics import Score

_FORMAT = "lit_probe layer-wise probe 1"
_FILE = "layerwise_probe"
# What is held of a layer while its probe is fitted, in copies of it: itself, and three more for a linear probe of some classes.
_COPIES = 4
_MOST_LAYERS = 4


# Where layers are fitted: it is given what fits any one of them, their number, and the bytes of memory that a fit takes, and says
# which layer is done, with its probe.
Spread = Callable[[Callable[[int], FittedProbe], int, int], Generator[tuple[int, FittedProbe]]]


class LayeredActivations(Protocol):
    """What `LayerwiseProbe` reads: pooled activations of every layer, such as `lit_probe.encoder.activations.Activations`."""

    @property
    def n_layers(self) -> int:
        """How many layers, the embeddings included."""

    @property
    def widths(self) -> tuple[int, ...]:
        """``[n_layers]`` the number of units of each."""

    def __len__(self) -> int: ...

    def layer(self, index: int) -> NDArray[np.float32]:
        """``[n_examples, width]`` the activations of one layer."""


@dataclass(frozen=True, eq=False)
class ActivationView:
    """Pooled activations of which some rows are read, or every layer is changed. Nothing is copied before a layer is read.

    Attributes:
      activations: the activations of all rows.
      rows: ``[n_examples]`` the indices of the rows that are read; None for all of them.
      change: the function from a layer and its activations ``[n_examples, d_model]`` to those in their place; None for no change.
    """

    activations: LayeredActivations
    rows: NDArray[np.int64] | None = None
    change: Callable[[int, NDArray[np.float32]], NDArray[Any]] | None = None

    @property
    def n_layers(self) -> int:
        """How many layers, the embeddings included."""
        return self.activations.n_layers

    @property
    def widths(self) -> tuple[int, ...]:
        """``[n_layers]`` the number of units of each layer, before any change."""
        return self.activations.widths

    def __len__(self) -> int:
        return len(self.activations) if self.rows is None else len(self.rows)

    def layer(self, index: int) -> NDArray[Any]:
        """``[n_examples, width]`` the activations of one layer."""
        values = self.activations.layer(index)
        chosen = values if self.rows is None else values[self.rows]
        return chosen if self.change is None else self.change(index, chosen)


@dataclass(frozen=True, eq=False)
class LayerwiseProbe:
    """One fitted probe per layer.

    Attributes:
      probes: ``[n_layers]`` layer 0 (the embeddings) first.
      label_names: ``[n_classes]`` the classes; empty where a number is asked for.
      kind: the name in `PROBES` of what was fitted.
      seed: what every fit was seeded with.
      options: how they were fitted, where not the usual way.
    """

    probes: tuple[FittedProbe, ...]
    label_names: tuple[str, ...]
    kind: str
    seed: int
    options: ProbeOptions = field(default_factory=ProbeOptions)

    def __post_init__(self) -> None:
        if not self.probes or any(probe.n_classes != len(self.label_names) for probe in self.probes):
            what = f"{len(self.label_names)} classes" if self.label_names else "a number"
            raise ProbeError(f"Every layer needs a probe of {what}.")

    @property
    def n_layers(self) -> int:
        """How many layers have a probe."""
        return len(self.probes)

    @property
    def not_converged(self) -> list[int]:
        """The layers whose fit stopped before its tolerance."""
        return [layer for layer, probe in enumerate(self.probes) if not probe.converged]

    @classmethod
    def fit(
        cls,
        activations: LayeredActivations,
        labels: ArrayLike,
        label_names: Sequence[str],
        *,
        groups: ArrayLike | None = None,
        probe: str = "logistic",
        options: ProbeOptions | None = None,
        seed: int = 0,
        like: LayerwiseProbe | None = None,
        n_jobs: int | None = None,
        budget: MemoryBudget | None = None,
        spread: Spread | None = None,
        progress: Progress = no_progress,
    ) -> LayerwiseProbe:
        """Fits one probe per layer on the train split, layers side by side.

        Args:
          activations: the activations of the train split, ``[n_examples, n_layers, d_model]``.
          labels: ``[n_examples]`` indices into ``label_names``; numbers where there are no names.
          label_names: ``[n_classes]``; empty for numbers.
          groups: ``[n_examples]`` what must not be split between folds, or None.
          probe: a name in `PROBES`.
          options: how it is fitted; the usual way when None.
          seed: the seed of everything random; every layer gets the same folds.
          like: probes of the same kind whose strength of regularisation each layer takes over, in place of choosing its own.
          n_jobs: the number of layers at a time; `layers_at_a_time` when None. No digit depends on it.
          budget: how much memory fits may take; what the machine has free when None.
          spread: has other machines fit the layers; this one in threads when None.
          progress: hears how many of the layers are done.

        Raises:
          UnknownNameError: there is no such probe.
          UnservedError: it is for classes and the labels are numbers, or the other way round; or it does not take an option.
          ProbeError: a class has too few examples, the lengths disagree or an activation is not finite.
        """
        seed = checked_seed(seed)
        options = options or ProbeOptions()
        check_probe(probe, CLASSES if label_names else NUMBER, options)
        classes = check_labels(labels, label_names) if label_names else check_numbers(labels)
        fit = _LayerFit(activations, classes, len(label_names), groups, probe, options, seed, like)
        n_layers = activations.n_layers
        if spread is None:
            spread = partial(_in_threads, n_jobs or layers_at_a_time(activations, budget))
        fitted: dict[int, FittedProbe] = {}
        # Closed where progress raises, so that nobody fits on.
        with closing(spread(fit, n_layers, _fit_bytes(activations))) as fits:
            for layer, done in fits:
                fitted[layer] = done
                progress(len(fitted), n_layers)
        return cls(tuple(fitted[layer] for layer in range(n_layers)), tuple(label_names), probe, seed, options)

    def predictions(self, activations: LayeredActivations) -> NDArray[np.float64]:
        """``[n_examples, n_layers, n_classes]`` float64: the probabilities that each layer's probe gives each text.

        Where a number is asked for they are ``[n_examples, n_layers, 1]``, the number itself.

        A text gets the same digits alone as among others.

        Raises:
          ProbeError: the activations have other layers or another width than the probes.
        """
        if activations.n_layers != self.n_layers:
            raise ProbeError(f"There are probes for {self.n_layers} layers, but activations of {activations.n_layers}.")
        return np.stack([probe.predictions(activations.layer(layer)) for layer, probe in enumerate(self.probes)], axis=1)

    def predict_proba(self, activations: LayeredActivations) -> NDArray[np.float64]:
        """`predictions` of probes of classes.

        Raises:
          ProbeError: as `predictions`; or the probes give a number.
        """
        if not self.label_names:
            raise ProbeError("These probes give a number and no probabilities. Ask them for predictions.")
        return self.predictions(activations)

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Writes all layers into ``directory``, which is made: one safetensors and one JSON file.

        Raises:
          OSError: the files cannot be written.
        """
        arrays = {
            f"layer_{layer:02d}.{name}": array
            for layer, probe in enumerate(self.probes)
            for name, array in probe.to_arrays().items()
        }
        header = {
            "format": _FORMAT,
            "kind": self.kind,
            "seed": self.seed,
            "options": self.options.to_json(),
            "label_names": list(self.label_names),
            "layers": [probe.to_header() for probe in self.probes],
        }
        write_arrays(Path(directory) / _FILE, arrays, header)

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> LayerwiseProbe:
        """What `save` wrote into ``directory``: the same numbers to the last digit.

        Raises:
          CacheError: a file is missing, torn, foreign or changed.
        """
        arrays, header = read_arrays(Path(directory) / _FILE, _FORMAT)
        by_layer: dict[str, dict[str, NDArray[Any]]] = {}
        for name, array in arrays.items():
            layer, _, part = name.partition(".")
            by_layer.setdefault(layer, {})[part] = array
        probes = [FittedProbe.from_parts(by_layer[f"layer_{layer:02d}"], part) for layer, part in enumerate(header["layers"])]
        options = ProbeOptions.from_json(header.get("options", {}))
        return cls(tuple(probes), tuple(header["label_names"]), header["kind"], header["seed"], options)


@dataclass(frozen=True, eq=False)
class _LayerFit:
    """Fits the probe of any one layer. It can travel to another process, with all that decides the probe."""

    activations: LayeredActivations
    labels: NDArray[Any]
    n_classes: int
    groups: ArrayLike | None
    probe: str
    options: ProbeOptions
    seed: int
    like: LayerwiseProbe | None

    def __call__(self, layer: int) -> FittedProbe:
        kind = PROBES[self.probe]
        settings = {} if self.like is None else self.like.probes[layer].settings
        chosen = {name.lower(): settings[name] for name in ("C", "alpha") if name in settings}
        asked = {**kind.keywords(self.options), **chosen}
        try:
            with fitting_scope:
                return kind.fit(self.activations.layer(layer), self.labels, self.n_classes, self.groups, self.seed, **asked)
        except ProbeError as error:
            raise ProbeError(f"Layer {layer}: {error}") from error


def _in_threads(
    at_once: int, fit: Callable[[int], FittedProbe], n_layers: int, n_bytes: int
) -> Generator[tuple[int, FittedProbe]]:
    """A `Spread` over threads of this process, so many layers at once, for which there must be memory."""
    with fitting_scope, ThreadPoolExecutor(min(at_once, n_layers)) as pool:
        fits = {pool.submit(fit, layer): layer for layer in range(n_layers)}
        try:
            for one in as_completed(fits):
                yield fits[one], one.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def check_probe(probe: str, target: TargetKind, options: ProbeOptions | None = None) -> None:
    """That a kind of probe can be fitted to what is asked for, in this way.

    Args:
      probe: a name in `PROBES`.
      target: what is asked of a row.
      options: how it is to be fitted; the usual way when None.

    Raises:
      UnknownNameError: there is no such kind.
      UnservedError: it is for another target, and the sentence says which kinds are for this one; or it does not take an option.

    >>> check_probe("logistic", "number")
    Traceback (most recent call last):
    ...
    lit_probe.errors.UnservedError: The probe 'logistic' is about classes; this data set asks for a number. Choose one of: ridge.
    """
    kind = lookup(PROBES, probe, "probe")
    (options or ProbeOptions()).check_taken(probe, kind.options)
    targets = kind.targets
    if target in targets:
        return
    others = ", ".join(name for name, kind in PROBES.items() if target in kind.targets)
    try:
        check_served(f"The probe {probe!r}", TEXT, target, [TEXT], targets)
    except UnservedError as error:
        raise UnservedError(f"{error} Choose one of: {others}.") from None


def probe_for(probe: str | None, target: TargetKind) -> str | None:
    """The kind of probe that is fitted to one of several targets: the one that was named where it serves it, else the usual one.

    Args:
      probe: a name in `PROBES`, or None.
      target: what is asked of a row.

    >>> probe_for("mlp", "classes"), probe_for("mlp", "number"), probe_for(None, "number")
    ('mlp', 'ridge', None)
    """
    return probe if probe is None or serves(probe, target) else DEFAULT_PROBES[target]


def layers_at_a_time(activations: LayeredActivations, budget: MemoryBudget | None = None) -> int:
    """How many layers are fitted side by side: one per available core, at most 4, and no more than there is memory for.

    Args:
      activations: those of the rows that are fitted to.
      budget: how much memory there is; what the machine has free when None.
    """
    # Containers and batch systems often allow fewer cores than the machine has.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    fitting = (budget or MemoryBudget.of(None)).n_bytes / max(_fit_bytes(activations), 1)
    # The optimiser's own steps hold Python's interpreter lock, so more threads would mostly wait for each other.
    return max(1, int(min(cores, _MOST_LAYERS, fitting)))


def _fit_bytes(activations: LayeredActivations) -> int:
    """The memory of the fit of one layer."""
    return _COPIES * len(activations) * max(activations.widths) * np.dtype(np.float32).itemsize


@dataclass(frozen=True)
class LayerMetrics:
    """Every metric of every layer on one split.

    Attributes:
      split: which rows were scored: ``"train"``, ``"dev"`` or ``"test"``.
      n: the number of rows.
      n_by_class: ``[n_classes]`` how many rows of each class; empty where a number is asked for.
      label_names: ``[n_classes]``; empty likewise.
      scores: metric name (`metrics_of`) -> one `Score` per layer.
      majority: metric name -> the score of always predicting the train split's class frequencies, or the mean of its numbers, or
        None.
    """

    split: str
    n: int
    n_by_class: tuple[int, ...]
    label_names: tuple[str, ...]
    scores: Mapping[str, tuple[Score, ...]]
    majority: Mapping[str, float | None]

    @classmethod
    def measure(
        cls,
        split: str,
        probabilities: ArrayLike,
        labels: ArrayLike,
        label_names: Sequence[str],
        train_labels: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        seed: int = 0,
        metrics: Sequence[str] | None = None,
        decision: Decision = ARGMAX,
    ) -> LayerMetrics:
        """Scores all layers on the rows of one split.

        Args:
          split: its name.
          probabilities: ``[n_examples, n_layers, n_classes]``, or numbers ``[n_examples, n_layers, 1]``, from
            `LayerwiseProbe.predictions`.
          labels: ``[n_examples]`` class indices, or numbers.
          label_names: ``[n_classes]``; empty for numbers.
          train_labels: ``[n_train]`` labels of the rows the probes were fitted on, for the majority baseline, or the mean.
          groups: ``[n_examples]`` what is not independent of each other, or None.
          seed: the seed of the bootstrap.
          metrics: names of `metrics_of`; all of them when None.
          decision: the rule by which probabilities become a class. The majority baseline names the largest class by any rule.

        Raises:
          UnknownNameError: there is no such metric.
          ProbeError: the arrays do not fit together.
        """
        known = metrics_of(label_names)
        names = list(known) if metrics is None else list(metrics)
        rows = rows_of_target(probabilities, labels, groups, seed, label_names, decision)
        return cls(
            split=split,
            n=rows.n,
            n_by_class=tuple(np.bincount(np.asarray(labels, dtype=np.int64), minlength=len(label_names)).tolist())
            if label_names
            else (),
            label_names=tuple(label_names),
            scores={name: tuple(lookup(known, name, "metric").score(rows)) for name in names},
            majority={name: trivial_score(name, train_labels, labels, label_names) for name in names},
        )

    def rows(self) -> tuple[MetricsRow, ...]:
        """One row per layer."""
        layers = zip(*self.scores.values(), strict=True)
        return tuple(
            MetricsRow(layer, self.split, self.n, dict(zip(self.scores, scores, strict=True)), self.majority)
            for layer, scores in enumerate(layers)
        )


@dataclass(frozen=True)
class MetricsRow:
    """Every metric of one layer on one split: a row of ``layers.json`` and ``layers.csv``.

    Attributes:
      layer: the layer's number.
      split: the name of the rows that were scored.
      n: the number of these rows.
      scores: the score by the name of the metric (`metrics_of`).
      majority: the score of always predicting the train split's class frequencies, or the mean of its numbers, by the name of
        the metric; None where it is not defined.
    """

    layer: int
    split: str
    n: int
    scores: Mapping[str, Score]
    majority: Mapping[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """One flat object, as a table has it; numbers are finite or None.

        Keys: ``layer``, ``split``, ``n``, then for each metric its name, ``_low``, ``_high``, ``_reliable``, ``_reason`` and
        ``majority_``: ``accuracy``, ``accuracy_low``, …, ``majority_accuracy``. The class of a per-class metric stays last:
        ``precision:positive``, ``precision_low:positive``, …, ``majority_precision:positive``. Of a number ``mean_`` stands in
        place of ``majority_``: ``r2``, ``r2_low``, …, ``mean_r2``.
        """
        row: dict[str, Any] = {"layer": self.layer, "split": self.split, "n": self.n}
        for name, score in self.scores.items():
            metric, colon, label = name.partition(":")
            of_class = colon + label
            row[name] = score.value
            row[f"{metric}_low{of_class}"] = score.low
            row[f"{metric}_high{of_class}"] = score.high
            row[f"{metric}_reliable{of_class}"] = score.reliable
            row[f"{metric}_reason{of_class}"] = score.reason
            row[trivial_key(name)] = self.majority[name]
        return row
