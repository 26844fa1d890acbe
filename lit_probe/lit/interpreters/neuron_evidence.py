"""What single neurons do: by class, on which words, on every token of a text, and together with which others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types

from lit_probe.data.labelled_texts import SplitName, clean_text
from lit_probe.encoder.alignment import align
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import number, one_of, whole_number
from lit_probe.lit.host.dataset import probe_dataset, stratified_sample
from lit_probe.lit.host.model import probe_model
from lit_probe.lit.interpreters.asked import (
    MAX_TEXTS,
    RANKING_KEYS,
    Asked,
    Part,
    Respond,
    answer_part,
    read_ranking,
    read_unit,
    read_units,
)
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.neurons.meaning.neuron_clusters import THRESHOLD, correlation_clusters
from lit_probe.neurons.meaning.neuron_evidence import TokenActivations, activation_distribution, token_activations
from lit_probe.neurons.meaning.neuron_factors import N_COMPONENTS, neuron_factors
from lit_probe.neurons.meaning.top_words import ENDS, top_words, with_surroundings

# Test is scored once, at the end: nobody chooses neurons by it.
_SPLITS: dict[str, SplitName] = {"dev": "dev", "train": "train"}
_MAX_UNITS = 20


class NeuronEvidenceInterpreter(ProbeInterpreter):
    """On what does a neuron fire from which the concept is decodable?"""

    def config_spec(self) -> types.Spec:
        """Which part."""
        return {"part": types.CategoryLabel(vocab=list(EVIDENCE_PARTS), default=next(iter(EVIDENCE_PARTS)), required=True)}

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The part's answer, or how far it is.

        Args:
          inputs: for ``tokens`` and ``column`` the texts, edited ones too; for ``distribution`` those to be marked; for
            ``factors`` those that are factorised, None for a sample of the dev rows; else not used.
          model: an encoder with layer probes.
          dataset: that the rows belong to.
          model_outputs: not used.
          config: ``part``, a name in ``EVIDENCE_PARTS``; ``layer``; and what the part takes:

            * ``distribution``: ``unit``, ``split``;
            * ``column``: ``unit``; its pooled activation for every input, for a column of LIT's table;
            * ``tokens``: ``unit`` or ``units``;
            * ``words``: ``unit``, ``split``, ``top``, ``min_count``, ``cancel``;
            * ``clusters``: ``threshold``, ``unit`` whose cluster is looked for, ``method`` and what it takes for the ranking
              whose best neuron stands for each cluster, ``cancel``;
            * ``factors``: ``first`` and ``last`` layer, ``components``, ``seed``, ``special``, ``sample``, ``cancel``.

        Returns:
          ``status``: ``ready`` with ``part`` and what the library's function gives; ``computing`` with ``message`` and
          ``fraction``; ``failed`` with a ``message``; ``cancelled``.

        Raises:
          LitProbeError: the configuration cannot be understood.
        """
        return answer_part(EVIDENCE_PARTS, inputs, probe_model(model), dataset, config)


def _pooled(asked: Asked, texts: Sequence[str], unit: int) -> list[float]:
    """The neuron's pooled activation of each text."""
    values = [float(text.values[asked.layer, unit]) for text in asked.probes.pooled(texts).texts]
    n_bad = int((~np.isfinite(values)).sum())
    if n_bad:
        raise LitProbeError(f"Neuron {asked.layer}:{unit}: {n_bad} of {len(values)} activations are NaN or infinite.")
    return values


def _read_distribution(settings: Mapping[str, Any]) -> Respond:
    name, split = read_unit(settings), _SPLITS[one_of(settings, "split", _SPLITS, default="dev")]

    def respond(asked: Asked) -> dict[str, Any]:
        (unit,) = asked.units([name])
        found = activation_distribution(asked.study, asked.layer, unit, split).to_json()
        names = asked.probes.label_names
        found["classes"] = [{**one, "label": label} for one, label in zip(found["classes"], names, strict=True)]
        return {**found, "inputs": _pooled(asked, asked.few_texts(), unit) if asked.texts else []}

    return respond


def _read_column(settings: Mapping[str, Any]) -> Respond:
    name = read_unit(settings)

    def respond(asked: Asked) -> dict[str, Any]:
        (unit,) = asked.units([name])
        return {
            "layer": asked.layer,
            "unit": unit,
            "name": f"{asked.layer}:{unit}",
            # LIT's columns are named without colons.
            "column": f"neuron_{asked.layer}.{unit}",
            "pooling": asked.study.pooling,
            "values": _pooled(asked, asked.texts, unit),
        }

    return respond


def _read_tokens(settings: Mapping[str, Any]) -> Respond:
    if ("unit" in settings) == ("units" in settings):
        raise LitProbeError("Name one neuron as 'unit', or several as 'units'.")
    names = [read_unit(settings)] if "unit" in settings else read_units(settings["units"], most=_MAX_UNITS)

    def respond(asked: Asked) -> dict[str, Any]:
        units, texts = asked.units(names), asked.few_texts()
        found = token_activations(asked.study.encoder, texts, asked.layer, units)
        pooled = [_pooled(asked, texts, unit) for unit in units]
        return {
            "layer": asked.layer,
            "units": list(units),
            "pooling": asked.study.pooling,
            "texts": [
                {
                    **one.to_json(),
                    "pooled": [of_unit[place] for of_unit in pooled],
                    "aligned": _places_in(found[0], one) if place else None,
                }
                for place, one in enumerate(found)
            ],
            "largest": [
                max(float(np.abs(one.values[row, ~np.array(one.special, dtype=bool)]).max(initial=0.0)) for one in found)
                for row in range(len(units))
            ],
        }

    return respond


