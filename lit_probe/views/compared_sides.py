"""What is compared of each encoder: readers of its layers, and which rows they are, so that two are compared on the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.data.labelled_texts import LabelledTexts, SplitName
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.vector_encoder import as_array
from lit_probe.errors import DatasetError, EncoderError, UnservedError
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress
from lit_probe.registry import lookup
from lit_probe.views.layer_rows import Read, activation_reader
from lit_probe.views.similarity_measures import MEASURES, Measure


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


def on_common_rows(sides: Sequence[Side]) -> tuple[list[Side], list[str]]:
    """All of them on the rows that all have, and what has to be said of it.

    Raises:
      DatasetError: they have none in common, not equally many, or probes of other classes.
    """
    one, *others = sides
    for other in others:
        if one.classes != other.classes:
            raise DatasetError(
                f"The probes of {one.name} and {other.name} tell other classes apart, so their directions are not alike."
            )
    rows = [side.rows for side in sides if side.rows is not None]
    if not rows:
        for other in others:
            if one.n != other.n:
                raise DatasetError(
                    f"Layers are compared on the same rows, and {one.name} has {one.n:,} rows and {other.name} {other.n:,}: give "
                    "all the same examples in the same order."
                )
        return [*sides], []
    if len(rows) < len(sides):
        raise DatasetError("A study is compared with another study: of activations alone nobody knows which rows they are of.")
    keys = [_keys(one) for one in rows]
    if all(of == keys[0] for of in keys):
        return [*sides], []
    places = [{key: position for position, key in reversed([*enumerate(of)])} for of in keys]
    first = places[0]
    common = sorted((key for key in first if all(key in other for other in places[1:])), key=first.__getitem__)
    whose = "both" if len(sides) == 2 else "all"
    if not common:
        raise DatasetError(
            f"{_listed([side.name for side in sides])} have no rows in common, and layers are compared on the same rows. Compare "
            "encoders that have read the same data set."
        )
    counts = _listed([f"{side.n:,} of {side.name}" for side in sides])
    told = [f"{len(common):,} rows that {whose} have are compared, of {counts}."]
    return [side.at(np.array([of[key] for key in common])) for side, of in zip(sides, places, strict=True)], told


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


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
