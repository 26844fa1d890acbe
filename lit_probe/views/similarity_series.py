"""A series of checkpoints: how alike each one's layers are to those of the last, of the first and of the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from numpy.typing import ArrayLike

from lit_probe.data.labelled_texts import SplitName
from lit_probe.encoder.activations import Activations
from lit_probe.errors import DatasetError, EncoderError
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.views.compared_sides import Side, on_common_rows, side_of
from lit_probe.views.layer_similarity import (
    BLOCK_ROWS,
    Comparing,
    LayerSimilarity,
    PreparedSide,
    flat_notes,
    saturated_notes,
)
from lit_probe.views.similarity_measures import MEASURES

Beside = Literal["last", "first", "previous"]

Given = LayerStudy | Activations | ArrayLike | Mapping[str, ArrayLike]


@dataclass(frozen=True)
class SameLayers(Result):
    """Each checkpoint's layers beside the same layers of another checkpoint.

    Attributes:
      beside: which one: the ``last`` of the series, its ``first``, or the ``previous`` one.
      values: ``[n_checkpoints, n_layers]``, as of `LayerSimilarity`; None too where there is no previous one.
      by_chance: ``[n_checkpoints, n_layers]``, as of `LayerSimilarity`.
    """

    beside: Beside
    values: tuple[tuple[float | None, ...], ...]
    by_chance: tuple[tuple[float | None, ...], ...] | None


@dataclass(frozen=True)
class SimilaritySeries(Result):
    """How the layers of a series of checkpoints come to be those of the last.

    Attributes:
      measure: the name in ``MEASURES``.
      title: what people call it.
      about: what it is, in a sentence or two.
      source: the paper that it is from; empty where there is none.
      checkpoints: ``[n_checkpoints]`` what they are called, in their order.
      layer_names: ``[n_layers]``, the same of all.
      split: the split whose rows were compared; None for activations that were given.
      n: how many rows.
      same_layers: beside the last, the first and the previous one.
      maps: ``[n_checkpoints]``: all layers of each (down) beside all layers of the last (across).
      notes: what a reader must know, in sentences.
    """

    measure: str
    title: str
    about: str
    source: str
    checkpoints: tuple[str, ...]
    layer_names: tuple[str, ...]
    split: str | None
    n: int
    same_layers: tuple[SameLayers, ...]
    maps: tuple[LayerSimilarity, ...]
    notes: tuple[str, ...]

    def table(self) -> str:
        """The similarity of each layer to the same layer of the last checkpoint, as text: a line for each checkpoint."""
        width = max(len("checkpoint"), *map(len, self.checkpoints))
        rows = f"{self.n:,} rows" if self.split is None else f"{self.n:,} {self.split} rows"
        lines = [
            f"{self.title} of each layer (across) and the same layer of {self.checkpoints[-1]} on {rows}",
            f"{'checkpoint':<{width}}" + "".join(f"{layer:>8}" for layer in range(len(self.layer_names))),
        ]
        for name, values in zip(self.checkpoints, self.same_layers[0].values, strict=True):
            lines.append(f"{name:<{width}}" + "".join(f"{'n/a' if value is None else f'{value:.3f}':>8}" for value in values))
        return "\n".join([*lines, self.about, *self.notes])

    def flat_rows(self) -> list[dict[str, Any]]:
        """A row for each pair of layers that was compared, as a table has it: of ``maps``, then the same layers beside others."""
        found = [{"beside": "last", **row} for one in self.maps for row in one.flat_rows()]
        for same in self.same_layers[1:]:
            for place, values in enumerate(same.values):
                if same.beside == "previous" and not place:
                    continue
                other = self.checkpoints[0 if same.beside == "first" else place - 1]
                found += [
                    {
                        "beside": same.beside,
                        "one": self.checkpoints[place],
                        "layer": layer,
                        "layer_name": name,
                        "other": other,
                        "other_layer": layer,
                        "other_layer_name": name,
                        "measure": self.measure,
                        "n": self.n,
                        "value": values[layer],
                        "by_chance": None if same.by_chance is None else same.by_chance[place][layer],
                    }
                    for layer, name in enumerate(self.layer_names)
                ]
        return found


def similarity_series(
    checkpoints: Sequence[Given] | Mapping[str, Given] | Mapping[int, Given],
    *,
    measure: str = "cka",
    split: SplitName | None = None,
    block_rows: int = BLOCK_ROWS,
    progress: Progress = no_progress,
) -> SimilaritySeries:
    """How alike the layers of each checkpoint are to those of the last, and to the same layers of the first and the one before.

    Raghu et al. (2017, https://arxiv.org/abs/1706.05806, section 4.1) and Morcos et al. (2018, https://arxiv.org/abs/1806.05759)
    read off such a series in which order layers settle. Memory grows with three checkpoints at a time, not with their number.

    Args:
      checkpoints: in their order, such as steps of training: studies, activations or arrays, as `layer_similarity` takes them; by
        their names or numbers, or called as their encoders.
      measure: a name in ``MEASURES``.
      split: of studies, the split whose rows are compared, as of `layer_similarity`.
      block_rows: so many rows are read at a time.
      progress: hears how far it is.

    Raises:
      LitProbeError: ``block_rows`` is no whole number above 0.
      UnknownNameError: there is no such measure or split.
      DatasetError: there are fewer than two checkpoints or four rows, or they have no rows in common, not equally many, or probes
        of other classes.
      EncoderError: they have other layers; numbers are not finite, or arrays have other shapes.
      UnservedError: probe directions are asked of what has no linear probes, or layers of probes that pool tokens themselves.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> end, noise = rng.normal(size=(2, 80, 2, 6))
    >>> found = similarity_series({f"step {i}": i * end + (4 - i) * noise for i in range(5)})
    >>> [f"{abs(layers[0]):.1f}" for layers in found.same_layers[0].values]
    ['0.0', '0.1', '0.5', '0.9', '1.0']
    """
    how = lookup(MEASURES, measure, "measure of similarity")
    given = [*(checkpoints.values() if isinstance(checkpoints, Mapping) else checkpoints)]
    if len(given) < 2:
        raise DatasetError(
            f"A series has two checkpoints or more, and there {'is 1' if given else 'are none'}. Name further ones."
        )
    by_name = isinstance(checkpoints, Mapping)
    names = [*map(str, checkpoints)] if by_name else [f"checkpoint {place}" for place in range(1, len(given) + 1)]
    sides = [side_of(one, how, split, name) for one, name in zip(given, names, strict=True)]
    names = names if by_name else _told_apart([side.name for side in sides], names)
    sides = [replace(side, name=name) for side, name in zip(sides, names, strict=True)]
    first = sides[0]
    for other in sides[1:]:
        if other.layer_names != first.layer_names:
            raise EncoderError(
                f"A series is of checkpoints with the same layers, and {first.name} has {_layers(first, other)} and "
                f"{other.name} {_layers(other, first)}. Compare such two with layer_similarity."
            )
    sides, told = on_common_rows(sides)
    n, n_layers = len(sides), len(first.layer_names)
    # Each prepared once; then maps beside the last, of which its own has each pair once, and twice the same layers.
    n_passes = 2 * n * n_layers + (n - 1) * n_layers**2 + n_layers * (n_layers - 1) // 2 + 2 * (n - 1) * n_layers
    used = (split or how.split) if any(isinstance(one, LayerStudy) for one in given) else None
    comparing = Comparing.of(measure, sides[0].n, used, n_passes, block_rows, progress)
    last = comparing.prepared(sides[-1])
    maps: list[LayerSimilarity] = []
    same: dict[Beside, list[_Row]] = {"last": [], "first": [], "previous": []}
    beginning = previous = None
    notes: list[str] = [*told]
    for place, side in enumerate(sides):
        current = last if place == n - 1 else comparing.prepared(side)
        maps.append(comparing.beside(current, last))
        beginning = beginning or current
        same["last"].append(_diagonal(maps[-1]))
        same["first"].append(_same_layers(comparing, current, beginning))
        same["previous"].append(_none(n_layers) if previous is None else _same_layers(comparing, current, previous))
        notes += flat_notes(current)
        previous = current
    n_saturated = sum(one.n_saturated for one in maps)
    n_pairs = (n - 1) * n_layers**2 + n_layers * (n_layers - 1) // 2
    notes += saturated_notes(how, n_saturated, n_pairs, sides[0].n)
    return SimilaritySeries(
        measure,
        how.title,
        how.about,
        how.source,
        tuple(side.name for side in sides),
        first.layer_names,
        used,
        sides[0].n,
        tuple(
            SameLayers(beside, tuple(values for values, _ in rows), tuple(chance for _, chance in rows) if how.keeps else None)
            for beside, rows in same.items()
        ),
        tuple(maps),
        tuple(notes),
    )


# The values of the layers, and what chance would give.
_Row = tuple[tuple[float | None, ...], tuple[float | None, ...]]


def _same_layers(comparing: Comparing, one: PreparedSide, other: PreparedSide) -> _Row:
    pairs = [*zip(one.layers, other.layers, strict=True)]
    chance = [comparing.by_chance(left, right) if comparing.how.keeps else None for left, right in pairs]
    return tuple(comparing.similarity(left, right) for left, right in pairs), tuple(chance)


def _diagonal(found: LayerSimilarity) -> _Row:
    places = range(len(found.values))
    chance = found.by_chance
    return tuple(found.values[i][i] for i in places), tuple(None if chance is None else chance[i][i] for i in places)


def _none(n_layers: int) -> _Row:
    return (None,) * n_layers, (None,) * n_layers


def _told_apart(names: Sequence[str], places: Sequence[str]) -> list[str]:
    """The names, with their place where others are called alike."""
    return [name if names.count(name) == 1 else f"{name} ({place})" for name, place in zip(names, places, strict=True)]


def _layers(one: Side, other: Side) -> str:
    """How many layers it has; where the other has as many, the first that is called otherwise."""
    n = len(one.layer_names)
    if n != len(other.layer_names):
        return "1 layer" if n == 1 else f"{n} layers"
    return next(repr(name) for name, beside in zip(one.layer_names, other.layer_names, strict=True) if name != beside)
