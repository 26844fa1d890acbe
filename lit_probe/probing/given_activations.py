"""Probes of activations from anywhere: another framework, a cluster, sounds, pictures, brains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.data import split_table
from lit_probe.data.labelled_texts import Splits
from lit_probe.data.options import AUTO, DatasetOptions
from lit_probe.data.rows import rows_of, together
from lit_probe.data.text_pairs import is_pair, segments
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.vector_encoder import NO_POOLING, GivenVectors, as_array
from lit_probe.errors import DatasetError, EncoderError
from lit_probe.probing.probes import ProbeOptions
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.progress import StudyProgress


def probe_activations(
    values: ArrayLike | Mapping[str, ArrayLike],
    labels: Sequence[str | int] | Sequence[float],
    *,
    texts: Sequence[str] | Sequence[tuple[str, str]] | None = None,
    groups: Sequence[str | int] | None = None,
    splits: Sequence[str] | None = None,
    name: str = "activations",
    dataset: str = "examples",
    probe: str | None = None,
    target: str = AUTO,
    probe_options: ProbeOptions | None = None,
    seed: int = 0,
    rules: StudyRules | None = None,
    cache: Cache | None = None,
    progress: StudyProgress | None = None,
) -> LayerStudy:
    """Fits one probe per layer to activations that are there already: a study as any, for checks, rankings and figures.

    Args:
      values: ``[n_examples, n_layers, d_model]`` numbers, ``[n_examples, d_model]`` of one layer, or such of each layer by its
        name. Layers may differ in width.
      labels: ``[n_examples]`` words or numbers; None or -1 marks an unlabelled example, which is left out.
      texts: ``[n_examples]`` what each example says: one text or a pair of two; examples that say the same stay in one split.
        Without texts, examples go by their numbers, and baselines of words say nothing.
      groups: ``[n_examples]`` what must not be split across train and test, or None.
      splits: ``[n_examples]`` train, dev or test; divided 70/15/15 when None.
      name: what the activations are called.
      dataset: what the examples are called.
      probe: the kind of probe; by default what the target asks for.
      target: what the labels are: ``"classes"``, a ``"number"`` or ``"auto"``, as of ``split_texts``.
      probe_options: how the probes are fitted; the usual way when None.
      seed: the seed of splits, cross-validation and probes.
      rules: how the study is scored, and how its layer is chosen; the usual way when None.
      cache: where results are kept, by the content of the arrays; nothing is kept when None.
      progress: hears how far it is.

    Raises:
      EncoderError: the arrays do not have these shapes, or hold other than finite numbers.
      DatasetError: the lengths differ, or the examples cannot be divided or probed.

    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(60) % 2
    >>> study = probe_activations({"early": rng.normal(size=(60, 4)), "late": rng.normal(size=(60, 4)) + labels[:, None]}, labels)
    >>> study.layer_names
    ['early', 'late']
    """
    encoder, made = given_activations(
        values, labels, texts=texts, groups=groups, splits=splits, name=name, dataset=dataset, target=target, seed=seed
    )
    return probe_layers(
        encoder,
        made,
        pooling=NO_POOLING,
        probe=probe,
        probe_options=probe_options,
        seed=seed,
        rules=rules,
        cache=cache,
        progress=progress,
    )


def given_activations(
    values: ArrayLike | Mapping[str, ArrayLike],
    labels: Sequence[str | int] | Sequence[float],
    *,
    texts: Sequence[str] | Sequence[tuple[str, str]] | None = None,
    groups: Sequence[str | int] | None = None,
    splits: Sequence[str] | None = None,
    name: str = "activations",
    dataset: str = "examples",
    target: str = AUTO,
    seed: int = 0,
    pair: tuple[str, str] = ("first", "second"),
    told: Sequence[str] = (),
) -> tuple[GivenVectors, Splits]:
    """What `probe_activations` fits probes to; arguments and errors as there.

    Where the texts are pairs, ``pair`` is what the two are called; ``told`` is what else a reader must know, in sentences.
    """
    layers = _by_layer(name, values)
    said = [f"example {row + 1}" for row in range(len(labels))]
    if texts is not None:
        said = list(rows_of(texts, [0] * len(texts)).texts)
    # Lists, since a table's column is asked for its rows by the names that it gives them.
    columns: dict[str, list[Any]] = {"text": list(said), "label": list(labels)}
    columns |= {name: list(values) for name, values in (("group", groups), ("split", splits)) if values is not None}
    if len({len(column) for column in columns.values()}) > 1:
        counts = ", ".join(f"{len(column):,} {name}s" for name, column in columns.items())
        raise DatasetError(f"Each example needs one of each, but there are {counts}.")
    told = list(told)
    if texts is None:
        told.append("The examples have no texts: what reads words, such as bags of words, says nothing here.")
    named = _told_apart(said, list(layers.values()))
    if (n_numbered := sum(map(str.__ne__, said, named))) and splits is None:
        columns["group"] = together(said, columns.get("group"))
    if n_numbered:
        told.append(f"{n_numbered:,} examples say what an earlier one says and have other vectors: they are numbered.")
    options = DatasetOptions(max_examples=0, seed=seed, group_column="group" if "group" in columns else None, target=target)
    encoder, columns["text"] = GivenVectors(name, layers, named, told), named
    if not any(map(is_pair, named)):
        return encoder, split_table(columns, options, dataset)
    # A row without one of its texts says nothing, and is left out.
    columns["text"], columns["second text"] = map(
        list, zip(*(segments(text) if text else ("", "") for text in named), strict=True)
    )
    return encoder, split_table(columns, replace(options, text_column=("text", "second text")), dataset).of_pairs(pair)


def _told_apart(texts: Sequence[str], layers: Sequence[NDArray[Any]]) -> list[str]:
    """The texts, with a number behind each that an earlier one with other vectors has already."""
    rows: dict[str, int] = {}
    named = []
    for row, text in enumerate(texts):
        name, number = text, 1
        while text and name in rows and any(len(one) > row and not np.array_equal(one[rows[name]], one[row]) for one in layers):
            number += 1
            name = f"{text} ({number})"
        rows.setdefault(name, row)
        named.append(name)
    return named


def _by_layer(name: str, values: ArrayLike | Mapping[str, ArrayLike]) -> Mapping[str, NDArray[Any]]:
    if isinstance(values, Mapping):
        return {str(layer): as_array(array) for layer, array in values.items()}
    array = as_array(values)
    if array.ndim == 2:
        array = array[:, None]
    if array.ndim != 3:
        raise EncoderError(
            f"The activations {name!r} have the shape {list(array.shape)}, where [examples, layers, width] is needed, or an "
            "array for each layer by its name."
        )
    return {f"layer {layer}": array[:, layer] for layer in range(array.shape[1])}
