"""Every layer as a picture in two dimensions: fitted to rows of train, with any rows placed in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import SplitName
from lit_probe.data.seeds import checked_seed
from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.probing.layerwise import LayeredActivations
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress, of_part
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.views.planes import PERPLEXITY, WAYS, FitQuestion, FittedPlane, Way, bounded_perplexity, check_finite, checked_rows

# So many rows are drawn where nobody says which.
MAX_ROWS = 5_000
# Trustworthiness compares the neighbours of so many of the placed rows, among so many nearest ones.
TRUST_ROWS, TRUST_NEIGHBORS = 1_000, 15


@dataclass(frozen=True)
class LayerPicture(Result):
    """One layer's picture.

    Attributes:
      layer: its number.
      name: what the layer is called.
      xy: ``[n_rows, 2]`` where each row stands; empty where there is no picture.
      axes: what the two axes are, in words; None where they mean nothing, as in t-SNE and UMAP.
      explained: the share of the variance of the fitted rows that the picture holds, 0 to 1; of NMF, of the squares of what
        stands above the mean; None where not defined.
      trustworthiness: whether neighbours in the picture are neighbours at the layer, 0 to 1, where 1 is always and about 0.5 is
        chance (Venna and Kaski 2001; 15 neighbours); None where it is not measured: for other ways, or fewer than 31 rows.
      reason: why there is no picture, in a sentence; empty where there is one.
    """

    layer: int
    name: str
    xy: NDArray[np.float64]
    axes: tuple[str, str] | None
    explained: float | None
    trustworthiness: float | None
    reason: str


@dataclass(frozen=True)
class Pictures(Result):
    """The pictures of all layers, with the same rows in each.

    Attributes:
      encoder: the encoder's name.
      dataset: the name of the data set that they are fitted to.
      method: the name of the way.
      title: what it is called.
      reading: how to read the pictures, and how not to.
      n_fitted: how many rows of train they are fitted to.
      n_train: how many there are.
      perplexity: how many neighbours t-SNE minds; None of other ways.
      seed: the seed of everything random.
      n_trusted: of how many rows the trustworthiness is; 0 where it is not measured.
      layers: one for each layer.
    """

    encoder: str
    dataset: str
    method: str
    title: str
    reading: str
    n_fitted: int
    n_train: int
    perplexity: float | None
    seed: int
    n_trusted: int
    layers: tuple[LayerPicture, ...]


@dataclass(frozen=True, eq=False)
class Projections:
    """Fitted planes of the layers of a study: they place any rows. `fit_projections` makes them.

    Attributes:
      method: the name of the way in `WAYS`.
      encoder: the encoder's name.
      dataset: the name of the data set that they are fitted to.
      layers: the numbers of the layers.
      names: what the layers are called.
      planes: the plane of each layer, or the sentence that says why there is none.
      n_fitted: how many rows of train they are fitted to.
      n_train: how many there are.
      perplexity: how many neighbours t-SNE minds; None of other ways.
      seed: the seed of everything random.
    """

    method: str
    encoder: str
    dataset: str
    layers: tuple[int, ...]
    names: tuple[str, ...]
    planes: tuple[FittedPlane | str, ...]
    n_fitted: int
    n_train: int
    perplexity: float | None
    seed: int

    @property
    def way(self) -> Way:
        """What they were fitted by."""
        return WAYS[self.method]

    def n_trusted(self, n_rows: int) -> int:
        """Of how many of so many rows the trustworthiness is measured."""
        return min(n_rows, TRUST_ROWS) if self.way.keeps_neighbours and n_rows > 2 * TRUST_NEIGHBORS else 0

    def pictures(self, rows: LayeredActivations, *, trust: bool = True, progress: Progress = no_progress) -> Pictures:
        """Where rows stand at every layer. A row stands where it would alone.

        Args:
          rows: their activations, of all layers of the study.
          trust: whether the trustworthiness is measured, where the way asks for it.
          progress: hears how many of the layers are done.
        """
        trusted = (
            _sample(len(rows), TRUST_ROWS, self.seed) if trust and self.way.keeps_neighbours else np.zeros(0, dtype=np.int64)
        )
        if len(trusted) <= 2 * TRUST_NEIGHBORS:
            trusted = trusted[:0]
        found = []
        for done, (layer, name, plane) in enumerate(zip(self.layers, self.names, self.planes, strict=True)):
            progress(done, len(self.layers))
            found.append(_picture(layer, name, plane, rows, trusted))
        progress(len(self.layers), len(self.layers))
        return Pictures(
            self.encoder,
            self.dataset,
            self.method,
            self.way.title,
            self.way.reading,
            self.n_fitted,
            self.n_train,
            self.perplexity,
            self.seed,
            len(trusted),
            tuple(found),
        )


def _picture(
    layer: int, name: str, plane: FittedPlane | str, rows: LayeredActivations, trusted: NDArray[np.int64]
) -> LayerPicture:
    nothing = np.zeros((0, 2))
    if isinstance(plane, str):
        return LayerPicture(layer, name, nothing, None, None, None, plane)
    x = rows.layer(layer)
    try:
        check_finite(x)
    except LitProbeError as error:
        return LayerPicture(layer, name, nothing, None, None, None, str(error))
    xy = plane.plane.place(x)
    trust = _trustworthiness(x[trusted], xy[trusted]) if len(trusted) else None
    return LayerPicture(layer, name, xy, plane.axes, plane.explained, trust, "")


def _trustworthiness(x: NDArray[Any], xy: NDArray[np.float64]) -> float:
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(x, xy, n_neighbors=TRUST_NEIGHBORS))


def fit_projections(
    study: LayerStudy,
    method: str = "pca",
    *,
    layers: Sequence[int] | None = None,
    seed: int = 0,
    perplexity: float = PERPLEXITY,
    progress: Progress = no_progress,
) -> Projections:
    """Planes for the layers of a study, fitted to rows of train: all of them, or a sample by ``seed`` where they are many.

    Args:
      study: fitted probes with their activations; rows may be words.
      method: ``pca``, ``tsne``, ``umap`` (with the extra ``umap``), ``probe`` or ``nmf``; see `WAYS`.
      layers: which ones; all when None.
      seed: the seed of everything random.
      perplexity: how many neighbours t-SNE minds; bounded by a third of the rows that it is fitted to.
      progress: hears how far it is.

    Raises:
      UnknownNameError: there is no such way or layer.
      UnservedError: the study's vectors were pooled for its labels.
      LitProbeError: the perplexity is no number above 1.
      CancelledError: ``progress`` ends it.
    """
    way = lookup(WAYS, method, "projection")
    seed = checked_seed(seed)
    study.check_pooled("A projection")
    if not (np.isfinite(perplexity) and perplexity > 1):
        raise LitProbeError(f"The perplexity must be a number above 1, not {perplexity}.")
    chosen = tuple(range(study.layerwise.n_layers)) if layers is None else tuple(layers)
    for layer in chosen:
        study.check_layer(layer)
    train = study.activations["train"]
    rows = _sample(len(train), way.max_rows, seed)
    planes: list[FittedPlane | str] = []
    before: NDArray[np.float64] | None = None
    for done, layer in enumerate(chosen):
        report = of_part(progress, 100 * done, 100 * (done + 1), 100 * len(chosen))
        report(0, 1)
        try:
            x = checked_rows(train.layer(layer)[rows], "rows of train")
            question = FitQuestion(
                x,
                study.layerwise.probes[layer],
                study.splits.target,
                study.splits.label_names,
                seed,
                perplexity,
                before,
                report,
            )
            plane = way.fit(question)
            before = plane.of_fitted
            planes.append(plane)
        except CancelledError:
            raise
        except LitProbeError as error:
            planes.append(str(error))
    progress(100 * len(chosen), 100 * len(chosen))
    return Projections(
        method,
        study.encoder.name,
        study.splits.name,
        chosen,
        tuple(study.layer_names[layer] for layer in chosen),
        tuple(planes),
        len(rows),
        len(train),
        bounded_perplexity(perplexity, len(rows)) if method == "tsne" else None,
        seed,
    )


@dataclass(frozen=True)
class ProjectedRows(Result):
    """Rows of a study in the pictures of all layers. `project` makes them.

    Attributes:
      pictures: the pictures; of their fields JSON has each by itself.
      splits: ``[n_rows]`` the split of each row.
      rows: ``[n_rows]`` which row of its split it is.
      labels: ``[n_rows]`` the index of its class, or its number.
      label_names: the classes; empty for a number.
    """

    pictures: Pictures
    splits: tuple[str, ...]
    rows: NDArray[np.int64]
    labels: NDArray[np.float64]
    label_names: tuple[str, ...]

    in_place: ClassVar[tuple[str, ...]] = ("pictures",)

    @property
    def layers(self) -> tuple[LayerPicture, ...]:
        """One picture for each layer."""
        return self.pictures.layers


def project(
    study: LayerStudy,
    method: str = "pca",
    *,
    rows: Mapping[SplitName, Sequence[int]] | None = None,
    layers: Sequence[int] | None = None,
    max_rows: int = MAX_ROWS,
    seed: int = 0,
    perplexity: float = PERPLEXITY,
    progress: Progress = no_progress,
) -> ProjectedRows:
    """Where rows of a study stand in two dimensions at every layer: fitted to train, shown for all.

    Use `fit_projections` to place vectors of your own. PCA and the probe's plane take a second; t-SNE and UMAP some seconds for
    every layer.

    Args:
      study: as of `fit_projections`, like all that is not named here.
      method: ``pca``, ``tsne``, ``umap``, ``probe`` or ``nmf``.
      rows: by split, which rows; all of all splits when None, or a sample by ``seed`` where they are more than ``max_rows``.
      layers: which ones; all when None.
      max_rows: how many rows are shown at most.
      seed: the seed of everything random.
      perplexity: how many neighbours t-SNE minds.
      progress: hears how far it is.

    Returns:
      For every layer ``xy`` ``[n_rows, 2]``, and for every row its split, its number there and its label. A layer without a
      picture (vectors that are all the same, that hold NaN, too few rows) has the ``reason`` in a sentence.

    Raises:
      LitProbeError: as `fit_projections`; or there is no such row.
    """
    seed = checked_seed(seed)
    chosen = _rows_of(study, rows, max_rows, seed)
    fitted = fit_projections(
        study, method, layers=layers, seed=seed, perplexity=perplexity, progress=of_part(progress, 0, 80, 100)
    )
    made = fitted.pictures(_Rows(study, chosen), progress=of_part(progress, 80, 100, 100))
    by_split = dict(study.splits.items())
    numbers = [np.asarray(picked, dtype=np.int64) for picked in chosen.values()]
    return ProjectedRows(
        pictures=made,
        splits=tuple(str(name) for name, picked in chosen.items() for _ in range(len(picked))),
        rows=np.concatenate(numbers),
        labels=np.concatenate([np.asarray(by_split[name].labels)[picked] for name, picked in chosen.items()]).astype(np.float64),
        label_names=study.splits.label_names,
    )


class _Rows:
    """Rows of several splits as one array for each layer, read when it is asked for."""

    def __init__(self, study: LayerStudy, chosen: Mapping[SplitName, NDArray[np.int64]]):
        self._study, self._chosen = study, chosen

    def __len__(self) -> int:
        return sum(map(len, self._chosen.values()))

    @property
    def n_layers(self) -> int:
        return self._study.layerwise.n_layers

    @property
    def widths(self) -> tuple[int, ...]:
        return self._study.activations["train"].widths

    def layer(self, index: int) -> NDArray[np.float32]:
        return np.concatenate([self._study.activations[name].layer(index)[rows] for name, rows in self._chosen.items()])


def _rows_of(
    study: LayerStudy, rows: Mapping[SplitName, Sequence[int]] | None, max_rows: int, seed: int
) -> dict[SplitName, NDArray[np.int64]]:
    sizes = {name: len(of_split) for name, of_split in study.splits.items()}
    if rows is None:
        if max_rows < 1:
            raise LitProbeError(f"max_rows must be 1 or more, not {max_rows}.")
        bounds = np.cumsum([0, *sizes.values()])
        sample = _sample(int(bounds[-1]), max_rows, seed)
        parts = {
            name: sample[(sample >= low) & (sample < high)] - low
            for name, (low, high) in zip(sizes, pairwise(bounds.tolist()), strict=True)
        }
    else:
        parts = {}
        for name, numbers in rows.items():
            lookup({str(one): size for one, size in sizes.items()}, name, "split")
            parts[name] = np.asarray(numbers, dtype=np.int64).reshape(-1)
            if parts[name].size and (parts[name].min() < 0 or parts[name].max() >= sizes[name]):
                raise LitProbeError(f"{name} of {study.splits.name} has rows 0 to {sizes[name] - 1}, and others were asked for.")
    if not sum(map(len, parts.values())):
        raise LitProbeError("No row was asked for. Name some, or leave rows out.")
    return {name: numbers for name, numbers in parts.items() if len(numbers)}


def _sample(n: int, most: int, seed: int) -> NDArray[np.int64]:
    """Which of ``n`` rows, ascending: all, or ``most`` of them drawn by the seed."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).permutation(n)[:most])
