"""Which layers say the same: each layer of an encoder beside each other one, or those of another encoder, on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.data.labelled_texts import LabelledTexts, SplitName
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.vector_encoder import as_array
from lit_probe.errors import DatasetError, EncoderError, UnservedError
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.views.layer_rows import LayerRows, Read, activation_reader, row_blocks
from lit_probe.views.similarity_measures import LEAST_ROWS, MEASURES, Measure, Products

BLOCK_ROWS = 1_024


@dataclass(frozen=True)
class ComparedLayers(Result):
    """One side of a comparison.

    Attributes:
      name: what the encoder, or the activations, are called.
      layer_names: ``[n_layers]``.
      kept: ``[n_layers]`` how many directions of each layer were compared, None of a layer that does not vary; None for measures
        that reduce nothing.
    """

    name: str
    layer_names: tuple[str, ...]
    kept: tuple[int | None, ...] | None


@dataclass(frozen=True)
class LayerSimilarity(Result):
    """How alike layers are.

    Attributes:
      measure: the name in ``MEASURES``.
      title: what people call it.
      about: what it is, in a sentence or two.
      source: the paper that it is from; empty where there is none.
      one: whose layers are the rows of ``values``.
      other: whose layers are its columns; equal to ``one`` where an encoder is compared with itself.
      split: the split whose rows were compared; None for activations that were given.
      n: how many rows.
      values: ``[n_layers, n_other_layers]``: 1 for alike; from 0, of CKA and of probe directions from -1. None where a layer does
        not vary.
      by_chance: ``[n_layers, n_other_layers]``: about what layers with nothing in common would have, where so many rows have
        no mean of 0 by chance. The root mean square of the canonical correlations of random directions, √(k / (n - 1)) where the
        layer with more of them has k; 1 where there are not enough rows to tell anything. None for measures that take chance off.
      n_saturated: how many pairs of layers have so many directions that some correlations are 1 whatever the layers hold.
      notes: what a reader must know, in sentences.
    """

    measure: str
    title: str
    about: str
    source: str
    one: ComparedLayers
    other: ComparedLayers
    split: str | None
    n: int
    values: tuple[tuple[float | None, ...], ...]
    by_chance: tuple[tuple[float | None, ...], ...] | None
    n_saturated: int
    notes: tuple[str, ...]

    def table(self) -> str:
        """The values as text: a line for each layer of ``one``, a column for each of ``other``."""
        width = max(5, len(str(len(self.values) - 1)))
        rows = f"{self.n:,} rows" if self.split is None else f"{self.n:,} {self.split} rows"
        lines = [
            f"{self.title} of the layers of {self.one.name} (down) and of {self.other.name} (across) on {rows}",
            f"{'layer':>{width}}" + "".join(f"{layer:>8}" for layer in range(len(self.other.layer_names))),
        ]
        for layer, values in enumerate(self.values):
            cells = "".join(f"{'n/a' if value is None else f'{value:.3f}':>8}" for value in values)
            lines.append(f"{layer:>{width}}{cells}")
        return "\n".join([*lines, self.about, *self.notes])

    def flat_rows(self) -> list[dict[str, Any]]:
        """A row for each pair of layers, as a table has it."""
        chance = self.by_chance or [[None] * len(self.other.layer_names)] * len(self.values)
        return [
            {
                "one": self.one.name,
                "layer": layer,
                "layer_name": self.one.layer_names[layer],
                "other": self.other.name,
                "other_layer": other,
                "other_layer_name": self.other.layer_names[other],
                "measure": self.measure,
                "n": self.n,
                "value": value,
                "by_chance": chance[layer][other],
            }
            for layer, values in enumerate(self.values)
            for other, value in enumerate(values)
        ]


@dataclass(frozen=True, eq=False)
class Side:
    """What is compared of one encoder.

    Attributes:
      name: what it is called.
      layer_names: ``[n_layers]``.
      readers: ``[n_layers]``, each reads rows of one layer.
      n: how many rows there are.
      rows: the texts or words that they are, so that two encoders are compared on the same; None where the order says so.
      classes: the classes of the probes whose scores are read; None where vectors are read.
    """

    name: str
    layer_names: tuple[str, ...]
    readers: tuple[Read, ...]
    n: int
    rows: LabelledTexts | None = None
    classes: tuple[str, ...] | None = None

    def at(self, chosen: NDArray[np.int64]) -> Side:
        """Those of the rows at ``chosen``, in that order."""

        def taking(read: Read) -> Read:
            return lambda positions: read(chosen[positions])

        return Side(self.name, self.layer_names, tuple(map(taking, self.readers)), len(chosen), None, self.classes)


def layer_similarity(
    one: LayerStudy | Activations | ArrayLike | Mapping[str, ArrayLike],
    other: LayerStudy | Activations | ArrayLike | Mapping[str, ArrayLike] | None = None,
    *,
    measure: str = "cka",
    split: SplitName | None = None,
    block_rows: int = BLOCK_ROWS,
    progress: Progress = no_progress,
) -> LayerSimilarity:
    """How alike each layer of one encoder is to each other layer, or to each layer of another encoder, on the same rows.

    Nothing is fitted to labels but by the probes of ``probe_cosine``. Rows are read in blocks: memory grows with the number of
    layers and with their width, and not with the number of rows.

    - ``cka``: linear centred kernel alignment (Kornblith et al. 2019, https://arxiv.org/abs/1905.00414), debiased (Nguyen et al.
      2021, https://arxiv.org/abs/2010.15327) by the unbiased estimate of Song et al. (2012,
      https://jmlr.org/papers/v13/song12a.html). From -1 to 1, with mean 0 for layers that have nothing to do with each other. It
      does not see rotations, moves or one scale for all units.
    - ``svcca``: the mean canonical correlation of the directions that hold 99 % of each layer's variance (Raghu et al. 2017,
      https://arxiv.org/abs/1706.05806). From 0 to 1.
    - ``pwcca``: canonical correlations of all directions, weighted by how much of a layer's units each holds (Morcos et al. 2018,
      https://arxiv.org/abs/1806.05759), the mean over the weights of both layers, so that it is the same both ways. Where units
      are many, to about six digits. From 0 to 1.
    - ``probe_cosine``: the cosine between the directions of two linear probes. Two layers have no coordinates in common, so they
      are set side by side to one space, which is whitened by their common covariance on these rows. There the cosine is the
      correlation of the probes' scores (their logits, less the mean over classes). Of several classes it is the mean over the
      classes of the cosine of each; classes that a probe never tells from others are left out. From -1 to 1.

    Args:
      one: a study; activations; ``[n_examples, n_layers, d_model]`` numbers, ``[n_examples, d_model]`` of one layer, or such of
        each layer by its name.
      other: another one; None to compare layers of ``one`` among themselves. Of two studies the rows that both have are
        compared; of anything else, rows are the same by their order.
      measure: a name in ``MEASURES``.
      split: of a study, the split whose rows are compared: by default train, which has most; for ``probe_cosine`` dev, since on
        train probes have learnt the same labels.
      block_rows: so many rows are read at a time.
      progress: hears how far it is.

    Raises:
      UnknownNameError: there is no such measure or split.
      DatasetError: there are fewer than four rows, or the two have none in common, not equally many, or probes of other classes.
      EncoderError: numbers are not finite, or arrays have other shapes.
      UnservedError: probe directions are asked of what has no linear probes, or layers of probes that pool tokens themselves.

    >>> rng = np.random.default_rng(0)
    >>> early = rng.normal(size=(50, 8))
    >>> turned = early @ np.linalg.qr(rng.normal(size=(8, 8)))[0]
    >>> found = layer_similarity({"early": early, "turned": 3 * turned, "other": rng.normal(size=(50, 8))})
    >>> [round(value, 2) for value in found.values[0][:2]], abs(found.values[0][2]) < 0.1
    ([1.0, 1.0], True)
    """
    how = lookup(MEASURES, measure, "measure of similarity")
    first = side_of(one, how, split, "first")
    second = first if other is None else side_of(other, how, split, "second")
    if first is not second:
        first, second, told = _on_common_rows(first, second)
    else:
        told = []
    used = (split or how.split) if isinstance(one, LayerStudy) else None
    return compare_sides(first, second, measure, split=used, told=told, block_rows=block_rows, progress=progress)


def with_random_weights(
    study: LayerStudy, *, split: SplitName | None = None, measure: str = "cka", cache: Cache | None = None, progress: Progress
) -> Side:
    """The same architecture with weights that were never trained, on the study's rows.

    They are drawn by the study's seed or, where the encoder's own were, by the next one.

    Raises:
      EncoderError: there is no network whose weights could be drawn.
      UnservedError: the measure is about probes, which random weights have none of here.
    """
    how = lookup(MEASURES, measure, "measure of similarity")
    if how.reads == "probes":
        raise UnservedError(
            "Random weights have no probes here. Name the encoder once more with random weights, as "
            "--model=NAME,NAME[weights=random] does, and compare with that model."
        )
    study.check_pooled("Similarity of layers")
    own = study.encoder.random_seed == study.seed
    twin = study.encoder.randomised(study.seed + own)
    rows = _rows_of(study, split or how.split)
    read = (cache or Cache(None)).activations(twin, rows.texts, study.pooling, spans=rows.spans, progress=progress)
    return _side(f"{study.encoder.name} with {'other ' if own else ''}random weights", tuple(study.layer_names), read, rows)


def side_of(
    given: LayerStudy | Activations | ArrayLike | Mapping[str, ArrayLike],
    how: Measure,
    split: SplitName | None,
    name: str,
) -> Side:
    """What is compared of one thing; arguments and errors as of `layer_similarity`. ``name`` is for what has none."""
    if isinstance(given, LayerStudy):
        given.check_pooled("Similarity of layers")
        rows = _rows_of(given, split or how.split)
        activations = given.activations[split or how.split]
        if how.reads == "vectors":
            return _side(given.encoder.name, tuple(given.layer_names), activations, rows)
        return _side_of_probes(given, activations, rows)
    if how.reads == "probes":
        raise UnservedError("Probe directions are compared of studies, which have probes: give what probe_layers returns.")
    if isinstance(given, Activations):
        return _side(name, tuple(f"layer {layer}" for layer in range(given.n_layers)), given, None)
    layers = _by_layer(given, name)
    return Side(name, tuple(layers), tuple(map(_array_reader, layers.values())), len(next(iter(layers.values()))))


def compare_sides(
    one: Side,
    other: Side,
    measure: str,
    *,
    split: str | None,
    told: Sequence[str] = (),
    block_rows: int = BLOCK_ROWS,
    progress: Progress = no_progress,
) -> LayerSimilarity:
    """The similarity of two sides on rows that are the same by their order; the same object twice for layers among themselves.

    Raises:
      DatasetError: there are fewer than four rows.
      EncoderError: numbers are not finite.
    """
    how = MEASURES[measure]
    if one.n < LEAST_ROWS:
        rows = "1 row" if one.n == 1 else f"{one.n:,} rows"
        raise DatasetError(f"Layers are compared on {LEAST_ROWS} rows or more, and there are {rows}. Take more texts.")
    within = one is other
    n_one, n_other = len(one.readers), len(other.readers)
    # Every layer is read twice by itself, and once with each other one.
    n_passes = 2 * n_one + n_one * (n_one - 1) // 2 if within else 2 * (n_one + n_other) + n_one * n_other
    report = _counted(progress, n_passes * -(-one.n // block_rows))
    # BLAS keeps to one thread, so that digits do not depend on cores; probes that are fitted meanwhile would change it midway.
    with fitting_scope:
        first = [_Layer.of(one, layer, how, block_rows, report) for layer in range(n_one)]
        second = first if within else [_Layer.of(other, layer, how, block_rows, report) for layer in range(n_other)]
        values: list[list[float | None]] = [[None] * n_other for _ in first]
        for i, left in enumerate(first):
            for j, right in enumerate(second):
                if within and j < i:
                    values[i][j] = values[j][i]
                elif within and i == j:
                    values[i][j] = left.with_itself
                else:
                    values[i][j] = left.beside(right, how, one.n, block_rows, report)
    sides = [_compared(one, first, how), _compared(other, second, how)]
    chance = _by_chance(sides[0].kept, sides[1].kept, one.n) if how.keeps else None
    pairs = [(i, j) for i in range(n_one) for j in range(n_other) if not within or i < j]
    n_saturated = sum(_saturated(first[i].n_kept, second[j].n_kept, one.n) for i, j in pairs) if how.keeps else 0
    notes = [*told, *_notes(one, first), *([] if within else _notes(other, second))]
    if n_saturated:
        notes.append(
            f"{n_saturated:,} of {len(pairs):,} pairs of layers have more directions between them than {one.n:,} rows can tell "
            f"apart: there {how.title} is too high, up to 1 of anything. Take CKA, or more rows."
        )
    return LayerSimilarity(
        measure,
        how.title,
        how.about,
        how.source,
        sides[0],
        sides[1],
        split,
        one.n,
        tuple(map(tuple, values)),
        chance,
        n_saturated,
        tuple(notes),
    )


@dataclass(frozen=True, eq=False)
class _Layer:
    """One layer as it is compared: its rows, and what the measure keeps of them; None where it does not vary."""

    rows: LayerRows
    kept: Any
    with_itself: float | None

    @classmethod
    def of(cls, side: Side, layer: int, how: Measure, block_rows: int, report: Callable[[], None]) -> _Layer:
        told = f"Layer {side.layer_names[layer]!r} of {side.name}"
        rows = LayerRows.of(told, side.readers[layer], side.n, block_rows, report)
        if not rows.scale:
            _skip(side.n, block_rows, report)
            return cls(rows, None, None)
        own = _products(rows, rows, side.n, block_rows, report)
        kept = how.prepare(own)
        return cls(rows, kept, None if kept is None else how.compare(kept, kept, own))

    def beside(self, other: _Layer, how: Measure, n: int, block_rows: int, report: Callable[[], None]) -> float | None:
        if self.kept is None or other.kept is None:
            _skip(n, block_rows, report)
            return None
        found: float | None = how.compare(self.kept, other.kept, _products(self.rows, other.rows, n, block_rows, report))
        return found

    @property
    def n_kept(self) -> int | None:
        return None if self.kept is None else len(self.kept.sizes)


def _products(one: LayerRows, other: LayerRows, n: int, block_rows: int, report: Callable[[], None]) -> Products:
    cross, norms = np.zeros((len(one.mean), len(other.mean))), 0.0
    for positions in row_blocks(n, block_rows):
        left = one.centred(positions)
        right = left if one is other else other.centred(positions)
        cross += left.T @ right
        norms += float(np.square(left).sum(axis=1) @ np.square(right).sum(axis=1))
        report()
    return Products(cross, norms, n)


def _skip(n: int, block_rows: int, report: Callable[[], None]) -> None:
    for _ in row_blocks(n, block_rows):
        report()


def _counted(progress: Progress, total: int) -> Callable[[], None]:
    """What is called after each of so many parts."""
    done = 0
    progress(done, total)

    def report() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    return report


def _compared(side: Side, layers: Sequence[_Layer], how: Measure) -> ComparedLayers:
    return ComparedLayers(side.name, side.layer_names, tuple(one.n_kept for one in layers) if how.keeps else None)


def _by_chance(
    one: Sequence[int | None] | None, other: Sequence[int | None] | None, n: int
) -> tuple[tuple[float | None, ...], ...]:
    def of(left: int | None, right: int | None) -> float | None:
        return None if left is None or right is None else min(1.0, float(np.sqrt(max(left, right) / (n - 1))))

    return tuple(tuple(of(left, right) for right in other or ()) for left in one or ())


def _saturated(one: int | None, other: int | None, n: int) -> bool:
    """Whether the directions of both fill the n - 1 dimensions of centred rows, so that they must share some."""
    return one is not None and other is not None and one + other > n - 1


def _notes(side: Side, layers: Sequence[_Layer]) -> list[str]:
    flat = [name for name, layer in zip(side.layer_names, layers, strict=True) if layer.kept is None]
    if not flat:
        return []
    what = f"Layer {flat[0]}" if len(flat) == 1 else f"{len(flat)} layers"
    verb, it = ("does", "it") if len(flat) == 1 else ("do", "them")
    return [f"{what} of {side.name} {verb} not vary on these rows, so nothing can be compared with {it}."]


def _on_common_rows(one: Side, other: Side) -> tuple[Side, Side, list[str]]:
    """Both on the rows that both have, and what has to be said of it."""
    if one.classes != other.classes:
        raise DatasetError(
            f"The probes of {one.name} and {other.name} tell other classes apart, so their directions are not alike."
        )
    if one.rows is None and other.rows is None:
        if one.n != other.n:
            raise DatasetError(
                f"The two have {one.n:,} and {other.n:,} rows, and layers are compared on the same rows: give both the same "
                "examples in the same order."
            )
        return one, other, []
    if one.rows is None or other.rows is None:
        raise DatasetError("A study is compared with another study: of activations alone nobody knows which rows they are of.")
    left, right = _keys(one.rows), _keys(other.rows)
    if left == right:
        return one, other, []
    place = {key: position for position, key in reversed([*enumerate(right)])}
    common = {key: position for position, key in reversed([*enumerate(left)]) if key in place}
    if not common:
        raise DatasetError(
            f"{one.name} and {other.name} have no rows in common, and layers are compared on the same rows. Compare encoders "
            "that have read the same data set."
        )
    keys = sorted(common, key=common.__getitem__)
    told = [f"{len(keys):,} rows that both have are compared, of {one.n:,} of {one.name} and {other.n:,} of {other.name}."]
    return (
        one.at(np.array([common[key] for key in keys])),
        other.at(np.array([place[key] for key in keys])),
        told,
    )


def _keys(rows: LabelledTexts) -> list[tuple[str, int, int]]:
    """Which text each row is, or which word of which text."""
    if rows.spans is None:
        return [(text, 0, 0) for text in rows.texts]
    return [(text, int(start), int(end)) for text, (start, end) in zip(rows.texts, rows.spans, strict=True)]


def _rows_of(study: LayerStudy, split: SplitName) -> LabelledTexts:
    return lookup(dict(study.splits.items()), split, "split")


def _side(name: str, layer_names: tuple[str, ...], activations: Activations, rows: LabelledTexts | None) -> Side:
    readers = tuple(activation_reader(activations, layer) for layer in range(activations.n_layers))
    return Side(name, layer_names, readers, len(activations), rows)


def _side_of_probes(study: LayerStudy, activations: Activations, rows: LabelledTexts) -> Side:
    """The scores of each layer's probe: what tells its classes apart, or its number."""
    if any(len(probe.layers) > 1 for probe in study.layerwise.probes):
        raise UnservedError(
            f"Probes of kind {study.layerwise.kind!r} are not linear and have no direction. Take linear ones, such as logistic."
        )

    def reader(layer: int) -> Read:
        read, probe = activation_reader(activations, layer), study.layerwise.probes[layer]

        def scores(positions: NDArray[np.int64]) -> NDArray[np.generic]:
            logits = probe.logits(read(positions))
            return logits - logits.mean(axis=1, keepdims=True) if probe.n_classes else logits

        return scores

    readers = tuple(map(reader, range(activations.n_layers)))
    return Side(study.encoder.name, tuple(study.layer_names), readers, len(activations), rows, tuple(study.splits.label_names))


def _by_layer(given: ArrayLike | Mapping[str, ArrayLike], name: str) -> dict[str, NDArray[Any]]:
    if isinstance(given, Mapping):
        layers = {str(layer): as_array(values) for layer, values in given.items()}
    else:
        array = as_array(given)
        array = array[:, None] if array.ndim == 2 else array
        if array.ndim != 3:
            raise EncoderError(
                f"The {name} activations have the shape {list(array.shape)}, where [examples, layers, width] is needed, or an "
                "array for each layer by its name."
            )
        layers = {f"layer {layer}": array[:, layer] for layer in range(array.shape[1])}
    if not layers:
        raise EncoderError(f"The {name} activations have no layers. Give an array for each.")
    for layer, values in layers.items():
        if values.dtype.kind not in "fiub":
            raise EncoderError(f"Layer {layer!r} of the {name} activations holds {values.dtype}, and numbers are compared.")
        if values.ndim != 2 or not values.shape[1]:
            raise EncoderError(
                f"Layer {layer!r} of the {name} activations has the shape {list(values.shape)}, and needs [examples, width]."
            )
    if len(lengths := {len(values) for values in layers.values()}) > 1:
        counts = " and ".join(f"{length:,}" for length in sorted(lengths))
        raise DatasetError(f"The layers of the {name} activations have {counts} rows, and need one for each example.")
    return layers


def _array_reader(values: NDArray[Any]) -> Read:
    def read(positions: NDArray[np.int64]) -> NDArray[np.generic]:
        found: NDArray[np.generic] = values[positions]
        return found

    return read
