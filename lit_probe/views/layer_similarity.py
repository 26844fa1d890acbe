"""Which layers say the same: each layer of an encoder beside each other one, or those of another encoder, on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lit_probe.data.labelled_texts import SplitName
from lit_probe.encoder.activations import Activations
from lit_probe.errors import DatasetError, LitProbeError
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.views.compared_sides import Side, on_common_rows, side_of
from lit_probe.views.layer_rows import LayerRows, row_blocks
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
        [first, second], told = on_common_rows([first, second])
    else:
        told = []
    used = (split or how.split) if isinstance(one, LayerStudy) else None
    return compare_sides(first, second, measure, split=used, told=told, block_rows=block_rows, progress=progress)


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
    within = one is other
    n_one, n_other = len(one.readers), len(other.readers)
    # Every layer is read twice by itself, and once with each other one.
    n_passes = 2 * n_one + n_one * (n_one - 1) // 2 if within else 2 * (n_one + n_other) + n_one * n_other
    comparing = Comparing.of(measure, one.n, split, n_passes, block_rows, progress)
    first = comparing.prepared(one)
    return comparing.beside(first, first if within else comparing.prepared(other), told)


@dataclass(frozen=True, eq=False)
class PreparedLayer:
    """One layer as it is compared.

    Attributes:
      rows: its vectors.
      kept: what the measure keeps of them; None where it does not vary.
      with_itself: how alike it is to itself.
    """

    rows: LayerRows
    kept: Any
    with_itself: float | None

    @property
    def n_kept(self) -> int | None:
        """How many directions of it are compared; None where it does not vary."""
        return None if self.kept is None else len(self.kept.sizes)


@dataclass(frozen=True, eq=False)
class PreparedSide:
    """A side, and each of its layers as it is compared."""

    side: Side
    layers: tuple[PreparedLayer, ...]


@dataclass(frozen=True, eq=False)
class Comparing:
    """Sides on the same rows, compared by one measure.

    Attributes:
      measure: its name in ``MEASURES``.
      n: the number of rows.
      split: the split that they are of.
      block_rows: so many are read at a time.
      report: called after each block.
    """

    measure: str
    n: int
    split: str | None
    block_rows: int
    report: Callable[[], None]

    @classmethod
    def of(cls, measure: str, n: int, split: str | None, n_passes: int, block_rows: int, progress: Progress) -> Comparing:
        """Before the first pass, of ``n_passes`` over the rows of a layer or of two.

        Raises:
          LitProbeError: ``block_rows`` is no whole number above 0.
          DatasetError: there are fewer than four rows.
        """
        if not isinstance(block_rows, int) or isinstance(block_rows, bool) or block_rows < 1:
            raise LitProbeError(f"block_rows is {block_rows!r}; give a whole number, 1 or more.")
        if n < LEAST_ROWS:
            rows = "1 row" if n == 1 else f"{n:,} rows"
            raise DatasetError(f"Layers are compared on {LEAST_ROWS} rows or more, and there are {rows}. Take more texts.")
        return cls(measure, n, split, block_rows, _counted(progress, n_passes * -(-n // block_rows)))

    @property
    def how(self) -> Measure:
        """The measure."""
        return MEASURES[self.measure]

    def prepared(self, side: Side) -> PreparedSide:
        """What the measure keeps of each layer: two passes over each.

        Raises:
          EncoderError: numbers are not finite.
        """
        # BLAS keeps to one thread, so that digits do not depend on cores; probes fitted meanwhile would change it midway.
        with fitting_scope:
            return PreparedSide(side, tuple(self._prepared(side, layer) for layer in range(len(side.readers))))

    def _prepared(self, side: Side, layer: int) -> PreparedLayer:
        told = f"Layer {side.layer_names[layer]!r} of {side.name}"
        rows = LayerRows.of(told, side.readers[layer], self.n, self.block_rows, self.report)
        if not rows.scale:
            self._skip()
            return PreparedLayer(rows, None, None)
        own = self._products(rows, rows)
        kept = self.how.prepare(own)
        return PreparedLayer(rows, kept, None if kept is None else self.how.compare(kept, kept, own))

    def beside(self, one: PreparedSide, other: PreparedSide, told: Sequence[str] = ()) -> LayerSimilarity:
        """All layers of both: a pass over each pair, and over each pair once where a side is compared with itself."""
        within, first, second = one is other, one.layers, other.layers
        values: list[list[float | None]] = [[None] * len(second) for _ in first]
        with fitting_scope:
            for i, left in enumerate(first):
                for j, right in enumerate(second):
                    values[i][j] = values[j][i] if within and j < i else self.similarity(left, right)
        how, sides = self.how, [_compared(one, self.how), _compared(other, self.how)]
        pairs = [(left, right) for i, left in enumerate(first) for j, right in enumerate(second) if not within or i < j]
        n_saturated = sum(_saturated(left.n_kept, right.n_kept, self.n) for left, right in pairs) if how.keeps else 0
        notes = [*told, *flat_notes(one), *([] if within else flat_notes(other))]
        return LayerSimilarity(
            self.measure,
            how.title,
            how.about,
            how.source,
            sides[0],
            sides[1],
            self.split,
            self.n,
            tuple(map(tuple, values)),
            tuple(tuple(self.by_chance(left, right) for right in second) for left in first) if how.keeps else None,
            n_saturated,
            (*notes, *saturated_notes(how, n_saturated, len(pairs), self.n)),
        )

    def similarity(self, left: PreparedLayer, right: PreparedLayer) -> float | None:
        """How alike two layers are: a pass over both, and none of a layer beside itself."""
        if left is right:
            return left.with_itself
        if left.kept is None or right.kept is None:
            self._skip()
            return None
        with fitting_scope:
            return self.how.compare(left.kept, right.kept, self._products(left.rows, right.rows))

    def by_chance(self, left: PreparedLayer, right: PreparedLayer) -> float | None:
        """What two such layers with nothing in common would have, of a measure that keeps directions; see `LayerSimilarity`."""
        if left.n_kept is None or right.n_kept is None:
            return None
        return min(1.0, float(np.sqrt(max(left.n_kept, right.n_kept) / (self.n - 1))))

    def _products(self, one: LayerRows, other: LayerRows) -> Products:
        cross, norms = np.zeros((len(one.mean), len(other.mean))), 0.0
        for positions in row_blocks(self.n, self.block_rows):
            left = one.centred(positions)
            right = left if one is other else other.centred(positions)
            cross += left.T @ right
            norms += float(np.square(left).sum(axis=1) @ np.square(right).sum(axis=1))
            self.report()
        return Products(cross, norms, self.n)

    def _skip(self) -> None:
        for _ in row_blocks(self.n, self.block_rows):
            self.report()


def _counted(progress: Progress, total: int) -> Callable[[], None]:
    """What is called after each of so many parts."""
    done = 0
    progress(done, total)

    def report() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    return report


def _compared(one: PreparedSide, how: Measure) -> ComparedLayers:
    kept = tuple(layer.n_kept for layer in one.layers) if how.keeps else None
    return ComparedLayers(one.side.name, one.side.layer_names, kept)


def _saturated(one: int | None, other: int | None, n: int) -> bool:
    """Whether the directions of both fill the n - 1 dimensions of centred rows, so that they must share some."""
    return one is not None and other is not None and one + other > n - 1


def saturated_notes(how: Measure, n_saturated: int, n_pairs: int, n: int) -> list[str]:
    """What has to be said of pairs of layers with more directions than rows; nothing where there are none."""
    if not n_saturated:
        return []
    return [
        f"{n_saturated:,} of {n_pairs:,} pairs of layers have more directions between them than {n:,} rows can tell "
        f"apart: there {how.title} is too high, up to 1 of anything. Take CKA, or more rows."
    ]


def flat_notes(one: PreparedSide) -> list[str]:
    """What has to be said of layers that do not vary; nothing where there are none."""
    flat = [name for name, layer in zip(one.side.layer_names, one.layers, strict=True) if layer.kept is None]
    if not flat:
        return []
    what = f"Layer {flat[0]}" if len(flat) == 1 else f"{len(flat)} layers"
    verb, it = ("does", "it") if len(flat) == 1 else ("do", "them")
    return [f"{what} of {one.side.name} {verb} not vary on these rows, so nothing can be compared with {it}."]