def _places_in(first: TokenActivations, other: TokenActivations) -> list[int | None]:
    """Where each token of the other text stands in the first one; None where it does not."""
    places: list[int | None] = [None] * len(other.tokens)
    for there, here in align(first.tokens, other.tokens).tolist():
        places[here] = there
    return places


def _read_words(settings: Mapping[str, Any]) -> Respond:
    name, split = read_unit(settings), _SPLITS[one_of(settings, "split", _SPLITS, default="dev")]
    top = whole_number(settings, "top", 1, 100, default=20)
    min_count = whole_number(settings, "min_count", 1, 1_000, default=2)

    def respond(asked: Asked) -> dict[str, Any]:
        (unit,) = asked.units([name])
        encoder, texts = asked.study.encoder, dict(asked.study.splits.items())[split].texts
        found = asked.ask(
            {"part": "words", "layer": asked.layer, "split": split, "top": top, "min_count": min_count},
            f"Top words of the neurons of layer {asked.layer} ({split})",
            lambda progress: {
                "words": top_words(encoder, texts, asked.layer, top, min_count=min_count, cache=asked.cache, progress=progress)
            },
        )
        if found["status"] != "ready":
            return found
        answer = with_surroundings(found["words"].of_unit(unit), encoder, texts).to_json()
        for end in ENDS:
            answer[end]["contexts"] = [
                {**context, "id": _shown_id(asked, texts[context["text"]])} for context in answer[end]["contexts"]
            ]
        return {**answer, "split": split}

    return respond


def _shown_id(asked: Asked, text: str) -> str | None:
    """LIT's id of the row with this text; None where LIT does not show it."""
    shown = probe_dataset(asked.dataset)
    place = None if shown is None else shown.position(clean_text(text))
    return None if place is None else asked.dataset.examples[place].get("_id")


def _read_clusters(settings: Mapping[str, Any]) -> Respond:
    threshold = number(settings, "threshold", 0, 1, default=THRESHOLD)
    name = read_unit(settings) if settings.get("unit") is not None else None
    ranking = read_ranking(settings) if "method" in settings else None

    def respond(asked: Asked) -> dict[str, Any]:
        unit = None if name is None else asked.units([name])[0]
        train = asked.study.activations["train"]

        def compute(progress: object) -> dict[str, Any]:
            order = None if ranking is None else asked.ranked(ranking).order
            return correlation_clusters(train.layer(asked.layer), threshold, order=order).to_json()

        facts = {
            "part": "clusters",
            "layer": asked.layer,
            "threshold": threshold,
            "order": None if ranking is None else asked.ranking_facts(ranking),
        }
        found = asked.ask_kept(facts, f"Clusters of the neurons of layer {asked.layer}", compute)
        if found["status"] != "ready":
            return found
        places = [place for place, one in enumerate(found["clusters"]) if unit in one["units"]]
        return {**found, "layer": asked.layer, "n": len(train), "cluster": places[0] if places else None}

    return respond


def _read_factors(settings: Mapping[str, Any]) -> Respond:
    first = whole_number(settings, "first", 0, 10_000, default=1)
    last = whole_number(settings, "last", 0, 10_000, default=0) if "last" in settings else None
    n_components = whole_number(settings, "components", 1, 50, default=N_COMPONENTS)
    seed = whole_number(settings, "seed", 0, 2**32 - 1, default=0)
    special = bool(settings.get("special", False))
    n_wanted = whole_number(settings, "sample", 1, 1_000, default=100)

    def respond(asked: Asked) -> dict[str, Any]:
        encoder = asked.study.encoder
        candidates = asked.inputs or [row for row in asked.dataset.examples if fields.split_of(row) == "dev"]
        chosen = stratified_sample(np.zeros(len(candidates), dtype=np.int64), n_wanted, seed).tolist()
        texts = [fields.text_of(candidates[row]) for row in chosen]
        layers = (first, encoder.n_layers - 1 if last is None else last)
        found = asked.ask(
            {"part": "factors", "layers": layers, "components": n_components, "seed": seed, "special": special, "texts": texts},
            f"Factors of the feed-forward neurons of layers {layers[0]} to {layers[1]}",
            lambda progress: neuron_factors(
                encoder, texts, layers, n_components, seed, special=special, progress=progress
            ).to_json(),
            quick=len(texts) <= MAX_TEXTS,
        )
        if found["status"] != "ready":
            return found
        ids = [str(candidates[row].get("_id", "")) for row in chosen]
        source = "selection" if asked.inputs else "dev"
        return {**found, "rows": {"ids": ids, "n_asked": len(candidates), "source": source}}

    return respond


EVIDENCE_PARTS = {
    "distribution": Part(_read_distribution, ("unit", "split")),
    "words": Part(_read_words, ("unit", "split", "top", "min_count", "cancel")),
    "tokens": Part(_read_tokens, ("unit", "units")),
    "column": Part(_read_column, ("unit",)),
    "clusters": Part(_read_clusters, ("threshold", "unit", *RANKING_KEYS, "cancel")),
    "factors": Part(_read_factors, ("first", "last", "components", "seed", "special", "sample", "cancel"), takes_layer=False),
}
